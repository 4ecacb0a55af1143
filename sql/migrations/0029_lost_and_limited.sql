-- What a batch of some projections left is no whole result; planning that fails is told; a portfolio without any answer
-- can be run again; of many lost jobs none is taken from a living worker.

-- ---------------------------------------------------------------------------------------------------------------
-- Results of some projections

-- As before, but that a projection that nobody has computed (absent, and the risk not noted as computed whole from what
-- there is now) is missing, as is a result that is not there: a batch of some scenarios or horizons leaves such rows.
CREATE OR REPLACE FUNCTION site_inputs_of(
    question jsonb, site jsonb, within_m float8, method_version text, p_damage_set text
) RETURNS site_inputs
LANGUAGE plpgsql STABLE AS $$
DECLARE
    made site_inputs;
    cell location_grid;
    shared bigint;
    cell_hash bytea;
    base_id smallint := (SELECT p.projection_id FROM projection AS p WHERE p.target_year IS NULL);
    wanted text[] := ARRAY(SELECT jsonb_array_elements_text(question -> 'risk_types'));
    by_risk record;
BEGIN
    made.grid_id := grid_id_of((site ->> 'latitude')::float8, (site ->> 'longitude')::float8);
    SELECT p.projection_id INTO made.projection_id FROM projection AS p
    WHERE p.scenario = question ->> 'scenario'
      AND p.target_year IS NOT DISTINCT FROM (question ->> 'target_year')::smallint;
    SELECT * INTO cell FROM location_grid AS g WHERE g.grid_id = made.grid_id;
    made.has_climate := coalesce(cell.has_climate, false);
    made.surroundings := jsonb_build_object(
        'elevation_m', cell.elevation_m, 'slope', cell.slope, 'coast_distance_m', cell.coast_distance_m,
        'river_distance_m', cell.river_distance_m, 'river_elevation_m', cell.river_elevation_m,
        'forest_distance_m', cell.forest_distance_m, 'impervious_ratio', cell.impervious_ratio, 'crest_m', cell.crest_m);
    SELECT b.building, b.source INTO made.building, made.building_source FROM building_of(site, within_m) AS b;
    SELECT jsonb_strip_nulls(jsonb_build_object('admin_code', a.admin_code, 'name', a.name, 'name_ko', a.name_ko,
                                                'population', a.population, 'year', a.population_year))
    INTO made.population FROM location_admin AS a WHERE a.admin_code = cell.admin_code;

    SELECT version INTO shared FROM input_version;
    cell_hash := cell_input_hash(cell, shared, method_version, p_damage_set);
    SELECT coalesce(array_agg(w.risk ORDER BY w.place) FILTER (
               WHERE h.grid_id IS NULL OR p.grid_id IS NULL OR p.damage_set <> p_damage_set
                  OR (0 IN (h.status[made.projection_id], h.status[base_id])
                      AND (w.risk = ANY (hc.risk_types) AND hc.input_hash = cell_hash) IS NOT TRUE)
                  OR (0 IN (p.status[made.projection_id], p.status[base_id])
                      AND (w.risk = ANY (pc.risk_types) AND pc.input_hash = cell_hash) IS NOT TRUE)), '{}') AS missing,
           coalesce(array_agg(w.risk ORDER BY w.place) FILTER (
               WHERE h.input_hash <> cell_hash OR p.input_hash <> cell_hash), '{}') AS stale,
           jsonb_agg(DISTINCT h.batch_id) AS hazard,
           jsonb_agg(DISTINCT p.batch_id) AS probability
    INTO by_risk
    FROM unnest(wanted) WITH ORDINALITY AS w (risk, place)
    LEFT JOIN hazard_packed AS h ON h.grid_id = made.grid_id AND h.risk_type = w.risk
    LEFT JOIN probability_packed AS p ON p.grid_id = made.grid_id AND p.risk_type = w.risk
    LEFT JOIN cell_computed AS hc ON hc.kind = 'hazard' AND hc.grid_id = made.grid_id
    LEFT JOIN cell_computed AS pc ON pc.kind = 'probability' AND pc.grid_id = made.grid_id;
    made.missing := by_risk.missing;
    made.stale := by_risk.stale;
    made.inputs := jsonb_build_object('climate', cell.climate_version, 'shared', shared,
                                      'hazard', by_risk.hazard, 'probability', by_risk.probability);
    made.answer_hash := sha256(convert_to(ROW(
        question - '{notify,force,latitude,longitude,insurance_rate,asset_value,building,sites}'::text[],
        site - '{building,site_id,notify,force}'::text[], made.surroundings, made.building, made.population, made.inputs,
        method_version, p_damage_set)::text, 'UTF8'));
    RETURN made;
