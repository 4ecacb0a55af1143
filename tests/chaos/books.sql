-- What the tests keep books by: how each batch and chunk went, whatever state they end in; and where a test can take hold
-- of the engine, at moments that no test could hit by timing. All of it lives in a schema of its own.
CREATE SCHEMA chaos;

-- ---------------------------------------------------------------------------------------------------------------
-- History. Each row is written in the transaction that it tells of.

CREATE TABLE chaos.batch_history (
    place           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id        uuid NOT NULL,
    status          text NOT NULL,
    progress        integer NOT NULL,
    attempt         integer NOT NULL,
    committed_items integer,
    total_items     integer,
    at              timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE FUNCTION chaos.note_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos.batch_history (batch_id, status, progress, attempt, committed_items, total_items)
    SELECT NEW.batch_id, NEW.status, NEW.progress, NEW.attempt,
           (SELECT sum(n_cells) FROM batch_chunks AS c
            WHERE c.batch_id = NEW.batch_id AND c.state IN ('done', 'failed')), NEW.total_items;
    RETURN NULL;
END
$$;
CREATE TRIGGER chaos_note AFTER INSERT OR UPDATE ON batch_jobs FOR EACH ROW
    WHEN (NEW.job_type <> 'ondemand_risk_calculation') EXECUTE FUNCTION chaos.note_batch();

CREATE TABLE chaos.chunk_history (
    place    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id uuid NOT NULL,
    chunk_no integer NOT NULL,
    state    text NOT NULL,
    attempt  integer NOT NULL,
    worker   text,
    error    text,
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE FUNCTION chaos.note_chunk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos.chunk_history (batch_id, chunk_no, state, attempt, worker, error)
    VALUES (NEW.batch_id, NEW.chunk_no, NEW.state, NEW.attempt, NEW.worker, NEW.error);
    RETURN NULL;
END
$$;
CREATE TRIGGER chaos_note AFTER UPDATE ON batch_chunks
    FOR EACH ROW WHEN ((OLD.state, OLD.attempt) IS DISTINCT FROM (NEW.state, NEW.attempt))
    EXECUTE FUNCTION chaos.note_chunk();

-- ---------------------------------------------------------------------------------------------------------------
-- The undisturbed run

CREATE FUNCTION chaos.content(result probability_packed) RETURNS text LANGUAGE sql IMMUTABLE
RETURN md5((to_jsonb(result) - '{batch_id,calculated_at}'::text[])::text);
CREATE FUNCTION chaos.content(result hazard_packed) RETURNS text LANGUAGE sql IMMUTABLE
RETURN md5((to_jsonb(result) - '{batch_id,calculated_at}'::text[])::text);

CREATE VIEW chaos.results AS
SELECT 'probability' AS kind, grid_id, risk_type, batch_id, calculated_at, chaos.content(p) AS content
FROM probability_packed AS p
UNION ALL
SELECT 'hazard', grid_id, risk_type, batch_id, calculated_at, chaos.content(h) FROM hazard_packed AS h;

CREATE TABLE chaos.reference (
    kind      text NOT NULL,
    grid_id   integer NOT NULL,
    risk_type text NOT NULL,
    content   text NOT NULL,
    PRIMARY KEY (kind, grid_id, risk_type)
);

-- ---------------------------------------------------------------------------------------------------------------
-- Holds

-- How long a chunk's writing takes, and by what share of it that varies either way: as on a busy disk, so that faults meet
-- chunks at every step. And how long a row of a request's steps takes on average.
CREATE TABLE chaos.pace (seconds float8 NOT NULL, spread float8 NOT NULL, step_seconds float8 NOT NULL DEFAULT 0);
INSERT INTO chaos.pace VALUES (0.05, 1);

-- A gate is a lock that whoever passes takes for a moment; a test that holds it has closed the gate.
CREATE FUNCTION chaos.pass(gate text) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    SELECT pg_advisory_xact_lock_shared(hashtext('chaos gate'), hashtext(gate));
END;

-- A fault that the server reports: so many times, an error with this code, in the writing of a chunk or in some steps of
-- a request. Counted by a sequence, which a rollback does not turn back.
CREATE TABLE chaos.failing (sqlstate text NOT NULL, times integer NOT NULL, steps text[] NOT NULL DEFAULT '{write}');
CREATE SEQUENCE chaos.failed;

CREATE FUNCTION chaos.writing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fault chaos.failing;
BEGIN
    PERFORM pg_sleep(seconds * (1 + spread * (2 * random() - 1))) FROM chaos.pace;
    PERFORM chaos.pass('write');
    SELECT * INTO fault FROM chaos.failing WHERE 'write' = ANY (steps);
    IF FOUND AND nextval('chaos.failed') <= fault.times THEN
        RAISE EXCEPTION 'a fault of the test' USING ERRCODE = fault.sqlstate;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER chaos_writing AFTER INSERT ON probability_packed FOR EACH STATEMENT EXECUTE FUNCTION chaos.writing();

CREATE FUNCTION chaos.committing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM chaos.pass('commit');
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER chaos_committing AFTER UPDATE ON batch_chunks DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'done' AND OLD.state <> 'done') EXECUTE FUNCTION chaos.committing();

CREATE FUNCTION chaos.finishing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM chaos.pass('finish');
    RETURN NEW;
END
$$;
CREATE TRIGGER chaos_finishing BEFORE UPDATE ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.status = 'doing' AND NEW.status = 'succeeded'
                       AND NEW.task_name IN ('risk_chunk', 'ondemand_risk', 'cell_results'))
    EXECUTE FUNCTION chaos.finishing();
