-- What the fault tests taught: who may end a job, what counts as a failure of a chunk, when silence means death.

-- ---------------------------------------------------------------------------------------------------------------
-- Jobs and their workers

-- End a job, if the worker that took it still holds this very run of it; whether it did. A worker that was given up on
-- and comes back must not end the job of its successor.
CREATE FUNCTION finish_held_job(
    p_job_id bigint, p_worker_id bigint, p_attempts integer, p_status text, p_delete boolean
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM procrastinate_jobs
    WHERE id = p_job_id AND worker_id = p_worker_id AND attempts = p_attempts AND status = 'doing' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM procrastinate_finish_job_v1(p_job_id, p_status::procrastinate_job_status, p_delete);
    RETURN true;
END
$$;

-- The same for a job that is to be tried again.
CREATE FUNCTION retry_held_job(
    p_job_id bigint, p_worker_id bigint, p_attempts integer,
    p_retry_at timestamptz, p_priority integer, p_queue text, p_lock text
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM procrastinate_jobs
    WHERE id = p_job_id AND worker_id = p_worker_id AND attempts = p_attempts AND status = 'doing' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM procrastinate_retry_job_v2(p_job_id, p_retry_at, p_priority, p_queue, p_lock);
    RETURN true;
END
$$;

-- A sign of life; the jobs that the worker has by the table, and how many migrations the database has. A worker whose row
-- somebody has removed gets it back.
CREATE FUNCTION note_heartbeat(p_worker_id bigint, OUT doing bigint[], OUT migrations bigint)
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO procrastinate_workers (id, last_heartbeat) OVERRIDING SYSTEM VALUE
    VALUES (p_worker_id, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET last_heartbeat = excluded.last_heartbeat;
    doing := ARRAY(SELECT id FROM procrastinate_jobs WHERE worker_id = p_worker_id AND status = 'doing');
    migrations := (SELECT count(*) FROM schema_migrations);
END
$$;

-- Jobs that a living worker has by the table and knows nothing of: the answer to its fetch, or the note of their end, got
-- lost. The worker itself says which.
CREATE FUNCTION rescue_forgotten_jobs(p_worker_id bigint, p_job_ids bigint[], most_tries integer)
RETURNS TABLE (job_id bigint, outcome text)
LANGUAGE plpgsql AS $$
DECLARE
    job procrastinate_jobs;
BEGIN
    FOR job IN
        SELECT * FROM procrastinate_jobs
        WHERE id = ANY (p_job_ids) AND worker_id = p_worker_id AND status = 'doing'
        ORDER BY id FOR UPDATE SKIP LOCKED
    LOOP
        job_id := job.id;
        outcome := rescue_job(job, most_tries);
        RETURN NEXT;
    END LOOP;
END
$$;

-- The jobs of a process that has been asked to stop and cannot wait for their end: put back at once, and no failure of
-- theirs. First its sessions are ended, so that none of them holds a chunk.
CREATE FUNCTION hand_back_jobs(p_worker_id bigint, p_job_ids bigint[], p_sessions integer[])
RETURNS TABLE (job_id bigint, outcome text)
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    job procrastinate_jobs;
BEGIN
    PERFORM pg_terminate_backend(pid, 1000)
    FROM pg_stat_activity
    WHERE pid = ANY (p_sessions) AND application_name LIKE 'aiops %' AND datname = current_database();
    FOR job IN
        SELECT * FROM procrastinate_jobs
        WHERE id = ANY (p_job_ids) AND worker_id = p_worker_id AND status = 'doing'
        ORDER BY id FOR UPDATE SKIP LOCKED
    LOOP
        job_id := job.id;
        UPDATE batch_chunks AS c SET state = 'waiting', lease_until = NULL, completed_at = clock_timestamp()
        WHERE c.job_id = job.id AND c.state = 'running';
        outcome := rescue_job(job, 2147483647);
        RETURN NEXT;
    END LOOP;
END
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- Chunks

COMMENT ON COLUMN batch_chunks.tries IS
    'Failures of its own since the chunk was last put on the queue by a person: errors in its computation, processes '
    'that ended over it. The server''s and the network''s failures, and processes that were asked to stop, do not count.';

DROP FUNCTION claim_chunk(uuid, integer, text, interval);

-- Claim a chunk: the new attempt number is the fence that keeps earlier claims from writing. No row: there is nothing
-- to do (the chunk is done, or the batch does not run any more).
CREATE FUNCTION claim_chunk(p_batch_id uuid, p_chunk_no integer, p_worker text, lease interval)
RETURNS TABLE (attempt integer, first_grid_id integer, last_grid_id integer, n_cells integer, cells integer[],
               job_type text, input_params jsonb, tries integer)
LANGUAGE sql
BEGIN ATOMIC
    UPDATE batch_chunks AS c SET
        state = 'running', attempt = c.attempt + 1, worker = p_worker, lease_until = clock_timestamp() + lease,
        started_at = clock_timestamp(), completed_at = NULL, error = NULL
    FROM batch_jobs AS b
    WHERE c.batch_id = p_batch_id AND c.chunk_no = p_chunk_no AND c.state IN ('waiting', 'running')
      AND b.batch_id = c.batch_id AND b.status = 'running'
    RETURNING c.attempt, c.first_grid_id, c.last_grid_id, c.n_cells, c.cells, b.job_type, b.input_params::jsonb, c.tries;
END;

-- A chunk that an attempt could not compute and that will be tried again; p_counts: whether it was a failure of its own.
CREATE FUNCTION postpone_chunk(p_batch_id uuid, p_chunk_no integer, p_attempt integer, p_error text, p_counts boolean)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE batch_chunks SET
        state = 'waiting', error = p_error, tries = tries + p_counts::integer, lease_until = NULL,
        completed_at = clock_timestamp()
    WHERE batch_id = p_batch_id AND chunk_no = p_chunk_no AND attempt = p_attempt AND state = 'running';
    RETURN FOUND;
END
$$;

-- The fence: lock the chunk if this attempt still holds it. The lock lasts until the results are committed; of a process
-- that falls silent in between, the server ends the session, so that nobody waits for it for long. And it waits for no
-- lock of anybody else's for longer than its own may be waited for.
CREATE OR REPLACE FUNCTION hold_chunk(p_batch_id uuid, p_chunk_no integer, p_attempt integer) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('idle_in_transaction_session_timeout', '20s', true), set_config('lock_timeout', '20s', true);
    PERFORM FROM batch_chunks
    WHERE batch_id = p_batch_id AND chunk_no = p_chunk_no AND attempt = p_attempt AND state = 'running'
    FOR UPDATE;
    RETURN FOUND;
END
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- The rescue

CREATE TABLE rescue_watch (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    since      timestamptz NOT NULL,
    last_round timestamptz NOT NULL
);
COMMENT ON TABLE rescue_watch IS
    'Since when somebody has been looking after the workers without a break. Where nobody could reach the server, the '
    'workers were silent too, and neither silence nor a lease proves anything until they have had the time to speak.';
INSERT INTO rescue_watch (since, last_round) VALUES ('-infinity', 'infinity');

-- Note that somebody looks; whether silence proves anything now.
CREATE FUNCTION note_rescue_round(longest_gap interval, settled_for interval) RETURNS boolean
LANGUAGE sql
BEGIN ATOMIC
    UPDATE rescue_watch SET
        since = CASE WHEN last_round + longest_gap < clock_timestamp() THEN clock_timestamp() ELSE since END,
        last_round = clock_timestamp()
    RETURNING since + settled_for < clock_timestamp();
END;

-- Jobs that nobody works on any more: their worker is gone or silent, or their chunk's lease has run out. Each on its
-- own: one that cannot be put right, or is locked, does not keep the others back.
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

-- Finished jobs leave the queue after a while, and logs after a longer one; batches and results stay. Workers leave a day
-- after their last sign of life: what a rescue decides by must not vanish before it.
CREATE OR REPLACE FUNCTION prune_queue(jobs_older_than interval, logs_older_than interval)
RETURNS TABLE (jobs bigint, logs bigint, workers bigint)
LANGUAGE plpgsql AS $$
BEGIN
    WITH ended AS (
        SELECT j.id
        FROM procrastinate_jobs AS j
        WHERE j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
          AND NOT EXISTS (SELECT FROM procrastinate_events AS e
                          WHERE e.job_id = j.id AND e.at >= clock_timestamp() - jobs_older_than)
        LIMIT 20000
        FOR UPDATE SKIP LOCKED
    ), deleted AS (
        DELETE FROM procrastinate_jobs AS j USING ended WHERE j.id = ended.id RETURNING 1
    )
    SELECT count(*) INTO jobs FROM deleted;
    WITH deleted AS (
        DELETE FROM batch_job_logs AS l
        WHERE l.started_at < clock_timestamp() - logs_older_than
          AND NOT EXISTS (SELECT FROM batch_jobs AS b
                          WHERE b.batch_id = l.batch_id AND b.status IN ('queued', 'running'))
        RETURNING 1
    )
    SELECT count(*) INTO logs FROM deleted;
    SELECT count(*) INTO workers FROM procrastinate_prune_stalled_workers_v1(86400);
    RETURN NEXT;
END
$$;
