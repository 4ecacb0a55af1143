-- Jobs whose process died, chunks without a job, batches without a plan: found and put right, by any daemon, at any time.
-- Whoever was given up on and comes back is kept out by the attempt number of the chunk.

-- Tell the queue's workers that there is something to take (a retried job is not announced by the queue itself).
CREATE FUNCTION announce_job(queue text, job_id bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT pg_notify('procrastinate_queue_v1#' || queue, json_build_object('type', 'job_inserted', 'job_id', job_id)::text);
END;

-- What becomes of one lost job; the caller holds its row.
CREATE FUNCTION rescue_job(job procrastinate_jobs, most_tries integer) RETURNS text
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
    IF job.task_name = 'risk_chunk' THEN
        SELECT * INTO chunk FROM batch_chunks
        WHERE batch_id = batch.batch_id AND chunk_no = (job.args ->> 'chunk_no')::integer;
        IF batch.status IS DISTINCT FROM 'running' OR chunk.state NOT IN ('waiting', 'running') THEN
            PERFORM procrastinate_finish_job_v1(job.id, 'succeeded', false);
            RETURN 'finished';
        END IF;
        IF chunk.tries >= most_tries AND fail_chunk(
            batch.batch_id, chunk.chunk_no, chunk.attempt,
            format('its process ended %s times while it was computed (cells %s to %s)',
                   chunk.tries, chunk.first_grid_id, chunk.last_grid_id), NULL, true) THEN
            PERFORM procrastinate_finish_job_v1(job.id, 'failed', false);
            RETURN 'failed';
        END IF;
    ELSIF batch.batch_id IS NOT NULL AND batch.status <> 'queued' THEN
        PERFORM procrastinate_finish_job_v1(job.id, 'succeeded', false);
        RETURN 'finished';
    ELSIF job.attempts + 1 >= most_tries THEN
        UPDATE batch_jobs SET status = 'failed', completed_at = clock_timestamp(), updated_at = clock_timestamp(),
            started_at = coalesce(started_at, clock_timestamp()),
            error_message = format('the process that planned it ended %s times', job.attempts + 1)
        WHERE batch_id = batch.batch_id AND status = 'queued';
        PERFORM procrastinate_finish_job_v1(job.id, 'failed', false);
        RETURN 'failed';
    END IF;
    PERFORM procrastinate_retry_job_v2(job.id, now(), NULL, NULL, NULL);
    PERFORM announce_job(job.queue_name, job.id);
    RETURN 'handed back';
END
$$;

-- Jobs that nobody works on any more: their worker is gone or silent, or their chunk's lease has run out. Each on its
-- own: one that cannot be put right does not keep the others back.
CREATE FUNCTION rescue_jobs(silent_for interval, most_tries integer)
RETURNS TABLE (job_id bigint, task_name text, args jsonb, outcome text)
LANGUAGE plpgsql AS $$
DECLARE
    job procrastinate_jobs;
BEGIN
    FOR job IN
        SELECT j.*
        FROM procrastinate_jobs AS j
        LEFT JOIN procrastinate_workers AS w ON w.id = j.worker_id
        LEFT JOIN batch_chunks AS c ON c.job_id = j.id
        WHERE j.status = 'doing'
          AND (w.id IS NULL OR w.last_heartbeat < clock_timestamp() - silent_for
               OR (c.state = 'running' AND c.lease_until < clock_timestamp())
               -- The work is done and committed; the note that it is got lost.
               OR (c.state IN ('done', 'failed', 'cancelled') AND c.completed_at < clock_timestamp() - silent_for))
        ORDER BY j.id
        FOR UPDATE OF j SKIP LOCKED
    LOOP
        job_id := job.id;
        task_name := job.task_name;
        args := job.args;
        BEGIN
            outcome := rescue_job(job, most_tries);
        EXCEPTION WHEN OTHERS THEN
            outcome := 'error: ' || SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
END
$$;

-- What no job looks after any more gets one. Returns what was put right.
CREATE FUNCTION reconcile_batches(settled_for interval) RETURNS TABLE (batch_id uuid, chunk_no integer, outcome text)
LANGUAGE plpgsql AS $$
DECLARE
    lost record;
BEGIN
    FOR lost IN
        SELECT c.batch_id, c.chunk_no
        FROM batch_jobs AS b
        JOIN batch_chunks AS c ON c.batch_id = b.batch_id AND c.state IN ('waiting', 'running')
        LEFT JOIN procrastinate_jobs AS j ON j.id = c.job_id
        WHERE b.status = 'running' AND (j.id IS NULL OR j.status NOT IN ('todo', 'doing'))
        ORDER BY c.batch_id, c.chunk_no
        FOR UPDATE OF c SKIP LOCKED
    LOOP
        UPDATE batch_chunks AS c SET job_id = enqueue_job('compute', 'risk_chunk',
            jsonb_build_object('batch_id', lost.batch_id, 'chunk_no', lost.chunk_no))
        WHERE c.batch_id = lost.batch_id AND c.chunk_no = lost.chunk_no;
        batch_id := lost.batch_id;
        chunk_no := lost.chunk_no;
        outcome := 'chunk had no job';
        RETURN NEXT;
    END LOOP;

    FOR lost IN
        SELECT b.batch_id, b.job_type
        FROM batch_jobs AS b
        WHERE b.status = 'queued' AND batch_families(b.job_type) <> '{}'
          AND b.updated_at < clock_timestamp() - settled_for
          AND NOT EXISTS (
              SELECT FROM procrastinate_jobs AS j
              WHERE j.status IN ('todo', 'doing')
                AND (j.id = b.origin_job_id OR (j.task_name = b.job_type || '_batch'
                                                AND j.args ->> 'batch_id' = b.batch_id::text)))
        FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM enqueue_job('control', lost.job_type || '_batch', jsonb_build_object('batch_id', lost.batch_id));
        batch_id := lost.batch_id;
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
