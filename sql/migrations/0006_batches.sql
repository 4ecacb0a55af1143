-- Batch jobs: asked for by INSERT, run by the daemon, followed by anyone.
--
-- Lock order, everywhere: chunk row before batch row, and nobody who holds a batch row waits for a chunk row.

CREATE TABLE batch_jobs (
    batch_id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    job_type                   text NOT NULL,
    status                     text NOT NULL DEFAULT 'queued'
                               CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    progress                   smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    current_step               text,
    total_items                integer,
    completed_items            integer NOT NULL DEFAULT 0,
    failed_items               integer NOT NULL DEFAULT 0,
    skipped_items              integer NOT NULL DEFAULT 0,
    total_chunks               integer,
    open_chunks                integer,
    input_params               json NOT NULL DEFAULT '{}',
    input_hash                 text,
    results                    jsonb,
    warnings                   jsonb NOT NULL DEFAULT '[]',
    error_message              text,
    error_stack_trace          text,
    attempt                    integer NOT NULL DEFAULT 0,
    origin_job_id              bigint UNIQUE,
    estimated_duration_minutes float8,
    actual_duration_seconds    float8 GENERATED ALWAYS AS (extract(epoch FROM completed_at - started_at)) STORED,
    created_at                 timestamptz NOT NULL DEFAULT now(),
    started_at                 timestamptz,
    updated_at                 timestamptz NOT NULL DEFAULT now(),
    completed_at               timestamptz,
    created_by                 text NOT NULL DEFAULT session_user,
    CHECK ((status = 'completed') = (progress = 100)),
    CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL))
);
COMMENT ON TABLE batch_jobs IS
    'One row per thing asked for. INSERT (job_type, input_params) starts it; a rollback takes it back.';
COMMENT ON COLUMN batch_jobs.input_params IS
    'What was asked, in normal form. json, not jsonb: jsonb drops duplicate keys before anybody could refuse them.';
COMMENT ON COLUMN batch_jobs.progress IS '0 to 100; 100 exactly when completed; never goes back.';
COMMENT ON COLUMN batch_jobs.total_items IS 'Cells of a yearly batch that are computed.';
COMMENT ON COLUMN batch_jobs.skipped_items IS 'Cells whose inputs, method and parameters are those of their last result.';
COMMENT ON COLUMN batch_jobs.input_hash IS 'Equal for requests that ask the same.';
COMMENT ON COLUMN batch_jobs.origin_job_id IS 'The queue''s job that made this row, when a job came first.';
COMMENT ON COLUMN batch_jobs.estimated_duration_minutes IS 'From the rate of the last completed run of this type.';

CREATE INDEX batch_jobs_active_idx ON batch_jobs (job_type) WHERE status IN ('queued', 'running');
CREATE INDEX batch_jobs_created_idx ON batch_jobs (created_at DESC);

CREATE TABLE batch_chunks (
    batch_id      uuid NOT NULL,
    chunk_no      integer NOT NULL,
    first_grid_id integer NOT NULL,
    last_grid_id  integer NOT NULL,
    n_cells       integer NOT NULL CHECK (n_cells > 0),
    cells         integer[],
    state         text NOT NULL DEFAULT 'waiting'
                  CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    job_id        bigint,
    attempt       integer NOT NULL DEFAULT 0,
    tries         integer NOT NULL DEFAULT 0,
    lease_until   timestamptz,
    worker        text,
    rows_written  integer,
    cells_without_result integer,
    seconds       jsonb,
    error         text,
    started_at    timestamptz,
    completed_at  timestamptz,
    PRIMARY KEY (batch_id, chunk_no)
);
COMMENT ON TABLE batch_chunks IS
    'The parts of a yearly batch: ranges of cells, each computed and written in one transaction. attempt is the fence: '
    'only the latest claim of a chunk may write.';
COMMENT ON COLUMN batch_chunks.seconds IS 'Seconds by step: read, compute, write.';

COMMENT ON COLUMN batch_chunks.cells IS 'Only these cells of the range; NULL: all that have climate data.';
COMMENT ON COLUMN batch_chunks.tries IS 'Claims since the chunk was last put on the queue by a person.';
COMMENT ON COLUMN batch_chunks.job_id IS 'The queue''s job that computes it.';
COMMENT ON COLUMN batch_chunks.lease_until IS 'A claim is taken to be lost after this.';

