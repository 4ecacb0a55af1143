-- A request is not failed for what the server or the network did: only the processes that ended over it count.

ALTER TABLE batch_jobs ADD COLUMN tries integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN batch_jobs.tries IS
    'Of a request: processes that ended over it since it was last put on the queue by a person. Failures that pass, and '
    'processes that were asked to stop, do not count.';

-- Run again by a person, it starts anew.
CREATE FUNCTION batch_jobs_start_anew() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.tries := 0;
    RETURN NEW;
END
$$;
CREATE TRIGGER batch_jobs_start_anew BEFORE UPDATE OF status ON batch_jobs
    FOR EACH ROW WHEN (OLD.status = 'failed' AND NEW.status = 'queued') EXECUTE FUNCTION batch_jobs_start_anew();

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
        IF batch.tries >= most_tries THEN
            PERFORM fail_request(batch.batch_id, NULL,
                format('the process that computed it ended %s times', batch.tries), NULL);
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

-- As before, but that a request's tries are counted, too.
CREATE OR REPLACE FUNCTION rescue_jobs(silent_for interval, most_tries integer)
RETURNS TABLE (job_id bigint, task_name text, args jsonb, outcome text)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
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
            UPDATE batch_chunks AS c SET tries = c.tries + 1 WHERE c.job_id = job.id AND c.state = 'running';
            IF job.task_name IN ('ondemand_risk', 'cell_results') THEN
                UPDATE batch_jobs AS b SET tries = b.tries + 1
                WHERE b.status IN ('queued', 'running')
                  AND CASE WHEN job.args ? 'batch_id' THEN b.batch_id = (job.args ->> 'batch_id')::uuid
                      ELSE b.origin_job_id = job.id END;
            END IF;
            outcome := rescue_job(job, most_tries);
            IF outcome = 'handed back' THEN
                UPDATE batch_chunks AS c SET state = 'waiting', lease_until = NULL, completed_at = clock_timestamp(),
                    error = format('%s has not ended it', c.worker)
                WHERE c.job_id = job.id AND c.state = 'running';
            END IF;
        EXCEPTION WHEN OTHERS THEN
            outcome := 'error: ' || SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
END
$$;
