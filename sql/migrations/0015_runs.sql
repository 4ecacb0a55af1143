-- Answers to requests: every run stays, and one pointer says which of them speaks for a place.

CREATE TABLE risk_run (
    batch_id         uuid NOT NULL,
    site_no          integer NOT NULL,
    site_id          text,
    latitude         float8 NOT NULL,
    longitude        float8 NOT NULL,
    grid_id          integer NOT NULL,
    projection_id    smallint NOT NULL,
    risk_types       text[] NOT NULL,
    insurance_rate   float8 NOT NULL,
    asset_value      float8,
    building         jsonb NOT NULL,
    building_source  jsonb NOT NULL,
    surroundings     jsonb NOT NULL,
    population       jsonb,
    inputs           jsonb NOT NULL,
    steps            text[],
    method_version   text NOT NULL,
    damage_set       text NOT NULL,
    total_risk_score float8,
    risk_level       text,
    total_aal        float8,
    expected_loss    float8,
    answer_hash      bytea,
    calculated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (batch_id, site_no)
);
COMMENT ON TABLE risk_run IS
    'One row per answered place of a request (site_no 0) or a portfolio (its place in the list): what was asked, and '
    'from which inputs it was answered. Written by the transaction that completes it.';
COMMENT ON COLUMN risk_run.inputs IS 'Versions of the inputs: climate series, shared inputs, the yearly runs read.';
COMMENT ON COLUMN risk_run.answer_hash IS 'Equal for requests whose answer is the same; NULL where it is not reused.';
COMMENT ON COLUMN risk_run.total_aal IS 'Sum of the risks'' final AAL, a fraction of the asset''s value a year.';
CREATE INDEX risk_run_answer_idx ON risk_run (answer_hash) WHERE answer_hash IS NOT NULL;
CREATE INDEX risk_run_place_idx ON risk_run (latitude, longitude, calculated_at);

CREATE TABLE current_run (
    latitude      float8 NOT NULL,
    longitude     float8 NOT NULL,
    projection_id smallint NOT NULL,
    batch_id      uuid NOT NULL,
    site_no       integer NOT NULL,
    PRIMARY KEY (latitude, longitude, projection_id)
);
COMMENT ON TABLE current_run IS
    'The run that speaks for a place, scenario and target year: the last that was answered. Readers of a place see one '
    'run whole, never two mixed.';

CREATE TABLE exposure_results_runs (
    batch_id               uuid NOT NULL,
    site_no                integer NOT NULL,
    risk_type              text NOT NULL,
    exposure_score         float8,
    normalized_asset_value float8,
    proximity_factor       float8,
    defaulted              text[],
    is_default             boolean NOT NULL DEFAULT false,
    status                 text NOT NULL,
    reason                 text,
    calculated_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (batch_id, site_no, risk_type)
);
CREATE TABLE vulnerability_results_runs (
    batch_id            uuid NOT NULL,
    site_no             integer NOT NULL,
    risk_type           text NOT NULL,
    vulnerability_score float8,
    base_score          float8,
    factors             jsonb,
    defaulted           text[],
    is_default          boolean NOT NULL DEFAULT false,
    status              text NOT NULL,
    reason              text,
    calculated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (batch_id, site_no, risk_type)
);
CREATE TABLE aal_scaled_results_runs (
    batch_id                  uuid NOT NULL,
    site_no                   integer NOT NULL,
    risk_type                 text NOT NULL,
    base_aal                  float8,
    base_aal_low              float8,
    base_aal_high             float8,
    vulnerability_factor      float8,
    insurance_rate            float8,
    final_aal                 float8,
    final_aal_low             float8,
    final_aal_high            float8,
    expected_loss             float8,
    baseline_aal              float8,
    aal_change                float8,
    aal_change_low            float8,
    aal_change_high           float8,
    return_period_losses      float8[],
    final_aal_by_projection   float8[],
    status_by_projection      smallint[],
    base_aal_by_projection    float8[],
    base_bounds               float8[],
    bin_probabilities         float8[],
    bin_base_damage_rates     float8[],
    damage_set                text,
    is_default                boolean NOT NULL DEFAULT false,
    status                    text NOT NULL,
    reason                    text,
    calculated_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (batch_id, site_no, risk_type)
);
COMMENT ON COLUMN aal_scaled_results_runs.base_aal IS
    'Of P(H), a fraction of the asset''s value a year; for the sea by the damage curve of the building''s use.';
