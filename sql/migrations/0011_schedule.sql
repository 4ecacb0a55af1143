-- The yearly runs: each due run once, whatever number of daemons, even late.

CREATE TABLE schedule (
    schedule   text PRIMARY KEY,
    job_type   text NOT NULL,
    position   smallint NOT NULL UNIQUE,
    paused     boolean NOT NULL DEFAULT false,
    definition text,
    defined_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE schedule IS
    'What runs by itself. When it is due stands in the settings; definition repeats them, so that a change is noticed: '
    'runs that were due before defined_at are never made up for.';
INSERT INTO schedule (schedule, job_type, position) VALUES ('probability', 'probability', 1), ('hazard', 'hazard', 2);

CREATE TABLE scheduled_runs (
    schedule   text NOT NULL,
    due_at     timestamptz NOT NULL,
    batch_id   uuid NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (schedule, due_at)
);
COMMENT ON TABLE scheduled_runs IS 'The ledger: a due run has one row, made in the transaction that starts its batch.';

-- Note when a schedule is due by the settings; the time since when that has been so.
CREATE FUNCTION define_schedule(p_schedule text, p_definition text) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    since timestamptz;
BEGIN
    SELECT defined_at INTO since FROM schedule WHERE schedule = p_schedule AND definition = p_definition;
    IF NOT FOUND THEN
        -- The first definition counts from the installation: what is due between that and now is made up for.
        UPDATE schedule SET
            definition = p_definition,
            defined_at = CASE WHEN definition IS NULL THEN defined_at ELSE clock_timestamp() END
        WHERE schedule = p_schedule
        RETURNING defined_at INTO since;
    END IF;
    RETURN since;
END
$$;

-- Start a due run; the batch's number, or NULL when it was started before, or the schedule is paused. While another
-- batch of the family is active, it raises unique_violation and leaves no trace: ask again later.
CREATE FUNCTION start_due_run(p_schedule text, p_due_at timestamptz) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    started uuid := gen_random_uuid();
    wanted schedule;
BEGIN
    SELECT * INTO wanted FROM schedule WHERE schedule = p_schedule AND NOT paused;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO scheduled_runs (schedule, due_at, batch_id) VALUES (p_schedule, p_due_at, started)
    ON CONFLICT (schedule, due_at) DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO batch_jobs (batch_id, job_type) VALUES (started, wanted.job_type);
    RETURN started;
END
$$;

-- Finished jobs leave the queue after a while, and logs after a longer one; batches and results stay.
CREATE FUNCTION prune_queue(jobs_older_than interval, logs_older_than interval)
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
    SELECT count(*) INTO workers FROM procrastinate_prune_stalled_workers_v1(300);
    RETURN NEXT;
END
$$;
