-- Indicators by the batch: yearly and monthly figures of all cells that have daily or monthly series, computed in chunks
-- by the same engine as the results, for grids that are too large to be derived while their files are loaded.

INSERT INTO job_type (job_type, task, queue) VALUES ('indicators', 'indicators_batch', 'control');

-- ---------------------------------------------------------------------------------------------------------------
-- What was computed, and what a file has given

ALTER TABLE dataset ADD COLUMN computed text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN dataset.computed IS
    'Variables whose series under this data set were computed from others; one of any other variable stands as it was '
    'given, and no batch computes over it.';

-- Of what was loaded before: a file that brought days or months has had its indicators computed; tracks have their winds.
UPDATE dataset AS d SET computed = made.variables
FROM (
    SELECT c.dataset_id, array_agg(DISTINCT c.variable) AS variables,
           bool_or(v.cadence = 'daily') AS has_days
    FROM climate_data AS c JOIN climate_variable AS v USING (variable)
    GROUP BY c.dataset_id
) AS made
WHERE made.dataset_id = d.dataset_id
  AND (made.has_days OR (d.source <> 'long CSV file' AND made.variables <@ '{max_site_wind,s_tc,wsi}'));
UPDATE dataset SET computed = ARRAY(
    SELECT name FROM unnest(computed) AS name JOIN climate_variable AS v ON v.variable = name WHERE v.cadence <> 'daily')
WHERE computed <> '{}';

ALTER TABLE cell_computed DROP CONSTRAINT cell_computed_kind_check;
ALTER TABLE cell_computed ADD CONSTRAINT cell_computed_kind_check CHECK (kind IN ('probability', 'hazard', 'indicators'));