COMMENT ON COLUMN aal_scaled_results_runs.expected_loss IS 'KRW a year; NULL without an asset value.';
COMMENT ON COLUMN aal_scaled_results_runs.return_period_losses IS
    'Once in 10, 20, 50, 100, 200 years: a fraction of the asset''s value.';
COMMENT ON COLUMN aal_scaled_results_runs.base_bounds IS
    'Of P(H): lower and upper bound of the historical baseline, then of the projection asked for.';
COMMENT ON COLUMN aal_scaled_results_runs.bin_probabilities IS
    'Bins of the historical baseline, then of the projection asked for (of all projections, where the curve goes by the '
    'building''s use); so the base damage rates.';
CREATE TABLE risk_results_runs (
    batch_id                      uuid NOT NULL,
    site_no                       integer NOT NULL,
    risk_type                     text NOT NULL,
    hazard_score_100              float8,
    hazard_level                  text,
    exposure_score                float8,
    vulnerability_score           float8,
    risk_score                    float8,
    risk_level                    text,
    risk_product                  float8,
    contribution_percent          float8,
    final_aal                     float8,
    expected_loss                 float8,
    hazard_by_projection          float8[],
    hazard_status_by_projection   smallint[],
    risk_score_by_projection      float8[],
    is_default                    boolean NOT NULL DEFAULT false,
    status                        text NOT NULL,
    reason                        text,
    calculated_at                 timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (batch_id, site_no, risk_type)
);
COMMENT ON COLUMN risk_results_runs.risk_score IS '0 to 100: the geometric mean of H, E and V on one scale.';
COMMENT ON COLUMN risk_results_runs.risk_product IS 'H × E × V, each on a scale of 0 to 1.';

-- The run that speaks for each place: one row per (place, risk, scenario, target year).
CREATE VIEW exposure_results AS
SELECT run.latitude, run.longitude, run.grid_id, part.risk_type, p.scenario, p.horizon, p.target_year,
       part.exposure_score, part.normalized_asset_value, part.proximity_factor, part.defaulted,
       part.status, part.reason, part.is_default, part.batch_id, part.site_no, part.calculated_at
FROM current_run AS c
JOIN risk_run AS run USING (batch_id, site_no)
JOIN projection AS p ON p.projection_id = c.projection_id
JOIN exposure_results_runs AS part USING (batch_id, site_no);

CREATE VIEW vulnerability_results AS
SELECT run.latitude, run.longitude, run.grid_id, part.risk_type, p.scenario, p.horizon, p.target_year,
       part.vulnerability_score, part.base_score, part.factors, part.defaulted,
       part.status, part.reason, part.is_default, part.batch_id, part.site_no, part.calculated_at
FROM current_run AS c
JOIN risk_run AS run USING (batch_id, site_no)
JOIN projection AS p ON p.projection_id = c.projection_id
JOIN vulnerability_results_runs AS part USING (batch_id, site_no);

CREATE VIEW aal_scaled_results AS
SELECT run.latitude, run.longitude, run.grid_id, part.risk_type, p.scenario, p.horizon, p.target_year,
       part.base_aal, part.base_aal_low, part.base_aal_high, part.vulnerability_factor, part.insurance_rate,
       part.final_aal, part.final_aal_low, part.final_aal_high, part.expected_loss, part.baseline_aal,
       part.aal_change, part.aal_change_low, part.aal_change_high, part.return_period_losses,
       part.status, part.reason, part.is_default, part.batch_id, part.site_no, part.calculated_at
FROM current_run AS c
JOIN risk_run AS run USING (batch_id, site_no)
JOIN projection AS p ON p.projection_id = c.projection_id
JOIN aal_scaled_results_runs AS part USING (batch_id, site_no);