CREATE INDEX batch_chunks_open_idx ON batch_chunks (batch_id, chunk_no) WHERE state IN ('waiting', 'running');
CREATE INDEX batch_chunks_job_idx ON batch_chunks (job_id);

CREATE TABLE batch_job_logs (
    log_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id        uuid NOT NULL,
    job_type        text NOT NULL,
    step            text,
    started_at      timestamptz NOT NULL DEFAULT now(),
    completed_at    timestamptz,
    duration        interval GENERATED ALWAYS AS (completed_at - started_at) STORED,
    status          text NOT NULL,
    total_grids     integer,
    processed_grids integer,
    failed_grids    integer,
    skipped_grids   integer,
    success_rate    float8 GENERATED ALWAYS AS
                    (round(100.0 * (processed_grids - failed_grids) / nullif(processed_grids, 0), 2)::float8) STORED,
    error_message   text
);
COMMENT ON TABLE batch_job_logs IS 'One row per run (step is NULL) and one per step of a run.';
CREATE INDEX batch_job_logs_batch_idx ON batch_job_logs (batch_id);
CREATE INDEX batch_job_logs_started_idx ON batch_job_logs (started_at DESC);

-- ---------------------------------------------------------------------------------------------------------------
-- What may be asked

-- The families that a job type belongs to: of each, one batch is active at a time.
CREATE FUNCTION batch_families(job_type text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE job_type
    WHEN 'probability' THEN '{probability}'::text[]
    WHEN 'hazard' THEN '{hazard}'::text[]
    WHEN 'assessment' THEN '{hazard,probability}'::text[]
    ELSE '{}'::text[]
END;

CREATE FUNCTION refuse_parameter(field text, given text, allowed text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'input_params.%: % is not allowed; allowed: %', field, left(coalesce(given, 'null'), 80), allowed
        USING ERRCODE = 'invalid_parameter_value', COLUMN = field;
END
$$;

-- One risk type by its name or alias; refused by name.
CREATE FUNCTION canonical_risk_type(given text, field text DEFAULT 'risk_types') RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found text;
BEGIN
    SELECT risk_type INTO found FROM risk_type
    WHERE risk_type = lower(btrim(given)) OR lower(btrim(given)) = ANY (aliases);
    IF found IS NULL THEN
        PERFORM refuse_parameter(field, format('%L', given),
            (SELECT string_agg(risk_type, ', ' ORDER BY position) FROM risk_type));
    END IF;
    RETURN found;
END
$$;

-- A list of names as a sorted list of what they stand for (names: a JSON object from lower-case name to that).
CREATE FUNCTION normalise_names(field text, given jsonb, names jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    allowed text := (SELECT string_agg(DISTINCT one, ', ') FROM jsonb_each_text(names) AS n (name, one));
    unknown text;
BEGIN
    IF jsonb_typeof(given) <> 'array' OR jsonb_array_length(given) = 0 THEN
        PERFORM refuse_parameter(field, given::text, 'a list of at least one of ' || allowed);
    END IF;
    SELECT e::text INTO unknown FROM jsonb_array_elements(given) AS e
    WHERE jsonb_typeof(e) <> 'string' OR NOT names ? lower(e #>> '{}') LIMIT 1;
    IF unknown IS NOT NULL THEN
        PERFORM refuse_parameter(field, unknown, allowed);
    END IF;
    RETURN (SELECT jsonb_agg(DISTINCT names ->> lower(e)) FROM jsonb_array_elements_text(given) AS e);
END
$$;

-- The parameters of a yearly batch, checked and in one form (aliases resolved, lists sorted, defaults left out), so
-- that equal requests are equal values. Refuses by the field's name.
CREATE FUNCTION normalise_batch_params(params jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    key text;
    value jsonb;
    normal jsonb := '{}';
BEGIN
    IF jsonb_typeof(params) <> 'object' THEN
        RAISE EXCEPTION 'input_params: a JSON % is not allowed; allowed: an object', jsonb_typeof(params)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR key, value IN SELECT * FROM jsonb_each(params) LOOP
        CASE key
        WHEN 'risk_types' THEN
            IF jsonb_typeof(value) <> 'array' OR jsonb_array_length(value) = 0
               OR EXISTS (SELECT FROM jsonb_array_elements(value) AS e WHERE jsonb_typeof(e) <> 'string') THEN
                PERFORM refuse_parameter(key, value::text, 'a list of at least one risk type''s name');
            END IF;
            normal := normal || jsonb_build_object(key, (
                SELECT jsonb_agg(DISTINCT canonical_risk_type(name)) FROM jsonb_array_elements_text(value) AS name));
        WHEN 'cells' THEN
            IF jsonb_typeof(value) <> 'array' OR jsonb_array_length(value) = 0
               OR EXISTS (SELECT FROM jsonb_array_elements(value) AS e
                          WHERE CASE WHEN jsonb_typeof(e) <> 'number' THEN true
                                     ELSE e::numeric NOT BETWEEN 1 AND 451351 OR e::numeric % 1 <> 0 END) THEN
                PERFORM refuse_parameter(key, value::text, 'a list of at least one grid_id, 1 to 451351');
            END IF;
            normal := normal || jsonb_build_object(key, (
                SELECT jsonb_agg(DISTINCT e::integer ORDER BY e::integer) FROM jsonb_array_elements(value) AS e));
        WHEN 'bbox' THEN
            IF jsonb_typeof(value) <> 'array' OR jsonb_array_length(value) <> 4
               OR EXISTS (SELECT FROM jsonb_array_elements(value) AS e WHERE jsonb_typeof(e) <> 'number') THEN
                PERFORM refuse_parameter(key, value::text, '[west, south, east, north] in degrees');
            END IF;
            IF (value->>0)::numeric > (value->>2)::numeric OR (value->>1)::numeric > (value->>3)::numeric
               OR (value->>0)::numeric < 124.5 OR (value->>2)::numeric > 132
               OR (value->>1)::numeric < 33 OR (value->>3)::numeric > 39 THEN
                PERFORM refuse_parameter(key, value::text,
                    '[west, south, east, north] within 124.5 to 132.0 E and 33.0 to 39.0 N');
            END IF;
            normal := normal || jsonb_build_object(key, value);
        WHEN 'scenarios' THEN
            normal := normal || jsonb_build_object(key, normalise_names(
                key, value, (SELECT jsonb_object_agg(given.name, s.scenario) FROM scenario AS s,
                             LATERAL unnest(s.aliases || s.scenario) AS given (name))));
        WHEN 'horizons' THEN
            normal := normal || jsonb_build_object(key, normalise_names(
                key, value, (SELECT jsonb_object_agg(horizon, horizon) FROM horizon)));
        WHEN 'force' THEN
            IF jsonb_typeof(value) <> 'boolean' THEN
                PERFORM refuse_parameter(key, value::text, 'true or false');
            END IF;
            IF value::boolean THEN
                normal := normal || jsonb_build_object(key, true);
            END IF;
        ELSE
            PERFORM refuse_parameter(key, 'this key', 'risk_types, scenarios, horizons, cells, bbox, force');
        END CASE;
    END LOOP;
    RETURN normal;
END
$$;

CREATE FUNCTION batch_jobs_check() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.job_type NOT IN ('probability', 'hazard', 'assessment', 'test') THEN
        RAISE EXCEPTION 'job_type: ''%'' is not allowed; allowed: probability, hazard, assessment, test',
            left(NEW.job_type, 80)
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'job_type';
    END IF;
    IF NEW.job_type <> 'test' THEN
        NEW.input_params := normalise_batch_params(NEW.input_params::jsonb);
    END IF;
    NEW.input_hash := encode(sha256(convert_to(NEW.job_type || ' ' || NEW.input_params::text, 'UTF8')), 'hex');
    RETURN NEW;
END
$$;
CREATE TRIGGER batch_jobs_check BEFORE INSERT ON batch_jobs
    FOR EACH ROW EXECUTE FUNCTION batch_jobs_check();

-- ---------------------------------------------------------------------------------------------------------------
-- The queue

-- The one place where a job is put on the queue from SQL. Of jobs with the same lock one runs at a time, in order.
CREATE FUNCTION enqueue_job(queue text, task text, args jsonb, priority integer DEFAULT 0, lock text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    ids := procrastinate_defer_jobs_v1(
        ARRAY[ROW(queue, task, priority, lock, NULL, args, NULL)::procrastinate_job_to_defer_v1]);
    RETURN ids[1];
END
$$;

-- One yearly batch of a family at a time; the second in a race waits here for the first to commit.
CREATE FUNCTION refuse_second_active_batch(p_batch_id uuid, p_job_type text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    family text;
    active batch_jobs;
BEGIN
    IF batch_families(p_job_type) = '{}' THEN  -- else every request would look at every other one that waits
        RETURN;
    END IF;
    FOREACH family IN ARRAY batch_families(p_job_type) LOOP
        PERFORM pg_advisory_xact_lock(hashtext('aiops batch family'), hashtext(family));
    END LOOP;
    SELECT * INTO active FROM batch_jobs AS other
    WHERE other.status IN ('queued', 'running')
      AND other.batch_id <> p_batch_id
      AND batch_families(other.job_type) && batch_families(p_job_type)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a % batch is active already', active.job_type
            USING ERRCODE = 'unique_violation',
                  DETAIL = format('batch_id %s, %s, %s %%', active.batch_id, active.status, active.progress),
                  HINT = 'Wait for it, or cancel it: SELECT cancel_batch(batch_id).';
    END IF;
END
$$;

-- AFTER INSERT: a row that ON CONFLICT drops never comes here.
CREATE FUNCTION batch_jobs_enqueue() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_second_active_batch(NEW.batch_id, NEW.job_type);
    IF NEW.job_type <> 'test' AND NEW.origin_job_id IS NULL THEN
        PERFORM enqueue_job('control', NEW.job_type || '_batch', jsonb_build_object('batch_id', NEW.batch_id));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER batch_jobs_enqueue AFTER INSERT ON batch_jobs
    FOR EACH ROW EXECUTE FUNCTION batch_jobs_enqueue();

CREATE FUNCTION batch_jobs_tell() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('aiops_progress', jsonb_build_object(
        'batch_id', NEW.batch_id, 'status', NEW.status, 'progress', NEW.progress, 'step', NEW.current_step)::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER batch_jobs_tell AFTER UPDATE ON batch_jobs
    FOR EACH ROW
    WHEN ((OLD.status, OLD.progress, OLD.current_step) IS DISTINCT FROM (NEW.status, NEW.progress, NEW.current_step))
    EXECUTE FUNCTION batch_jobs_tell();

-- ---------------------------------------------------------------------------------------------------------------
-- The life of a batch

-- Start a yearly batch. The active one of the same kind is answered with, if it asks the same.
CREATE FUNCTION start_batch(job_type text, input_params jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    family text;
    normal jsonb;
    started uuid;
BEGIN
    IF start_batch.job_type IN ('probability', 'hazard', 'assessment') THEN
        normal := normalise_batch_params(start_batch.input_params);
        FOREACH family IN ARRAY batch_families(start_batch.job_type) LOOP
            PERFORM pg_advisory_xact_lock(hashtext('aiops batch family'), hashtext(family));
        END LOOP;
        SELECT batch_id INTO started FROM batch_jobs AS b
        WHERE b.job_type = start_batch.job_type AND b.status IN ('queued', 'running')
          AND b.input_params::jsonb = normal;
    END IF;
    IF started IS NULL THEN
        INSERT INTO batch_jobs (job_type, input_params) VALUES (start_batch.job_type, start_batch.input_params)
        RETURNING batch_id INTO started;
    END IF;
    RETURN started;
END
$$;

-- The row of a batch that a job of the queue came first for (`procrastinate defer probability_batch '{}'`). A second
-- run of the same job finds the row of the first.
CREATE FUNCTION batch_of_job(job_id bigint, job_type text, input_params jsonb) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    found uuid;
BEGIN
    SELECT batch_id INTO found FROM batch_jobs WHERE origin_job_id = job_id;
    IF found IS NULL THEN
        INSERT INTO batch_jobs (job_type, input_params, origin_job_id) VALUES (job_type, input_params, job_id)
        ON CONFLICT (origin_job_id) DO NOTHING RETURNING batch_id INTO found;
    END IF;
    IF found IS NULL THEN
        SELECT batch_id INTO found FROM batch_jobs WHERE origin_job_id = job_id;
    END IF;
    RETURN found;
END
$$;

CREATE FUNCTION batch_status(batch_id uuid)
RETURNS TABLE (batch_id uuid, job_type text, status text, progress smallint, current_step text,
               total_items integer, completed_items integer, failed_items integer, results jsonb, warnings jsonb,
               error_message text, created_at timestamptz, started_at timestamptz, completed_at timestamptz)
LANGUAGE sql STABLE STRICT
BEGIN ATOMIC
    SELECT b.batch_id, b.job_type, b.status, b.progress, b.current_step, b.total_items, b.completed_items,
           b.failed_items, b.results, b.warnings, b.error_message, b.created_at, b.started_at, b.completed_at
    FROM batch_jobs AS b
    WHERE b.batch_id = batch_status.batch_id;
END;

-- Complete a batch whose last chunk has ended; the caller holds its row. Says how long, how many, and what was missing.
CREATE FUNCTION conclude_batch(p_batch_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    chunks record;
    batch batch_jobs;
BEGIN
    SELECT count(*) AS total,
           count(*) FILTER (WHERE state = 'failed') AS failed,
           sum(n_cells) FILTER (WHERE state = 'done') AS cells,
           sum(rows_written) AS rows,
           sum(cells_without_result) AS without_result,
           min(error) FILTER (WHERE state = 'failed') AS error,
           (SELECT jsonb_object_agg(step, total) FROM (
               SELECT step, round(sum(taken::numeric), 3) AS total
               FROM batch_chunks AS c CROSS JOIN LATERAL jsonb_each_text(c.seconds) AS s (step, taken)
               WHERE c.batch_id = p_batch_id GROUP BY step) AS by_step) AS seconds
    INTO chunks
    FROM batch_chunks WHERE batch_id = p_batch_id;

    UPDATE batch_jobs SET
        status = CASE WHEN chunks.failed > 0 THEN 'failed' ELSE 'completed' END,
        progress = CASE WHEN chunks.failed > 0 THEN progress ELSE 100 END,
        current_step = NULL,
        completed_at = clock_timestamp(),
        updated_at = clock_timestamp(),
        results = jsonb_build_object(
            'cells', coalesce(chunks.cells, 0), 'skipped', skipped_items, 'rows', coalesce(chunks.rows, 0), 'chunks', chunks.total,
            'chunks_failed', chunks.failed, 'compute_seconds', coalesce(chunks.seconds, '{}')),
        warnings = warnings
            || CASE WHEN chunks.total = 0 AND skipped_items = 0
                    THEN '["no cell has climate data in what was asked for: nothing was computed"]'::jsonb ELSE '[]' END
            || CASE WHEN chunks.without_result > 0
                    THEN jsonb_build_array(format('%s of %s cells lack the data for at least one result (see status '
                         'and reason of the results)', chunks.without_result, chunks.cells)) ELSE '[]' END,
        error_message = CASE WHEN chunks.failed > 0
            THEN format('%s of %s chunks failed; first: %s', chunks.failed, chunks.total, chunks.error) END
    WHERE batch_id = p_batch_id
    RETURNING * INTO batch;

    UPDATE batch_job_logs SET
        completed_at = batch.completed_at, status = batch.status, total_grids = batch.total_items,
        processed_grids = batch.completed_items, failed_grids = batch.failed_items,
        skipped_grids = batch.skipped_items, error_message = batch.error_message
    WHERE batch_job_logs.batch_id = p_batch_id AND batch_job_logs.completed_at IS NULL;
END
$$;

-- The number of cells in a chunk: so many that progress moves by about a hundredth, at most most_cells, and fewer when
-- the last batch of this type shows that a chunk would last longer than two seconds.
CREATE FUNCTION chunk_size(job_type text, n_cells integer, most_cells integer) RETURNS integer
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT greatest(1, least(most_cells, greatest(25, ceil(n_cells / 100.0)::integer),
                             floor(2.0 / nullif(last.seconds_per_cell, 0))::integer))
    FROM (SELECT 1) AS one
    LEFT JOIN LATERAL (
        SELECT (SELECT sum(taken::float8) FROM jsonb_each_text(b.results -> 'compute_seconds') AS s (step, taken))
               / nullif((b.results ->> 'cells')::float8, 0) AS seconds_per_cell
        FROM batch_jobs AS b
        WHERE b.job_type = chunk_size.job_type AND b.status = 'completed' AND (b.results ->> 'cells')::integer > 0
        ORDER BY b.completed_at DESC LIMIT 1
    ) AS last ON true;
END;

-- Split the cells that a batch is about into chunks, and put one job per chunk on the queue: all in the caller's
-- transaction. Cells that have a result of the same inputs, method and damage set are skipped, unless the batch is
-- forced. A second run of the planning job finds the plan made and makes no other. Returns the number of chunks.
CREATE FUNCTION plan_batch(p_batch_id uuid, most_cells integer, method_version text, damage_set text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    batch batch_jobs;
    params jsonb;
    planning_since timestamptz := clock_timestamp();
    todo integer[];
    size integer;
    n_asked integer;
    n_chunks integer;
    job_ids bigint[];
BEGIN
    SELECT * INTO batch FROM batch_jobs WHERE batch_id = p_batch_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % does not exist', p_batch_id USING ERRCODE = 'no_data_found';
    END IF;
    IF batch.status <> 'queued' THEN
        RETURN coalesce(batch.total_chunks, 0);
    END IF;
    params := batch.input_params;

    SELECT count(*),
           coalesce(array_agg(grid_id ORDER BY grid_id) FILTER (WHERE params ? 'force' OR NOT is_current), '{}')
    INTO n_asked, todo
    FROM cells_asked_for(batch.job_type, params, method_version, damage_set);
    size := chunk_size(batch.job_type, cardinality(todo), most_cells);
    n_chunks := ceil(cardinality(todo)::float8 / size);

    IF n_chunks > 0 THEN
        job_ids := procrastinate_defer_jobs_v1(ARRAY(
            SELECT ROW('compute', 'risk_chunk', 0, NULL, NULL,
                       jsonb_build_object('batch_id', p_batch_id, 'chunk_no', chunk_no),
                       NULL)::procrastinate_job_to_defer_v1
            FROM generate_series(1, n_chunks) AS chunk_no));
        INSERT INTO batch_chunks (batch_id, chunk_no, first_grid_id, last_grid_id, n_cells, cells, job_id)
        SELECT p_batch_id, (place - 1) / size + 1, min(grid_id), max(grid_id), count(*),
               CASE WHEN n_asked > cardinality(todo) OR params ?| '{cells,bbox}'
                    THEN array_agg(grid_id ORDER BY grid_id) END,
               job_ids[(place - 1) / size + 1]
        FROM unnest(todo) WITH ORDINALITY AS cell (grid_id, place)
        GROUP BY (place - 1) / size;
    END IF;
    UPDATE batch_jobs SET
        status = 'running', started_at = planning_since, updated_at = clock_timestamp(), attempt = attempt + 1,
        total_items = cardinality(todo), skipped_items = n_asked - cardinality(todo),
        total_chunks = n_chunks, open_chunks = n_chunks, current_step = 'computing',
        estimated_duration_minutes = (
            SELECT cardinality(todo) * last.actual_duration_seconds / nullif(last.completed_items, 0) / 60
            FROM batch_jobs AS last
            WHERE last.job_type = batch.job_type AND last.status = 'completed' AND last.completed_items > 0
            ORDER BY last.completed_at DESC LIMIT 1)
    WHERE batch_id = p_batch_id;
    INSERT INTO batch_job_logs (batch_id, job_type, step, started_at, completed_at, status, total_grids, skipped_grids)
    VALUES (p_batch_id, batch.job_type, 'plan', planning_since, clock_timestamp(), 'completed', n_asked,
            n_asked - cardinality(todo));
    INSERT INTO batch_job_logs (batch_id, job_type, started_at, status, total_grids, skipped_grids)
    VALUES (p_batch_id, batch.job_type, planning_since, 'running', cardinality(todo), n_asked - cardinality(todo));
    IF n_chunks = 0 THEN
        PERFORM conclude_batch(p_batch_id);
    END IF;
    RETURN n_chunks;
END
$$;

-- Claim a chunk: the new attempt number is the fence that keeps earlier claims from writing. No row: there is nothing
-- to do (the chunk is done, or the batch does not run any more).
CREATE FUNCTION claim_chunk(p_batch_id uuid, p_chunk_no integer, p_worker text, lease interval)
RETURNS TABLE (attempt integer, first_grid_id integer, last_grid_id integer, n_cells integer, cells integer[],
               job_type text, input_params jsonb)
LANGUAGE sql
BEGIN ATOMIC
    UPDATE batch_chunks AS c SET
        state = 'running', attempt = c.attempt + 1, tries = c.tries + 1, worker = p_worker, lease_until = clock_timestamp() + lease,
        started_at = clock_timestamp(), completed_at = NULL, error = NULL
    FROM batch_jobs AS b
    WHERE c.batch_id = p_batch_id AND c.chunk_no = p_chunk_no AND c.state IN ('waiting', 'running')
      AND b.batch_id = c.batch_id AND b.status = 'running'
    RETURNING c.attempt, c.first_grid_id, c.last_grid_id, c.n_cells, c.cells, b.job_type, b.input_params::jsonb;
END;

-- The fence: lock the chunk if this attempt still holds it. The lock lasts until the results are committed; of a process
-- that falls silent in between, the server ends the session, so that nobody waits for it for long.
CREATE FUNCTION hold_chunk(p_batch_id uuid, p_chunk_no integer, p_attempt integer) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('idle_in_transaction_session_timeout', '20s', true);
    PERFORM FROM batch_chunks
    WHERE batch_id = p_batch_id AND chunk_no = p_chunk_no AND attempt = p_attempt AND state = 'running'
    FOR UPDATE;
    RETURN FOUND;
END
$$;

-- The chunk's end, as the last statements of the transaction that wrote its results: the chunk's row first, then the
-- batch's, and only while the batch runs; else false, and the caller rolls everything back.
CREATE FUNCTION finish_chunk(
    p_batch_id uuid, p_chunk_no integer, p_rows_written integer, p_cells_without_result integer, p_seconds jsonb
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    cells integer;
    still_open integer;
BEGIN
    UPDATE batch_chunks SET
        state = 'done', rows_written = p_rows_written, cells_without_result = p_cells_without_result,
        seconds = p_seconds, completed_at = clock_timestamp(), lease_until = NULL
    WHERE batch_id = p_batch_id AND chunk_no = p_chunk_no
    RETURNING n_cells INTO cells;
    UPDATE batch_jobs SET
        completed_items = completed_items + cells,
        open_chunks = open_chunks - 1,
        progress = least(99, 100 * (completed_items + cells) / total_items),
        updated_at = clock_timestamp()
    WHERE batch_id = p_batch_id AND status = 'running'
    RETURNING open_chunks INTO still_open;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF still_open = 0 THEN
        PERFORM conclude_batch(p_batch_id);
    END IF;
    RETURN true;
END
$$;

-- A chunk that an attempt could not compute: back to waiting when it will be tried again, else failed for good. The
-- rest of the batch goes on.
CREATE FUNCTION fail_chunk(
    p_batch_id uuid, p_chunk_no integer, p_attempt integer, p_error text, p_trace text, for_good boolean
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    cells integer;
    batch batch_jobs;
BEGIN
    UPDATE batch_chunks SET
        state = CASE WHEN for_good THEN 'failed' ELSE 'waiting' END,
        error = p_error, lease_until = NULL, completed_at = clock_timestamp()
    WHERE batch_id = p_batch_id AND chunk_no = p_chunk_no AND attempt = p_attempt AND state = 'running'
    RETURNING n_cells INTO cells;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF for_good THEN
        UPDATE batch_jobs SET
            completed_items = completed_items + cells,
            failed_items = failed_items + cells,
            open_chunks = open_chunks - 1,
            progress = least(99, 100 * (completed_items + cells) / total_items),
            error_stack_trace = coalesce(error_stack_trace, p_trace),
            updated_at = clock_timestamp()
        WHERE batch_id = p_batch_id AND status = 'running'
        RETURNING * INTO batch;
        IF FOUND THEN
            INSERT INTO batch_job_logs (batch_id, job_type, step, started_at, completed_at, status, total_grids,
                                        processed_grids, failed_grids, error_message)
            VALUES (p_batch_id, batch.job_type, format('chunk %s', p_chunk_no), clock_timestamp(), clock_timestamp(),
                    'failed', cells, cells, cells, p_error);
            IF batch.open_chunks = 0 THEN
                PERFORM conclude_batch(p_batch_id);
            END IF;
        END IF;
    END IF;
    RETURN true;
END
$$;

-- Cancel a batch that is queued or runs; true when this call did it. Chunks under way find out at their last
-- statement and roll back; what was committed stays. Its waiting jobs leave the queue, so that the processes are free.
-- (Its chunk rows are marked by the sweep: who holds a batch row never waits for a chunk row.)
CREATE FUNCTION cancel_batch(batch_id uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    batch batch_jobs;
BEGIN
    UPDATE batch_jobs AS b SET status = 'cancelled', current_step = NULL,
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
    RETURN true;
END
$$;

-- Run what failed of a failed batch again; the number of chunks, 0 when there is nothing to retry.
CREATE FUNCTION retry_batch(batch_id uuid) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    batch batch_jobs;
    chunk record;
    n_cells integer := 0;
    n_chunks integer := 0;
BEGIN
    -- The chunk rows before the batch's row, as everywhere.
    PERFORM FROM batch_chunks AS c WHERE c.batch_id = retry_batch.batch_id AND c.state = 'failed'
    ORDER BY c.chunk_no FOR UPDATE;
    SELECT * INTO batch FROM batch_jobs AS b WHERE b.batch_id = retry_batch.batch_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % does not exist', retry_batch.batch_id USING ERRCODE = 'no_data_found';
    END IF;
    IF batch.status <> 'failed' OR batch_families(batch.job_type) = '{}' THEN
        RETURN 0;
    END IF;
    PERFORM refuse_second_active_batch(batch.batch_id, batch.job_type);
    IF batch.total_chunks IS NULL THEN  -- it failed before it was planned
        UPDATE batch_jobs AS b SET status = 'queued', completed_at = NULL, error_message = NULL,
            error_stack_trace = NULL, updated_at = clock_timestamp()
        WHERE b.batch_id = batch.batch_id;
        PERFORM enqueue_job('control', batch.job_type || '_batch', jsonb_build_object('batch_id', batch.batch_id));
        RETURN 1;
    END IF;
    FOR chunk IN SELECT * FROM batch_chunks AS c WHERE c.batch_id = batch.batch_id AND c.state = 'failed' LOOP
        UPDATE batch_chunks AS c SET
            state = 'waiting', completed_at = NULL, tries = 0,
            job_id = enqueue_job('compute', 'risk_chunk',
                                 jsonb_build_object('batch_id', batch.batch_id, 'chunk_no', chunk.chunk_no))
        WHERE c.batch_id = batch.batch_id AND c.chunk_no = chunk.chunk_no;
        n_cells := n_cells + chunk.n_cells;
        n_chunks := n_chunks + 1;
    END LOOP;
    UPDATE batch_jobs AS b SET
        status = 'running', completed_at = NULL, error_message = NULL, error_stack_trace = NULL, results = NULL,
        current_step = 'computing', attempt = b.attempt + 1, updated_at = clock_timestamp(),
        completed_items = b.completed_items - n_cells, failed_items = b.failed_items - n_cells, open_chunks = n_chunks
    WHERE b.batch_id = batch.batch_id;
    INSERT INTO batch_job_logs (batch_id, job_type, started_at, status, total_grids)
    VALUES (batch.batch_id, batch.job_type, clock_timestamp(), 'running', n_cells);
    IF n_chunks = 0 THEN
        PERFORM conclude_batch(batch.batch_id);
    END IF;
    RETURN n_chunks;
END
$$;
