-- What the health checks and the metrics need to know, and no other table tells.

-- Counts that have to outlive the processes that make them. A count is raised in the transaction of what it counts, as
-- its last statement: its row is locked for no longer than a commit takes.
CREATE TABLE event_counter (
    event text NOT NULL,
    kind  text NOT NULL,
    times bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (event, kind)
);
COMMENT ON TABLE event_counter IS
    'How often something happened since the installation; never goes down. rescue: by what became of the job; '
    'refused write: by why an attempt was kept from writing.';
-- At zero from the start: a rate of something that appears with its first event misses that event.
INSERT INTO event_counter (event, kind) VALUES
    ('rescue', 'handed back'), ('rescue', 'finished'), ('rescue', 'failed'),
    ('refused write', 'fenced out'), ('refused write', 'batch ended');

CREATE TABLE listener_round_trip (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    channel     text NOT NULL,
    seconds     float8 NOT NULL,
    answered_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE listener_round_trip IS
    'The last notification that the listening daemon sent to itself and got: when, and how long it took.';

-- Looked for every five seconds among all jobs of the last day.
CREATE INDEX procrastinate_jobs_doing_idx ON procrastinate_jobs (id) WHERE status = 'doing';

-- The order of `aiops status`: what is active, then what is newest.
CREATE INDEX batch_jobs_recent_idx ON batch_jobs ((status IN ('queued', 'running')) DESC, created_at DESC);

-- Every five seconds the chunks of cancelled batches are looked for; without it that reads every batch there ever was.
CREATE INDEX batch_jobs_cancelled_idx ON batch_jobs (batch_id) WHERE status = 'cancelled';

-- Progress never goes back, whoever writes it: when failed chunks are tried again, the share of what is done is smaller
-- than what was shown before.
CREATE FUNCTION batch_jobs_keep_progress() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.progress := OLD.progress;
    RETURN NEW;
END
$$;
CREATE TRIGGER batch_jobs_keep_progress BEFORE UPDATE OF progress ON batch_jobs
    FOR EACH ROW WHEN (NEW.progress < OLD.progress) EXECUTE FUNCTION batch_jobs_keep_progress();
