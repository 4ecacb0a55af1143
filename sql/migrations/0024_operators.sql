-- What operators look for: why a chunk failed, and on which hosts the daemons run.

ALTER TABLE batch_chunks ADD COLUMN trace text;
COMMENT ON COLUMN batch_chunks.trace IS
    'Stack trace of the last failure, kept although a later attempt may have done the chunk.';

CREATE TABLE daemon_process (
    worker_id bigint PRIMARY KEY,
    role      text NOT NULL,
    host      text NOT NULL,
    pid       integer NOT NULL,
    noted_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE daemon_process IS
    'Where each process of a daemon runs: what the queue''s table of workers, which tells whether it lives, leaves out.';

-- `aiops status` shows the latest runs beside any number of requests.
CREATE INDEX batch_jobs_runs_idx ON batch_jobs (created_at DESC) WHERE job_type <> 'ondemand_risk_calculation';