CREATE VIEW risk_results AS
SELECT run.latitude, run.longitude, run.grid_id, part.risk_type, p.scenario, p.horizon, p.target_year,
       part.hazard_score_100, part.hazard_level, part.exposure_score, part.vulnerability_score, part.risk_score,
       part.risk_level, part.risk_product, part.contribution_percent, part.final_aal, part.expected_loss,
       run.total_risk_score, run.risk_level AS total_risk_level, run.total_aal,
       part.status, part.reason, part.is_default, part.batch_id, part.site_no, part.calculated_at
FROM current_run AS c
JOIN risk_run AS run USING (batch_id, site_no)
JOIN projection AS p ON p.projection_id = c.projection_id
JOIN risk_results_runs AS part USING (batch_id, site_no);
COMMENT ON VIEW risk_results IS 'Integrated risk of each place, by the run that speaks for it.';

-- ---------------------------------------------------------------------------------------------------------------
-- What a place is answered from

CREATE FUNCTION age_in_years(built_year integer) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN greatest(0, extract(year FROM now())::integer - built_year);

-- The building of a request: what the register says of the nearest one, field by field overridden by the request.
CREATE FUNCTION building_of(site jsonb, within_m float8, OUT building jsonb, OUT source jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    asked jsonb := coalesce(site -> 'building', '{}');
    found api_buildings;
    known jsonb := '{}';
BEGIN
    SELECT * INTO found FROM building_near((site ->> 'latitude')::float8, (site ->> 'longitude')::float8, within_m);
    IF found.building_id IS NOT NULL THEN
        known := jsonb_strip_nulls(to_jsonb(found))
            - '{building_id,name,latitude,longitude,dataset_id,updated_at,loaded_at}'::text[];
        IF asked ?| '{built_year,age_years}' THEN
            known := known - 'built_year';
        END IF;
    END IF;
    source := jsonb_strip_nulls(jsonb_build_object(
        'building_id', found.building_id,
        'name', found.name,
        'from_register', (SELECT jsonb_agg(k ORDER BY k) FROM jsonb_object_keys(known - ARRAY(SELECT jsonb_object_keys(asked))) AS k),
        'from_request', (SELECT jsonb_agg(k ORDER BY k) FROM jsonb_object_keys(asked) AS k)));
    building := known || asked;
    IF building ? 'built_year' THEN
        building := building || jsonb_build_object('age_years', age_in_years((building ->> 'built_year')::integer));
    END IF;
END
$$;

CREATE TYPE site_inputs AS (
    grid_id         integer,
    projection_id   smallint,
    has_climate     boolean,
    surroundings    jsonb,
    building        jsonb,
    building_source jsonb,
    population      jsonb,
    inputs          jsonb,
    missing         text[],
    stale           text[],
    answer_hash     bytea
);

-- All that the answer for a site follows from, but for the results of its cell themselves: question has risk_types,
-- scenario and target_year; site has latitude, longitude, insurance_rate, asset_value, building.
CREATE FUNCTION site_inputs_of(
    question jsonb, site jsonb, within_m float8, method_version text, p_damage_set text
) RETURNS site_inputs
LANGUAGE plpgsql STABLE AS $$
DECLARE
    made site_inputs;
    cell location_grid;
    shared bigint;
    cell_hash bytea;
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
               WHERE h.grid_id IS NULL OR p.grid_id IS NULL OR p.damage_set <> p_damage_set), '{}') AS missing,
           coalesce(array_agg(w.risk ORDER BY w.place) FILTER (
               WHERE h.input_hash <> cell_hash OR p.input_hash <> cell_hash), '{}') AS stale,
           jsonb_agg(DISTINCT h.batch_id) AS hazard,
           jsonb_agg(DISTINCT p.batch_id) AS probability
    INTO by_risk
    FROM unnest(wanted) WITH ORDINALITY AS w (risk, place)
    LEFT JOIN hazard_packed AS h ON h.grid_id = made.grid_id AND h.risk_type = w.risk
    LEFT JOIN probability_packed AS p ON p.grid_id = made.grid_id AND p.risk_type = w.risk;
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