END
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- One batch of a family at a time

-- As before, but that the families' rows are changed instead of a lock being taken: to who waited for a lock in a
-- transaction with a snapshot of its own (REPEATABLE READ), the other's batch would not be there. Now that one is told
-- to begin again (40001).
CREATE OR REPLACE FUNCTION refuse_second_active_batch(p_batch_id uuid, p_job_type text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    family text;
    active batch_jobs;
BEGIN
    IF batch_families(p_job_type) = '{}' THEN  -- else every request would look at every other one that waits
        RETURN;
    END IF;
    FOREACH family IN ARRAY families_kept_still(p_job_type) LOOP  -- in the order of the alphabet
        UPDATE job_type AS t SET task = t.task WHERE t.job_type = family;
    END LOOP;
    SELECT * INTO active FROM batch_jobs AS other
    WHERE other.status IN ('queued', 'running')
      AND other.batch_id <> p_batch_id
      AND families_kept_still(other.job_type) && families_kept_still(p_job_type)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'another batch is active already: %', active.job_type
            USING ERRCODE = 'unique_violation',
                  DETAIL = format('batch_id %s, %s, %s %%', active.batch_id, active.status, active.progress),
                  HINT = 'Wait for it, or cancel it: SELECT cancel_batch(batch_id).';
    END IF;
END
$$;

-- As before, with the same rows in place of the lock: who comes second joins a batch that is not committed yet.
CREATE OR REPLACE FUNCTION start_batch(job_type text, input_params jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    family text;
    normal jsonb;
    started uuid;
BEGIN
    IF batch_families(start_batch.job_type) <> '{}' THEN
        normal := normalise_job_params(start_batch.job_type, start_batch.input_params);
        FOREACH family IN ARRAY families_kept_still(start_batch.job_type) LOOP
            UPDATE job_type AS t SET task = t.task WHERE t.job_type = family;
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

-- ---------------------------------------------------------------------------------------------------------------
-- Run again

-- As before, but that all of a failed batch is run again where no chunk of it has failed: a portfolio in which no site
-- had an answer, such as before its places had climate data.
CREATE OR REPLACE FUNCTION retry_any_batch(batch_id uuid) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    batch batch_jobs;
    chunk record;
    again text := 'failed';
    n_items integer := 0;
    n_chunks integer := 0;
BEGIN
    -- The chunk rows before the batch's row, as everywhere.
    PERFORM FROM batch_chunks AS c WHERE c.batch_id = retry_any_batch.batch_id AND c.state = 'failed'
    ORDER BY c.chunk_no FOR UPDATE;
    IF NOT FOUND THEN
        again := 'done';
        PERFORM FROM batch_chunks AS c WHERE c.batch_id = retry_any_batch.batch_id AND c.state = 'done'
        ORDER BY c.chunk_no FOR UPDATE;
    END IF;
    SELECT * INTO batch FROM batch_jobs AS b WHERE b.batch_id = retry_any_batch.batch_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % does not exist', retry_any_batch.batch_id USING ERRCODE = 'no_data_found';
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
    IF again = 'done' THEN
        UPDATE portfolio_site AS s SET reason = NULL WHERE s.batch_id = batch.batch_id AND s.reason IS NOT NULL;
    END IF;
    FOR chunk IN SELECT * FROM batch_chunks AS c WHERE c.batch_id = batch.batch_id AND c.state = again LOOP
        UPDATE batch_chunks AS c SET
            state = 'waiting', completed_at = NULL, tries = 0, summary = NULL,
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
        completed_items = b.completed_items - n_items, failed_items = greatest(0, b.failed_items - n_items),
        open_chunks = n_chunks
    WHERE b.batch_id = batch.batch_id;
    INSERT INTO batch_job_logs (batch_id, job_type, started_at, status, total_grids)
    VALUES (batch.batch_id, batch.job_type, clock_timestamp(), 'running', n_items);
    IF n_chunks = 0 THEN
        PERFORM conclude_batch(batch.batch_id);
    END IF;
    RETURN n_chunks;
END
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- Lost jobs

COMMENT ON COLUMN batch_jobs.tries IS
    'Of a request, and of any batch until it is planned: processes that ended over it since it was last put on the queue '
    'by a person. Failures that pass, and processes that were asked to stop, do not count.';

-- As before, but that planning, too, is given up only for the processes that ended over it, and that this is logged and
-- told as every end is.
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
    WHEN coalesce(batch.tries, job.attempts + 1) >= most_tries THEN  -- a job that came first may have no batch yet
        PERFORM fail_request(batch.batch_id, NULL,
            format('the process that planned it ended %s times', batch.tries), NULL);
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

-- Jobs whose worker is silent, whose chunk's lease has run out, or whose work is done while the note that it is got lost.
CREATE FUNCTION lost_jobs(silent_for interval) RETURNS TABLE (job_id bigint)
LANGUAGE sql STABLE AS $$
    SELECT j.id
    FROM procrastinate_jobs AS j
    LEFT JOIN procrastinate_workers AS w ON w.id = j.worker_id
    LEFT JOIN batch_chunks AS c ON c.job_id = j.id
    WHERE j.status = 'doing'
      AND (w.id IS NULL OR w.last_heartbeat < clock_timestamp() - silent_for
           OR (c.state = 'running' AND c.lease_until < clock_timestamp())
           OR (c.state IN ('done', 'failed', 'cancelled') AND c.completed_at < clock_timestamp() - silent_for))
$$;

-- The session that holds the row of a lost job, or keeps all others from the results as one that computes a cell of a
-- request does, where it has waited for its client for a while. The server by itself ends a transaction that is idle, but
-- no COPY that waits for its next part: the network answers for a process that is stopped.
CREATE FUNCTION end_silent_holders(p_job procrastinate_jobs) RETURNS void
LANGUAGE sql AS $$
    SELECT pg_terminate_backend(a.pid, 1000)
    FROM (SELECT l.pid
          FROM (SELECT c.xmax FROM batch_chunks AS c WHERE c.job_id = p_job.id
                UNION SELECT b.xmax FROM batch_jobs AS b WHERE b.batch_id = (p_job.args ->> 'batch_id')::uuid
                UNION SELECT b.xmax FROM batch_jobs AS b WHERE b.origin_job_id = p_job.id) AS row_lock(holder)
          JOIN pg_locks AS l ON l.locktype = 'transactionid' AND l.granted AND l.transactionid = row_lock.holder
          UNION
          SELECT l.pid
          FROM pg_locks AS l
          JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
          WHERE l.locktype = 'advisory' AND l.mode = 'ExclusiveLock' AND l.granted AND l.objsubid = 1
            AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtext('aiops results')) AS held
    JOIN pg_stat_activity AS a ON a.pid = held.pid
    WHERE a.application_name LIKE 'aiops %' AND a.wait_event_type = 'Client'
      AND a.state_change < clock_timestamp() - interval '5 seconds'
$$;

-- As before, but that each job is looked at again once it is held: who waited for the one before may find that another
-- daemon has handed it back meanwhile, and that a living worker has it. A round ends with a job that is failed: that
-- holds the batch's row, and the chunks of jobs to come are taken before it, as everywhere.
CREATE OR REPLACE FUNCTION rescue_jobs(silent_for interval, most_tries integer)
RETURNS TABLE (job_id bigint, task_name text, args jsonb, outcome text)
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
    job procrastinate_jobs;
    lost bigint;
BEGIN
    FOREACH lost IN ARRAY ARRAY(SELECT l.job_id FROM lost_jobs(silent_for) AS l ORDER BY 1) LOOP
        SELECT * INTO job FROM procrastinate_jobs AS j WHERE j.id = lost AND j.status = 'doing' FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        PERFORM FROM lost_jobs(silent_for) AS l WHERE l.job_id = lost;
        CONTINUE WHEN NOT FOUND;
        job_id := job.id;
        task_name := job.task_name;
        args := job.args;
        BEGIN
            PERFORM end_silent_holders(job);
            UPDATE batch_chunks AS c SET tries = c.tries + 1 WHERE c.job_id = job.id AND c.state = 'running';
            -- Not the row of a batch that is planned: nobody who holds it waits for a chunk's.
            IF job.task_name NOT IN ('risk_chunk', 'send_webhook', 'send_email') THEN
                UPDATE batch_jobs AS b SET tries = b.tries + 1
                WHERE (b.status = 'queued' OR (b.status = 'running' AND b.total_chunks IS NULL))
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
        EXIT WHEN outcome = 'failed';
    END LOOP;
END
$$;

-- Who waits for a lock of the queue is found without looking at every job that waits.
CREATE INDEX aiops_jobs_waiting_for_lock ON procrastinate_jobs (lock, priority DESC, id)
    WHERE status = 'todo' AND lock IS NOT NULL;

-- A worker that leaves takes its name off its jobs: without an index each would mean to read them all.
CREATE INDEX aiops_jobs_of_worker ON procrastinate_jobs (worker_id) WHERE worker_id IS NOT NULL;