-- One hash for what a cell's indicators follow from. Its own climate series are in it, the indicators among them: the
-- hash is taken when they have been written.
CREATE FUNCTION cell_indicators_hash(cell location_grid, method_version text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substring(sha256(convert_to(
    ROW('indicators', cell.climate_version, cell.elevation_m, cell.basin_id, method_version)::text, 'UTF8')) FOR 16);

-- Lock cells, in one order, so that of two who write their series the second waits for the first to commit.
CREATE FUNCTION hold_cells(grid_ids integer[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM location_grid WHERE grid_id = ANY (grid_ids) ORDER BY grid_id FOR NO KEY UPDATE;
END
$$;

-- The same for cells whose indicators have been computed; refused when one is not as it was read.
CREATE FUNCTION hold_unchanged_cells(grid_ids integer[], hashes bytea[], method_version text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    changed integer;
BEGIN
    PERFORM hold_cells(grid_ids);
    -- A new statement: what it sees was committed before the cells were locked.
    SELECT given.grid_id INTO changed
    FROM unnest(grid_ids, hashes) AS given (grid_id, hash)
    LEFT JOIN location_grid AS cell ON cell.grid_id = given.grid_id
    WHERE cell_indicators_hash(cell, method_version) IS DISTINCT FROM given.hash
    ORDER BY 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the inputs of cell % changed while its indicators were computed', changed
            USING ERRCODE = 'serialization_failure';
    END IF;
END
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- Asking

CREATE OR REPLACE FUNCTION batch_families(job_type text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE job_type
    WHEN 'probability' THEN '{probability}'::text[]
    WHEN 'hazard' THEN '{hazard}'::text[]
    WHEN 'assessment' THEN '{hazard,probability}'::text[]
    WHEN 'indicators' THEN '{indicators}'::text[]
    ELSE '{}'::text[]
END;

-- The families that must be still while a batch of this type is active: its own; and as indicators are what results are
-- computed from, those of the results too.
CREATE FUNCTION families_kept_still(job_type text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE job_type WHEN 'indicators' THEN '{hazard,indicators,probability}'::text[] ELSE batch_families(job_type) END;

-- As before, but by families_kept_still.
CREATE OR REPLACE FUNCTION refuse_second_active_batch(p_batch_id uuid, p_job_type text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    family text;
    active batch_jobs;
BEGIN
    IF batch_families(p_job_type) = '{}' THEN  -- else every request would look at every other one that waits
        RETURN;
    END IF;
    FOREACH family IN ARRAY families_kept_still(p_job_type) LOOP
        PERFORM pg_advisory_xact_lock(hashtext('aiops batch family'), hashtext(family));
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

-- The parameters of an indicators batch: those of a yearly batch, without what concerns results.
CREATE FUNCTION normalise_indicators_params(params jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    key text;
BEGIN
    IF jsonb_typeof(params) = 'object' THEN
        FOR key IN SELECT * FROM jsonb_object_keys(params) LOOP
            PERFORM refuse_unless_key(key, '{scenarios,cells,bbox,force}');
        END LOOP;
    END IF;
    RETURN normalise_batch_params(params);
END
$$;

CREATE OR REPLACE FUNCTION normalise_job_params(job_type text, params jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE job_type
        WHEN 'ondemand_risk_calculation' THEN normalise_request_params(params)
        WHEN 'portfolio_risk_calculation' THEN normalise_portfolio_params(params)
        WHEN 'indicators' THEN normalise_indicators_params(params)
        WHEN 'test' THEN params
        ELSE normalise_batch_params(params)
    END;
END
$$;

-- Start a yearly batch. The active one of the same kind is answered with, if it asks the same.
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

-- ---------------------------------------------------------------------------------------------------------------
-- Planning

-- Daily series are a hundred times as long as yearly ones: chunks of indicators are small, and the number of their cells
-- is a matter of memory. Of the other types: so many that each process has several and progress moves, but no fewer than
-- cost little beside what each chunk costs by itself (some 25 ms); and no more than take two seconds.
CREATE OR REPLACE FUNCTION chunk_size(job_type text, n_cells integer, most_cells integer) RETURNS integer
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN chunk_size.job_type = 'indicators'
        THEN greatest(1, least(most_cells, ceil(n_cells / 8.0)::integer))
        ELSE greatest(1, least(most_cells,
                               greatest(25, least(250, ceil(n_cells / 8.0)::integer), ceil(n_cells / 400.0)::integer),
                               floor(2.0 / nullif(last.seconds_per_cell, 0))::integer)) END
    FROM (SELECT 1) AS one
    LEFT JOIN LATERAL (
        SELECT (SELECT sum(taken::float8) FROM jsonb_each_text(b.results -> 'compute_seconds') AS s (step, taken))
               / nullif((b.results ->> 'cells')::float8, 0) AS seconds_per_cell
        FROM batch_jobs AS b
        WHERE b.job_type = chunk_size.job_type AND b.status = 'completed' AND (b.results ->> 'cells')::integer > 0
        ORDER BY b.completed_at DESC LIMIT 1
    ) AS last ON true;
END;

-- The cells of a range from whose series anything follows: those with days or months; and those without the winds of the
-- storms that are known (their files were loaded without).
CREATE FUNCTION cells_to_derive(first integer, last integer) RETURNS TABLE (grid_id integer)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    sources text[] := ARRAY(SELECT variable FROM climate_variable WHERE cadence IN ('daily', 'monthly'));
    storms_are_known boolean := EXISTS (SELECT FROM best_track_year);
BEGIN
    RETURN QUERY
    SELECT c.grid_id FROM climate_data AS c
    WHERE c.variable = ANY (sources) AND c.grid_id BETWEEN first AND last
    UNION
    SELECT cell.grid_id FROM location_grid AS cell
    WHERE storms_are_known AND cell.has_climate AND cell.grid_id BETWEEN first AND last
      AND NOT EXISTS (SELECT FROM climate_data AS c
                      WHERE c.variable = 'max_site_wind' AND c.grid_id = cell.grid_id AND c.scenario = 'historical');
END
$$;

-- The cells that a batch is about, and whether all that it asks of them stands already.
CREATE OR REPLACE FUNCTION cells_asked_for(job_type text, params jsonb, method_version text, damage_set text)
RETURNS TABLE (grid_id integer, is_current boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    box jsonb := params -> 'bbox';
    cells integer[];
    risks text[];
    shared bigint := (SELECT version FROM input_version);
BEGIN
    IF params ? 'cells' THEN
        cells := ARRAY(SELECT e::integer FROM jsonb_array_elements_text(params -> 'cells') AS e);
    END IF;
    risks := CASE WHEN params ? 'risk_types'
        THEN ARRAY(SELECT jsonb_array_elements_text(params -> 'risk_types'))
        ELSE ARRAY(SELECT risk_type FROM risk_type) END;
    IF job_type = 'indicators' THEN
        RETURN QUERY
        SELECT cell.grid_id, coalesce(computed.input_hash = cell_indicators_hash(cell, method_version), false)
        FROM location_grid AS cell
        LEFT JOIN cell_computed AS computed ON computed.kind = 'indicators' AND computed.grid_id = cell.grid_id
        WHERE cell.has_climate
          AND (cells IS NULL OR cell.grid_id = ANY (cells))
          AND (box IS NULL OR (cell.longitude BETWEEN (box ->> 0)::float8 AND (box ->> 2)::float8
                               AND cell.latitude BETWEEN (box ->> 1)::float8 AND (box ->> 3)::float8))
          AND cell.grid_id IN (SELECT d.grid_id FROM cells_to_derive(1, 451351) AS d);
        RETURN;
    END IF;
    RETURN QUERY
    SELECT cell.grid_id,
           -- The hash only where there is something to compare it with: it is the costly part.
           bool_and(CASE WHEN computed.risk_types @> risks
                         THEN computed.input_hash = cell_input_hash(cell, shared, method_version, damage_set)
                         ELSE false END)
    FROM location_grid AS cell
    CROSS JOIN LATERAL unnest(batch_families(job_type)) AS family (kind)
    LEFT JOIN cell_computed AS computed ON computed.kind = family.kind AND computed.grid_id = cell.grid_id
    WHERE cell.has_climate
      AND (cells IS NULL OR cell.grid_id = ANY (cells))
      AND (box IS NULL OR (cell.longitude BETWEEN (box ->> 0)::float8 AND (box ->> 2)::float8
                           AND cell.latitude BETWEEN (box ->> 1)::float8 AND (box ->> 3)::float8))
    GROUP BY cell.grid_id;
END
$$;

-- As before, but for the words about indicators.
CREATE OR REPLACE FUNCTION yearly_outcome(batch batch_jobs, chunks chunk_totals) RETURNS batch_outcome
LANGUAGE sql STABLE
RETURN ROW(
    jsonb_build_object(
        'cells', chunks.items, 'skipped', batch.skipped_items, 'rows', chunks.rows, 'chunks', chunks.total,
        'chunks_failed', chunks.failed, 'compute_seconds', chunks.seconds),
    batch.warnings
        || CASE WHEN chunks.total > 0 OR batch.skipped_items > 0 THEN '[]'::jsonb
                WHEN batch.job_type = 'indicators'
                THEN '["no cell has daily or monthly series in what was asked for: nothing was computed"]'::jsonb
                ELSE '["no cell has climate data in what was asked for: nothing was computed"]'::jsonb END
        || CASE WHEN chunks.without_result = 0 THEN '[]'::jsonb
                WHEN batch.job_type = 'indicators'
                THEN jsonb_build_array(format('%s of %s cells have no year or month complete enough for any indicator',
                     chunks.without_result, chunks.items))
                ELSE jsonb_build_array(format('%s of %s cells lack the data for at least one result (see status '
                     'and reason of the results)', chunks.without_result, chunks.items)) END,
    CASE WHEN chunks.failed > 0
         THEN format('%s of %s chunks failed; first: %s', chunks.failed, chunks.total, chunks.error) END,
    batch.error_stack_trace)::batch_outcome;

-- ---------------------------------------------------------------------------------------------------------------
-- Rights

-- The daemon writes what it computes, and names its data sets. Which cells have climate data it notes with the owner's
-- rights, and so it locks cells.
DELETE FROM role_right
WHERE role_name = 'aiops_worker' AND object_name IN ('climate_data', 'dataset', 'evapotranspiration_method');
INSERT INTO crossing_function (function_name) VALUES ('climate_data_changed'), ('hold_cells');