-- Why a place has no answer: where the nearest climate data are, in plain words.
CREATE FUNCTION no_climate_reason(latitude float8, longitude float8) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    near record;
BEGIN
    SELECT g.latitude, g.longitude, 111.195 * sqrt(power(g.latitude - no_climate_reason.latitude, 2)
           + power((g.longitude - no_climate_reason.longitude) * cos(radians(no_climate_reason.latitude)), 2)) AS km
    INTO near FROM location_grid AS g WHERE g.has_climate ORDER BY 3 LIMIT 1;
    RETURN format('no climate data at %s, %s (cell %s): a place at sea, or outside what was loaded; ', latitude, longitude,
                  grid_id_of(latitude, longitude))
        || coalesce(format('the nearest cell that has some is %s, %s, %s km away', near.latitude, near.longitude,
                           round(near.km::numeric, 1)), 'no cell has any yet (aiops ingest)');
END
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- The life of a request

-- Claim a request and say what is to be done. outcome: gone (nothing: it has ended, or another holds it), cached (it was
-- answered from a stored run just now), no_data (no climate data there: reason says it), no_previous (steps asked for,
-- but no stored run to take the others from), missing (the cell lacks H or P(H) of the risks in missing), ready.
-- The new attempt number is the fence that keeps earlier claims from writing.
CREATE FUNCTION begin_request(
    p_batch_id uuid, p_worker text, p_lease interval, p_within_m float8, p_method_version text, p_damage_set text,
    OUT outcome text, OUT attempt integer, OUT params jsonb, OUT site site_inputs, OUT previous uuid,
    OUT previous_site_no integer, OUT reason text
)
LANGUAGE plpgsql AS $$
DECLARE
    stored record;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE batch_jobs AS b SET
        status = 'running', attempt = b.attempt + 1, worker = p_worker, lease_until = clock_timestamp() + p_lease,
        started_at = coalesce(b.started_at, clock_timestamp()), updated_at = clock_timestamp(),
        current_step = coalesce(b.current_step, 'reading')
    WHERE b.batch_id = p_batch_id AND b.job_type IN ('ondemand_risk_calculation', 'test')
      AND (b.status = 'queued'
           OR (b.status = 'running'
               AND (b.lease_until IS NULL OR b.lease_until < clock_timestamp() OR b.worker = p_worker)))
    RETURNING b.attempt, b.input_params::jsonb INTO attempt, params;
    IF NOT FOUND THEN
        outcome := 'gone';
        RETURN;
    END IF;
    site := site_inputs_of(params, params, p_within_m, p_method_version, p_damage_set);
    IF NOT site.has_climate THEN
        outcome := 'no_data';
        reason := no_climate_reason((params ->> 'latitude')::float8, (params ->> 'longitude')::float8);
        RETURN;
    END IF;
    IF params ? 'steps' THEN
        SELECT c.batch_id, c.site_no INTO previous, previous_site_no
        FROM current_run AS c JOIN risk_run AS r USING (batch_id, site_no)
        WHERE c.latitude = (params ->> 'latitude')::float8 AND c.longitude = (params ->> 'longitude')::float8
          AND c.projection_id = site.projection_id
          AND r.risk_types @> ARRAY(SELECT jsonb_array_elements_text(params -> 'risk_types'));
        IF NOT FOUND THEN
            outcome := 'no_previous';
            reason := 'steps: there is no stored run of this place, scenario, target year and these risks to take the '
                      'other steps from; ask without steps first';
            RETURN;
        END IF;
    ELSIF NOT params ? 'force' THEN
        SELECT r.batch_id, r.site_no INTO stored
        FROM risk_run AS r JOIN batch_jobs AS b USING (batch_id)
        WHERE r.answer_hash = site.answer_hash AND b.status = 'completed'
        ORDER BY r.calculated_at DESC LIMIT 1;
        IF FOUND THEN
            PERFORM answer_from_stored(p_batch_id, stored.batch_id, stored.site_no);
            outcome := 'cached';
            RETURN;
        END IF;
    END IF;
    IF site.missing <> '{}' THEN
        outcome := 'missing';
        RETURN;
    END IF;
    outcome := 'ready';
    UPDATE batch_jobs AS b SET progress = greatest(b.progress, 10), current_step = 'hazard and probability read',
        total_items = jsonb_array_length(params -> 'risk_types'), updated_at = clock_timestamp()
    WHERE b.batch_id = p_batch_id;
