-- Rescue, reconciliation, retry and cancel know requests, portfolios and notifications, too.

CREATE OR REPLACE FUNCTION rescue_job(job procrastinate_jobs, most_tries integer) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    batch batch_jobs;
    chunk batch_chunks;
BEGIN
    IF job.args ? 'batch_id' THEN
        SELECT * INTO batch FROM batch_jobs WHERE batch_id = (job.args ->> 'batch_id')::uuid;
    ELSE
        SELECT * INTO batch FROM batch_jobs WHERE origin_job_id = job.id;
    END IF;
    CASE
    WHEN job.task_name = 'risk_chunk' THEN
        SELECT * INTO chunk FROM batch_chunks
        WHERE batch_id = batch.batch_id AND chunk_no = (job.args ->> 'chunk_no')::integer;
        IF batch.status IS DISTINCT FROM 'running' OR chunk.state NOT IN ('waiting', 'running') THEN
            PERFORM procrastinate_finish_job_v1(job.id, 'succeeded', false);
            RETURN 'finished';
        END IF;
        IF chunk.tries >= most_tries AND fail_chunk(
            batch.batch_id, chunk.chunk_no, chunk.attempt,
            format('its process ended %s times while it was computed (%s %s to %s)', chunk.tries,
                   CASE batch.job_type WHEN 'portfolio_risk_calculation' THEN 'sites' ELSE 'cells' END,
                   chunk.first_grid_id, chunk.last_grid_id), NULL, true) THEN
            PERFORM procrastinate_finish_job_v1(job.id, 'failed', false);
            RETURN 'failed';
        END IF;
    WHEN job.task_name IN ('send_webhook', 'send_email') THEN
        RETURN rescue_notification(job, most_tries);
    WHEN job.task_name IN ('ondemand_risk', 'cell_results') AND batch.status IN ('queued', 'running') THEN
        IF job.attempts + 1 >= most_tries THEN
            PERFORM fail_request(batch.batch_id, NULL,
                format('the process that computed it ended %s times', job.attempts + 1), NULL);
            PERFORM procrastinate_finish_job_v1(job.id, 'failed', false);
            RETURN 'failed';
        END IF;
        UPDATE batch_jobs SET lease_until = NULL WHERE batch_id = batch.batch_id AND status = 'running';
    WHEN batch.batch_id IS NOT NULL AND batch.status <> 'queued' THEN
        PERFORM procrastinate_finish_job_v1(job.id, 'succeeded', false);
        RETURN 'finished';
    WHEN job.attempts + 1 >= most_tries THEN
        UPDATE batch_jobs SET status = 'failed', completed_at = clock_timestamp(), updated_at = clock_timestamp(),
            started_at = coalesce(started_at, clock_timestamp()),
            error_message = format('the process that planned it ended %s times', job.attempts + 1)
        WHERE batch_id = batch.batch_id AND status = 'queued';
        PERFORM procrastinate_finish_job_v1(job.id, 'failed', false);
        RETURN 'failed';
    ELSE
        NULL;
    END CASE;
    PERFORM procrastinate_retry_job_v2(job.id, now(), NULL, NULL, NULL);
    PERFORM announce_job(job.queue_name, job.id);
    RETURN 'handed back';
END
$$;

CREATE OR REPLACE FUNCTION reconcile_batches(settled_for interval)
RETURNS TABLE (batch_id uuid, chunk_no integer, outcome text)
LANGUAGE plpgsql AS $$
DECLARE
    lost record;
    batch batch_jobs;
BEGIN
    FOR lost IN
        SELECT c.batch_id, c.chunk_no, b.job_type
        FROM batch_jobs AS b
        JOIN batch_chunks AS c ON c.batch_id = b.batch_id AND c.state IN ('waiting', 'running')
        LEFT JOIN procrastinate_jobs AS j ON j.id = c.job_id
        WHERE b.status = 'running' AND (j.id IS NULL OR j.status NOT IN ('todo', 'doing'))
        ORDER BY c.batch_id, c.chunk_no
        FOR UPDATE OF c SKIP LOCKED
    LOOP
        UPDATE batch_chunks AS c SET job_id = enqueue_job('compute', 'risk_chunk',
            jsonb_build_object('batch_id', lost.batch_id, 'chunk_no', lost.chunk_no), chunk_priority(lost.job_type))
        WHERE c.batch_id = lost.batch_id AND c.chunk_no = lost.chunk_no;
        batch_id := lost.batch_id;
        chunk_no := lost.chunk_no;
        outcome := 'chunk had no job';
        RETURN NEXT;
    END LOOP;

    -- What waits to be planned, or is a request under way, and has no job. A request that is held is left to its holder
    -- until the lease runs out.
    FOR batch IN
        SELECT b.*
        FROM batch_jobs AS b
        JOIN job_type AS t ON t.job_type = b.job_type AND t.task IS NOT NULL
        WHERE (b.status = 'queued'
               OR (b.status = 'running' AND b.job_type = 'ondemand_risk_calculation'
                   AND (b.lease_until IS NULL OR b.lease_until < clock_timestamp())))
          AND b.updated_at < clock_timestamp() - settled_for
          AND NOT EXISTS (SELECT FROM procrastinate_jobs AS j WHERE j.status IN ('todo', 'doing') AND j.id = b.origin_job_id)
          AND NOT EXISTS (
              SELECT FROM procrastinate_jobs AS j
              WHERE j.status IN ('todo', 'doing') AND j.args ->> 'batch_id' = b.batch_id::text
                AND j.task_name NOT IN ('send_webhook', 'send_email'))
        FOR UPDATE OF b SKIP LOCKED
    LOOP
        PERFORM enqueue_batch(batch);
        batch_id := batch.batch_id;
        chunk_no := NULL;
        outcome := 'batch had no job';
        RETURN NEXT;
    END LOOP;

    -- The chunks of a cancelled batch that were under way or never taken.
    UPDATE batch_chunks AS c SET state = 'cancelled', lease_until = NULL, completed_at = clock_timestamp()
    FROM (SELECT w.batch_id, w.chunk_no
          FROM batch_jobs AS b
          JOIN batch_chunks AS w ON w.batch_id = b.batch_id AND w.state IN ('waiting', 'running')
          WHERE b.status = 'cancelled'
          FOR UPDATE OF w SKIP LOCKED) AS ended
    WHERE c.batch_id = ended.batch_id AND c.chunk_no = ended.chunk_no;
END
$$;

CREATE OR REPLACE FUNCTION cancel_batch(batch_id uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    batch batch_jobs;
BEGIN
    UPDATE batch_jobs AS b SET status = 'cancelled', current_step = NULL, lease_until = NULL,
        completed_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE b.batch_id = cancel_batch.batch_id AND b.status IN ('queued', 'running')
    RETURNING * INTO batch;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM procrastinate_jobs WHERE id IN (
        SELECT id FROM procrastinate_jobs
        WHERE status = 'todo' AND id IN (
            SELECT job_id FROM batch_chunks AS c WHERE c.batch_id = cancel_batch.batch_id AND c.state = 'waiting')
        FOR UPDATE SKIP LOCKED);
    UPDATE batch_job_logs AS l SET completed_at = batch.completed_at, status = 'cancelled',
        processed_grids = batch.completed_items, failed_grids = batch.failed_items
    WHERE l.batch_id = cancel_batch.batch_id AND l.completed_at IS NULL;
    IF batch.job_type = 'ondemand_risk_calculation' THEN  -- of a request the log is written at its end
        PERFORM log_request(batch, '[]', batch.completed_at);
    END IF;
    PERFORM queue_notifications(cancel_batch.batch_id);
    RETURN true;
END
$$;

-- Run what failed again: the chunks of a batch, or the request; the number of them, 0 when there is nothing to retry.
CREATE OR REPLACE FUNCTION retry_batch(batch_id uuid) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    batch batch_jobs;
    chunk record;
    n_items integer := 0;
    n_chunks integer := 0;
BEGIN
    -- The chunk rows before the batch's row, as everywhere.
    PERFORM FROM batch_chunks AS c WHERE c.batch_id = retry_batch.batch_id AND c.state = 'failed'
    ORDER BY c.chunk_no FOR UPDATE;
    SELECT * INTO batch FROM batch_jobs AS b WHERE b.batch_id = retry_batch.batch_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % does not exist', retry_batch.batch_id USING ERRCODE = 'no_data_found';
    END IF;
    IF batch.status <> 'failed' OR batch.job_type = 'test' THEN
        RETURN 0;
    END IF;
    PERFORM refuse_second_active_batch(batch.batch_id, batch.job_type);
    IF batch.total_chunks IS NULL THEN  -- it failed before it was planned, or has no chunks
        UPDATE batch_jobs AS b SET status = 'queued', started_at = NULL, completed_at = NULL, error_message = NULL,
            error_stack_trace = NULL, updated_at = clock_timestamp()
        WHERE b.batch_id = batch.batch_id;
        PERFORM enqueue_batch(batch);
        RETURN 1;
    END IF;
    FOR chunk IN SELECT * FROM batch_chunks AS c WHERE c.batch_id = batch.batch_id AND c.state = 'failed' LOOP
        UPDATE batch_chunks AS c SET
            state = 'waiting', completed_at = NULL, tries = 0,
            job_id = enqueue_job('compute', 'risk_chunk',
                                 jsonb_build_object('batch_id', batch.batch_id, 'chunk_no', chunk.chunk_no),
                                 chunk_priority(batch.job_type))
        WHERE c.batch_id = batch.batch_id AND c.chunk_no = chunk.chunk_no;
        n_items := n_items + chunk.n_cells;
        n_chunks := n_chunks + 1;
    END LOOP;
    UPDATE batch_jobs AS b SET
        status = 'running', completed_at = NULL, error_message = NULL, error_stack_trace = NULL, results = NULL,
        current_step = 'computing', attempt = b.attempt + 1, updated_at = clock_timestamp(),
        completed_items = b.completed_items - n_items, failed_items = b.failed_items - n_items, open_chunks = n_chunks
    WHERE b.batch_id = batch.batch_id;
    INSERT INTO batch_job_logs (batch_id, job_type, started_at, status, total_grids)
    VALUES (batch.batch_id, batch.job_type, clock_timestamp(), 'running', n_items);
    IF n_chunks = 0 THEN
        PERFORM conclude_batch(batch.batch_id);
    END IF;
    RETURN n_chunks;
END
$$;

-- Jobs with one lock run one after the other. The queue announces a job when it is put there, and by then another may hold
-- the lock: without a word at that one's end, each of many equal requests would wait until somebody looks again.
CREATE FUNCTION announce_next_of_lock() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    waiting procrastinate_jobs;
BEGIN
    SELECT * INTO waiting FROM procrastinate_jobs AS j
    WHERE j.lock = NEW.lock AND j.status = 'todo'
    ORDER BY j.priority DESC, j.id LIMIT 1;
    IF FOUND THEN
        PERFORM announce_job(waiting.queue_name, waiting.id);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER aiops_announce_next_of_lock AFTER UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW
    WHEN (OLD.status = 'doing' AND NEW.status NOT IN ('todo', 'doing') AND NEW.lock IS NOT NULL)
    EXECUTE FUNCTION announce_next_of_lock();