END
$$;

-- Complete a request with the answer of a stored run, which speaks for its place again.
CREATE FUNCTION answer_from_stored(p_batch_id uuid, p_stored uuid, p_site_no integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    now_is timestamptz := clock_timestamp();
    batch batch_jobs;
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    INSERT INTO current_run (latitude, longitude, projection_id, batch_id, site_no)
    SELECT latitude, longitude, projection_id, batch_id, site_no FROM risk_run
    WHERE batch_id = p_stored AND site_no = p_site_no
    ON CONFLICT (latitude, longitude, projection_id) DO UPDATE SET batch_id = excluded.batch_id, site_no = excluded.site_no
    WHERE (current_run.batch_id, current_run.site_no) IS DISTINCT FROM (excluded.batch_id, excluded.site_no);
    UPDATE batch_jobs AS b SET
        status = 'completed', progress = 100, current_step = NULL, lease_until = NULL, completed_at = now_is,
        updated_at = now_is, total_items = stored.total_items, completed_items = stored.completed_items,
        failed_items = stored.failed_items, warnings = stored.warnings,
        results = stored.results || jsonb_build_object(
            'batch_id', p_batch_id, 'cached', true, 'computed_by', p_stored,
            'duration_seconds', round(extract(epoch FROM now_is - b.started_at), 4))
    FROM batch_jobs AS stored
    WHERE b.batch_id = p_batch_id AND stored.batch_id = p_stored
    RETURNING b.* INTO batch;
    INSERT INTO batch_job_logs (batch_id, job_type, step, started_at, completed_at, status, total_grids, processed_grids, failed_grids)
    VALUES (p_batch_id, batch.job_type, 'answered from a stored run', batch.started_at, now_is, 'completed', NULL, NULL, NULL),
           (p_batch_id, batch.job_type, NULL, batch.started_at, now_is, 'completed', 1, 1, 0);
    PERFORM queue_notifications(p_batch_id);
END
$$;

-- The fence of a request's steps: move its progress, as the last statement of the transaction that wrote the rows it
-- speaks of, and only while this attempt holds it. Returns what listeners are to hear.
CREATE FUNCTION advance_request(p_batch_id uuid, p_attempt integer, p_progress integer, p_step text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    batch batch_jobs;
BEGIN
    UPDATE batch_jobs AS b SET
        progress = greatest(b.progress, p_progress), current_step = p_step, updated_at = clock_timestamp()
    WHERE b.batch_id = p_batch_id AND b.attempt = p_attempt AND b.status = 'running'
    RETURNING b.* INTO batch;
    IF NOT FOUND THEN
        PERFORM refuse_lost_request(p_batch_id, p_attempt);
    END IF;
    RETURN progress_message(batch);
END
$$;

CREATE FUNCTION refuse_lost_request(p_batch_id uuid, p_attempt integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'attempt % of request % does not hold it any more', p_attempt, p_batch_id
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = 'it was cancelled, or given to another process: nothing of this attempt is written';
END
$$;

-- What listeners hear of a batch.
CREATE FUNCTION progress_message(batch batch_jobs) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_object('batch_id', batch.batch_id, 'status', batch.status, 'progress', batch.progress,
                          'step', batch.current_step)::text;

-- Every commit with a notification wakes every session that listens to anything in this database. The steps of a request
-- follow each other within a millisecond, so they are told of together, in order, by the transaction of the last of them.
CREATE OR REPLACE FUNCTION batch_jobs_tell() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('aiops.tell_later', true), '') <> 'on' THEN
        PERFORM pg_notify('aiops_progress', progress_message(NEW));
    END IF;
    RETURN NULL;
END
$$;

-- One step of a request for each of its risks: the row and the progress that speaks of it, committed together, one risk
-- after the other. Of these commits none waits for the disk: a crash of the server may take the last of them back, and
-- the request is then computed again; the commit that completes it does wait.
CREATE PROCEDURE write_request_step(
    p_batch_id uuid, p_attempt integer, p_step text, p_first integer, p_span integer, p_rows jsonb
)
LANGUAGE plpgsql AS $$
DECLARE
    n integer := jsonb_array_length(p_rows);
    one jsonb;
    messages text[] := '{}';
    message text;
BEGIN
    FOR i IN 1 .. n LOOP
        PERFORM set_config('synchronous_commit', 'off', true), set_config('aiops.tell_later', 'on', true);
        one := p_rows -> (i - 1);
        CASE p_step
        WHEN 'exposure' THEN
            IF p_attempt > 1 THEN
                DELETE FROM exposure_results_runs AS r
                WHERE r.batch_id = p_batch_id AND r.site_no = 0 AND r.risk_type = one ->> 'risk_type';
            END IF;
            INSERT INTO exposure_results_runs
            SELECT * FROM jsonb_populate_record(NULL::exposure_results_runs, one || request_stamp(p_batch_id));
        WHEN 'vulnerability' THEN
            IF p_attempt > 1 THEN
                DELETE FROM vulnerability_results_runs AS r
                WHERE r.batch_id = p_batch_id AND r.site_no = 0 AND r.risk_type = one ->> 'risk_type';
            END IF;
            INSERT INTO vulnerability_results_runs
            SELECT * FROM jsonb_populate_record(NULL::vulnerability_results_runs, one || request_stamp(p_batch_id));
        WHEN 'aal' THEN
            IF p_attempt > 1 THEN
                DELETE FROM aal_scaled_results_runs AS r
                WHERE r.batch_id = p_batch_id AND r.site_no = 0 AND r.risk_type = one ->> 'risk_type';
            END IF;
            INSERT INTO aal_scaled_results_runs
            SELECT * FROM jsonb_populate_record(NULL::aal_scaled_results_runs, one || request_stamp(p_batch_id));
        END CASE;
        messages := messages
            || advance_request(p_batch_id, p_attempt, p_first + p_span * i / n, p_step || ' ' || (one ->> 'risk_type'));
        IF i = n THEN
            FOREACH message IN ARRAY messages LOOP
                PERFORM pg_notify('aiops_progress', message);
            END LOOP;
        END IF;
        COMMIT;
    END LOOP;
END
$$;

CREATE FUNCTION request_stamp(p_batch_id uuid) RETURNS jsonb
LANGUAGE sql VOLATILE
RETURN jsonb_build_object('batch_id', p_batch_id, 'site_no', 0, 'calculated_at', clock_timestamp());

-- The last transaction of a request: integrated risk, the run, the pointer, the end of the batch, its logs, and what is
-- to be sent. Durable whatever the session says.
CREATE FUNCTION finish_request(
    p_batch_id uuid, p_attempt integer, p_run jsonb, p_answer_hash bytea, p_rows jsonb, p_results jsonb,
    p_warnings jsonb, p_logs jsonb
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    run risk_run;
    batch batch_jobs;
    ended timestamptz := clock_timestamp();
    failed integer := (SELECT count(*) FROM jsonb_array_elements(p_rows) AS r WHERE r ->> 'status' = 'failed');
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    IF p_attempt > 1 THEN
        DELETE FROM risk_results_runs AS r WHERE r.batch_id = p_batch_id AND r.site_no = 0;
    END IF;
    INSERT INTO risk_results_runs
    SELECT row.*
    FROM jsonb_array_elements(p_rows) AS one
    CROSS JOIN LATERAL jsonb_populate_record(NULL::risk_results_runs, one || request_stamp(p_batch_id)) AS row;
    run := jsonb_populate_record(NULL::risk_run, p_run || request_stamp(p_batch_id));
    IF failed = 0 THEN  -- a failure is no answer: the next that asks the same has it tried again
        run.answer_hash := p_answer_hash;
    END IF;
    INSERT INTO risk_run SELECT run.*;
    INSERT INTO current_run (latitude, longitude, projection_id, batch_id, site_no)
    VALUES (run.latitude, run.longitude, run.projection_id, p_batch_id, 0)
    ON CONFLICT (latitude, longitude, projection_id) DO UPDATE SET batch_id = excluded.batch_id, site_no = excluded.site_no;
    UPDATE batch_jobs AS b SET
        status = 'completed', progress = 100, current_step = NULL, lease_until = NULL, completed_at = ended,
        updated_at = ended, total_items = cardinality(run.risk_types), completed_items = cardinality(run.risk_types),
        failed_items = failed, warnings = p_warnings,
        results = p_results || jsonb_build_object(
            'duration_seconds', round(extract(epoch FROM ended - b.started_at), 4))
    WHERE b.batch_id = p_batch_id AND b.attempt = p_attempt AND b.status = 'running'
    RETURNING b.* INTO batch;
    IF NOT FOUND THEN
        PERFORM refuse_lost_request(p_batch_id, p_attempt);
    END IF;
    PERFORM log_request(batch, p_logs, ended);
    PERFORM queue_notifications(p_batch_id);
END
$$;

CREATE FUNCTION log_request(batch batch_jobs, p_logs jsonb, ended timestamptz) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO batch_job_logs (batch_id, job_type, step, started_at, completed_at, status, error_message)
    SELECT batch.batch_id, batch.job_type, l.step, l.started_at, l.completed_at, l.status, l.error_message
    FROM jsonb_to_recordset(p_logs)
        AS l (step text, started_at timestamptz, completed_at timestamptz, status text, error_message text);
    INSERT INTO batch_job_logs (batch_id, job_type, started_at, completed_at, status, total_grids, processed_grids,
                                failed_grids, error_message)
    VALUES (batch.batch_id, batch.job_type, coalesce(batch.started_at, ended), ended, batch.status, 1, 1,
            (batch.status = 'failed')::integer, batch.error_message);
END;

-- End a request as failed; false when this attempt does not hold it any more. Without an attempt: whoever holds it.
CREATE FUNCTION fail_request(p_batch_id uuid, p_attempt integer, p_error text, p_trace text, p_logs jsonb DEFAULT '[]')
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    batch batch_jobs;
    ended timestamptz := clock_timestamp();
BEGIN
    UPDATE batch_jobs AS b SET
        status = 'failed', current_step = NULL, lease_until = NULL, completed_at = ended, updated_at = ended,
        started_at = coalesce(b.started_at, ended), error_message = p_error, error_stack_trace = p_trace,
        failed_items = coalesce(b.total_items, 0)
    WHERE b.batch_id = p_batch_id AND b.status IN ('queued', 'running') AND (p_attempt IS NULL OR b.attempt = p_attempt)
    RETURNING b.* INTO batch;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM log_request(batch, p_logs, ended);
    PERFORM queue_notifications(p_batch_id);
    RETURN true;
END
$$;

-- Let go of a request that will be taken up again: after a failure that may pass, or while its cell is computed.
CREATE FUNCTION release_request(p_batch_id uuid, p_attempt integer, p_step text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE batch_jobs AS b SET lease_until = NULL, current_step = p_step, updated_at = clock_timestamp()
    WHERE b.batch_id = p_batch_id AND b.status = 'running' AND b.attempt = p_attempt;
    RETURN FOUND;
END
$$;

-- Have a compute process make H and P(H) of the request's cell; it puts the request back on its queue. Ahead of the
-- yearly chunks: somebody waits.
CREATE FUNCTION await_cell_results(p_batch_id uuid, p_attempt integer, p_grid_id integer) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT release_request(p_batch_id, p_attempt, 'computing hazard and probability') THEN
        RETURN false;
    END IF;
    PERFORM enqueue_job('compute', 'cell_results', jsonb_build_object('batch_id', p_batch_id), 10, 'cell ' || p_grid_id);
    RETURN true;
END
$$;

CREATE FUNCTION resume_request(p_batch_id uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    batch batch_jobs;
BEGIN
    SELECT * INTO batch FROM batch_jobs WHERE batch_id = p_batch_id AND status = 'running';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM enqueue_batch(batch);
    RETURN true;
END
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- History

-- What differs between two objects, one line a key: 'floors 5 -> 8'.
CREATE FUNCTION what_differs(label text, before jsonb, after jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(
    SELECT format('%s%s %s -> %s', label, key, coalesce(before ->> key, 'unknown'), coalesce(after ->> key, 'unknown'))
    FROM (SELECT jsonb_object_keys(coalesce(before, '{}')) UNION SELECT jsonb_object_keys(coalesce(after, '{}'))) AS k (key)
    WHERE before -> key IS DISTINCT FROM after -> key
      AND (nullif(before -> key, 'null'), nullif(after -> key, 'null')) IS DISTINCT FROM (NULL::jsonb, NULL::jsonb)
    ORDER BY key);

CREATE FUNCTION what_changed(before risk_run, after risk_run) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN before.batch_id IS NULL THEN '{first run}'::text[] ELSE
       CASE WHEN before.inputs -> 'climate' IS DISTINCT FROM after.inputs -> 'climate'
            THEN '{climate data of the cell}'::text[] ELSE '{}' END
    || CASE WHEN before.inputs -> 'shared' IS DISTINCT FROM after.inputs -> 'shared'
            THEN '{sea level or global warming}'::text[] ELSE '{}' END
    || CASE WHEN before.inputs -> 'hazard' IS DISTINCT FROM after.inputs -> 'hazard'
            THEN '{new Hazard run}'::text[] ELSE '{}' END
    || CASE WHEN before.inputs -> 'probability' IS DISTINCT FROM after.inputs -> 'probability'
            THEN '{new P(H) run}'::text[] ELSE '{}' END
    || what_differs('surroundings: ', before.surroundings, after.surroundings)
    || what_differs('building: ', before.building, after.building)
    || what_differs('', jsonb_build_object('population', before.population -> 'population'),
                    jsonb_build_object('population', after.population -> 'population'))
    || what_differs('', jsonb_build_object('method version', before.method_version, 'damage set', before.damage_set,
                                           'insurance rate', before.insurance_rate, 'asset value', before.asset_value),
                    jsonb_build_object('method version', after.method_version, 'damage set', after.damage_set,
                                       'insurance rate', after.insurance_rate, 'asset value', after.asset_value))
    || CASE WHEN before.risk_types <> after.risk_types
            THEN ARRAY[format('risk types %s -> %s', array_to_string(before.risk_types, ' '),
                              array_to_string(after.risk_types, ' '))] ELSE '{}' END
    END;

-- Every answered run of a place, the newest first, each with what changed since the one before of the same scenario and
-- target year. An empty list: nothing; it was computed again.
CREATE FUNCTION risk_history(latitude float8, longitude float8)
RETURNS TABLE (calculated_at timestamptz, batch_id uuid, site_no integer, scenario text, target_year smallint,
               total_risk_score float8, risk_level text, total_aal float8, expected_loss float8, speaks boolean,
               changes text[], method_version text, damage_set text, risk_types text[])
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT r.calculated_at, r.batch_id, r.site_no, p.scenario, p.target_year, r.total_risk_score, r.risk_level, r.total_aal,
           r.expected_loss, c.batch_id IS NOT NULL, what_changed(r.before, r.run), r.method_version, r.damage_set, r.risk_types
    FROM (SELECT run.*, run AS run, lag(run) OVER (PARTITION BY run.projection_id ORDER BY run.calculated_at) AS before
          FROM risk_run AS run
          WHERE run.latitude = risk_history.latitude AND run.longitude = risk_history.longitude) AS r
    JOIN projection AS p ON p.projection_id = r.projection_id
    LEFT JOIN current_run AS c ON (c.latitude, c.longitude, c.projection_id, c.batch_id, c.site_no)
                                = (r.latitude, r.longitude, r.projection_id, r.batch_id, r.site_no)
    ORDER BY r.calculated_at DESC;
END;
