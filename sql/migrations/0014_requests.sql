-- What may be asked of one place: checked by name of the field where it enters, and brought into one form, so that
-- equal requests are equal values.

ALTER TABLE batch_jobs
    ADD COLUMN lease_until timestamptz,
    ADD COLUMN worker text;
COMMENT ON COLUMN batch_jobs.lease_until IS
    'Of a request that runs: until when its present attempt holds it; NULL while it waits for its turn or its data.';
-- A request writes its row some thirty times; room on the page keeps those versions off the indexes.
ALTER TABLE batch_jobs SET (fillfactor = 60);

-- ---------------------------------------------------------------------------------------------------------------
-- Values

CREATE FUNCTION request_number(
    field text, given jsonb, low numeric, high numeric, unit text DEFAULT '', whole boolean DEFAULT false
) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    -- The nesting matters: a cast of what is no number would raise an error of its own.
    IF (CASE WHEN jsonb_typeof(given) <> 'number' THEN true
            ELSE given::numeric NOT BETWEEN low AND high OR (whole AND given::numeric % 1 <> 0) END) THEN
        PERFORM refuse_parameter(field, given::text, format('%s, %s to %s%s',
            CASE WHEN whole THEN 'a whole number' ELSE 'a number' END, low, high, nullif(' ' || unit, ' ')));
    END IF;
    RETURN given::numeric;
END
$$;

CREATE FUNCTION request_flag(field text, given jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF jsonb_typeof(given) <> 'boolean' THEN
        PERFORM refuse_parameter(field, given::text, 'true or false');
    END IF;
    RETURN given::boolean;
END
$$;

CREATE FUNCTION request_text(field text, given jsonb, longest integer DEFAULT 200) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF jsonb_typeof(given) <> 'string' OR length(given #>> '{}') NOT BETWEEN 1 AND longest THEN
        PERFORM refuse_parameter(field, given::text, format('a text of 1 to %s characters', longest));
    END IF;
    RETURN given #>> '{}';
END
$$;

CREATE FUNCTION refuse_unless_object(field text, given jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF jsonb_typeof(given) <> 'object' THEN
        PERFORM refuse_parameter(field, given::text, 'an object');
    END IF;
END
$$;

-- The risk types asked for, in the order of the table risk_type.
CREATE FUNCTION request_risk_types(field text, given jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (CASE WHEN jsonb_typeof(given) <> 'array' THEN true
            ELSE jsonb_array_length(given) = 0
                 OR EXISTS (SELECT FROM jsonb_array_elements(given) AS e WHERE jsonb_typeof(e) <> 'string') END) THEN
        PERFORM refuse_parameter(field, given::text, 'a list of at least one risk type''s name');
    END IF;
    RETURN (
        SELECT jsonb_agg(r.risk_type ORDER BY r.position)
        FROM risk_type AS r
        WHERE r.risk_type IN (SELECT canonical_risk_type(e.one, field) FROM jsonb_array_elements_text(given) AS e (one)));
END
$$;

-- What a request says of a building, by the names of api_buildings. Terms of the Korean register are understood.
CREATE FUNCTION normalise_building(given jsonb, field text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    key text;
    value jsonb;
    named text;
    normal jsonb := '{}';
BEGIN
    PERFORM refuse_unless_object(field, given);
    FOR key, value IN SELECT * FROM jsonb_each(given) LOOP
        CONTINUE WHEN value = 'null';
        named := field || '.' || left(key, 80);
        normal := normal || jsonb_build_object(key, CASE key
            WHEN 'floor_area_m2' THEN to_jsonb(request_number(named, value, 1, 10000000, 'm2')::float8)
            WHEN 'built_year' THEN to_jsonb(request_number(
                named, value, 1800, extract(year FROM clock_timestamp()) + 1, '', true)::integer)
            WHEN 'age_years' THEN to_jsonb(request_number(named, value, 0, 300, 'years')::float8)
            WHEN 'floors' THEN to_jsonb(request_number(named, value, 1, 200, '', true)::integer)
            WHEN 'basement_floors' THEN to_jsonb(request_number(named, value, 0, 20, '', true)::integer)
            WHEN 'structure' THEN to_jsonb(request_term(named, 'structure', request_text(named, value)))
            WHEN 'use' THEN to_jsonb(request_term(named, 'use', request_text(named, value)))
            WHEN 'water_tank' THEN to_jsonb(request_flag(named, value))
            WHEN 'pilotis' THEN to_jsonb(request_flag(named, value))
            WHEN 'in_flood_zone' THEN to_jsonb(request_flag(named, value))
            ELSE to_jsonb(refuse_parameter(named, 'this field',
                'floor_area_m2, built_year, age_years, floors, basement_floors, structure, use, water_tank, pilotis, '
                'in_flood_zone')::text)
        END);
    END LOOP;
    IF normal ?& '{built_year,age_years}' THEN
        PERFORM refuse_parameter(field || '.age_years', given ->> 'age_years', 'either built_year or age_years');
    END IF;
    RETURN normal;
END
$$;

CREATE FUNCTION request_term(named text, field text, given text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    meaning text := CASE field WHEN 'structure' THEN canonical_structure(given) ELSE canonical_use(given) END;
BEGIN
    IF meaning IS NULL THEN
        PERFORM refuse_parameter(named, format('%L', given), (
            SELECT string_agg(DISTINCT t.meaning, ', ') || ', or the Korean register''s terms'
            FROM building_term AS t WHERE t.field = request_term.field));
    END IF;
    RETURN meaning;
END
$$;

-- What a site is: where, what stands there, what it is worth. Used for one place and for each of a portfolio.
CREATE FUNCTION normalise_site_field(key text, value jsonb, field text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE key
        WHEN 'latitude' THEN to_jsonb(request_number(field, value, 33, 39, 'degrees north')::float8)
        WHEN 'longitude' THEN to_jsonb(request_number(field, value, 124.5, 132, 'degrees east')::float8)
        WHEN 'insurance_rate' THEN to_jsonb(request_number(field, value, 0, 1)::float8)
        WHEN 'asset_value' THEN to_jsonb(request_number(field, value, 0, 1e18, 'KRW')::float8)
        WHEN 'building' THEN normalise_building(value, field)
    END;
END
$$;

CREATE FUNCTION refuse_without_place(params jsonb, prefix text DEFAULT '') RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF NOT params ? 'latitude' THEN
        PERFORM refuse_parameter(prefix || 'latitude', 'no value', '33 to 39 degrees north');
    ELSIF NOT params ? 'longitude' THEN
        PERFORM refuse_parameter(prefix || 'longitude', 'no value', '124.5 to 132 degrees east');
    END IF;
END
$$;

-- The parameters that a request of one place and a portfolio have in common; NULL for another key.
CREATE FUNCTION normalise_question_field(key text, value jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE key
        WHEN 'risk_types' THEN request_risk_types(key, value)
        WHEN 'scenario' THEN normalise_names(key, jsonb_build_array(value), (
            SELECT jsonb_object_agg(given.name, s.scenario)
            FROM scenario AS s, LATERAL unnest(s.aliases || s.scenario) AS given (name))) -> 0
        -- Any year means its decade; 2100 is the last year of the 2090s' window.
        WHEN 'target_year' THEN to_jsonb(least(
            request_number(key, value, 2020, 2100, '', true)::integer / 10 * 10, 2090))
        WHEN 'projections' THEN to_jsonb(request_flag(key, value))
        WHEN 'force' THEN to_jsonb(request_flag(key, value))
        WHEN 'notify' THEN validate_notification(value)
    END;
END
$$;

-- What is not said, said; flags that are off, left out.
CREATE FUNCTION with_question_defaults(normal jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF normal ->> 'scenario' = 'historical' THEN
        IF normal ? 'target_year' THEN
            PERFORM refuse_parameter('target_year', normal ->> 'target_year', 'none with the scenario historical');
        END IF;
    ELSE
        normal := '{"scenario": "ssp245", "target_year": 2050}' || normal;
    END IF;
    normal := '{"insurance_rate": 0}' || normal;
    IF NOT normal ? 'risk_types' THEN
        normal := normal || jsonb_build_object('risk_types', (SELECT jsonb_agg(risk_type ORDER BY position) FROM risk_type));
    END IF;
    RETURN normal - ARRAY(SELECT e.key FROM jsonb_each(normal) AS e WHERE e.value = 'false');
END
$$;

-- The parameters of a request of one place, checked and in one form. A value of null counts as not given.
CREATE FUNCTION normalise_request_params(params jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    key text;
    value jsonb;
    normal jsonb := '{}';
    checked jsonb;
BEGIN
    IF jsonb_typeof(params) <> 'object' THEN
        RAISE EXCEPTION 'input_params: a JSON % is not allowed; allowed: an object', jsonb_typeof(params)
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'input_params';
    END IF;
    FOR key, value IN SELECT * FROM jsonb_each(params) LOOP
        CONTINUE WHEN value = 'null';
        CASE key
        WHEN 'latitude', 'longitude', 'insurance_rate', 'asset_value', 'building' THEN
            checked := normalise_site_field(key, value, key);
        WHEN 'risk_types', 'scenario', 'target_year', 'projections', 'force', 'notify' THEN
            checked := normalise_question_field(key, value);
        WHEN 'steps' THEN
            checked := normalise_names(key, value,
                '{"exposure": "exposure", "vulnerability": "vulnerability", "aal": "aal"}');
        ELSE
            PERFORM refuse_parameter(left(key, 80), 'this key', 'latitude, longitude, risk_types, scenario, target_year, '
                'insurance_rate, asset_value, building, steps, projections, force, notify');
        END CASE;
        normal := normal || jsonb_build_object(key, checked);
    END LOOP;
    PERFORM refuse_without_place(normal);
    RETURN with_question_defaults(normal);
END
$$;

CREATE FUNCTION most_portfolio_sites() RETURNS integer LANGUAGE sql IMMUTABLE RETURN 10000;

-- The parameters of a portfolio: the question once, and the sites.
CREATE FUNCTION normalise_portfolio_params(params jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    key text;
    value jsonb;
    place bigint;
    site jsonb;
    named text;
    normal jsonb := '{}';
    checked jsonb;
    sites jsonb[] := '{}';
BEGIN
    IF jsonb_typeof(params) <> 'object' THEN
        RAISE EXCEPTION 'input_params: a JSON % is not allowed; allowed: an object', jsonb_typeof(params)
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'input_params';
    END IF;
    FOR key, value IN SELECT * FROM jsonb_each(params - 'sites') LOOP
        CONTINUE WHEN value = 'null';
        CASE key
        WHEN 'insurance_rate' THEN
            checked := normalise_site_field(key, value, key);
        WHEN 'risk_types', 'scenario', 'target_year', 'force', 'notify' THEN
            checked := normalise_question_field(key, value);
        ELSE
            PERFORM refuse_parameter(left(key, 80), 'this key',
                'sites, risk_types, scenario, target_year, insurance_rate, force, notify');
        END CASE;
        normal := normal || jsonb_build_object(key, checked);
    END LOOP;
    IF (CASE WHEN jsonb_typeof(params -> 'sites') IS DISTINCT FROM 'array' THEN true
            ELSE jsonb_array_length(params -> 'sites') NOT BETWEEN 1 AND most_portfolio_sites() END) THEN
        PERFORM refuse_parameter('sites',
            CASE jsonb_typeof(params -> 'sites')
                WHEN 'array' THEN format('a list of %s', jsonb_array_length(params -> 'sites'))
                ELSE left((params -> 'sites')::text, 80) END,
            format('a list of 1 to %s sites', most_portfolio_sites()));
    END IF;
    FOR place, site IN SELECT e.n - 1, e.one FROM jsonb_array_elements(params -> 'sites') WITH ORDINALITY AS e (one, n) LOOP
        PERFORM refuse_unless_object(format('sites[%s]', place), site);
        checked := '{}';
        FOR key, value IN SELECT * FROM jsonb_each(site) LOOP
            CONTINUE WHEN value = 'null';
            named := format('sites[%s].%s', place, left(key, 80));
            CASE key
            WHEN 'latitude', 'longitude', 'insurance_rate', 'asset_value', 'building' THEN
                checked := checked || jsonb_build_object(key, normalise_site_field(key, value, named));
            WHEN 'site_id' THEN
                checked := checked || jsonb_build_object(key, request_text(named, value));
            ELSE
                PERFORM refuse_parameter(named, 'this key',
                    'site_id, latitude, longitude, insurance_rate, asset_value, building');
            END CASE;
        END LOOP;
        PERFORM refuse_without_place(checked, format('sites[%s].', place));
        sites := sites || checked;
    END LOOP;
    RETURN with_question_defaults(normal) || jsonb_build_object('sites', to_jsonb(sites));
END
$$;

-- The first key that stands twice in one object, with its path; NULL when none does.
CREATE FUNCTION first_duplicate_key(document json) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    WITH RECURSIVE node (path, value) AS (
        SELECT ''::text, document
        UNION ALL
        SELECT child.path, child.value
        FROM node
        CROSS JOIN LATERAL (
            SELECT node.path || CASE WHEN node.path = '' THEN '' ELSE '.' END || e.key AS path, e.value
            FROM json_each(CASE json_typeof(node.value) WHEN 'object' THEN node.value ELSE '{}' END) AS e
            UNION ALL
            SELECT format('%s[%s]', node.path, e.n - 1), e.value
            FROM json_array_elements(CASE json_typeof(node.value) WHEN 'array' THEN node.value ELSE '[]' END)
                 WITH ORDINALITY AS e (value, n)
        ) AS child
    )
    SELECT path FROM node GROUP BY path HAVING count(*) > 1 ORDER BY path LIMIT 1;
END;

-- ---------------------------------------------------------------------------------------------------------------
-- Job types

CREATE TABLE job_type (
    job_type text PRIMARY KEY,
    task     text,
    queue    text
);
COMMENT ON TABLE job_type IS 'What may be asked for in batch_jobs, and which task of the queue does it (none: by hand).';
INSERT INTO job_type (job_type, task, queue) VALUES
    ('probability', 'probability_batch', 'control'),
    ('hazard', 'hazard_batch', 'control'),
    ('assessment', 'assessment_batch', 'control'),
    ('ondemand_risk_calculation', 'ondemand_risk', 'ondemand'),
    ('portfolio_risk_calculation', 'portfolio_risk', 'control'),
    ('test', NULL, NULL);

CREATE FUNCTION normalise_job_params(job_type text, params jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE job_type
        WHEN 'ondemand_risk_calculation' THEN normalise_request_params(params)
        WHEN 'portfolio_risk_calculation' THEN normalise_portfolio_params(params)
        WHEN 'test' THEN params
        ELSE normalise_batch_params(params)
    END;
END
$$;

-- Whether two ask the same does not depend on whom to tell, nor on whether to compute anew.
CREATE FUNCTION job_input_hash(job_type text, params jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(sha256(convert_to(job_type || ' ' || (
    CASE WHEN batch_families(job_type) = '{}' AND job_type <> 'test' THEN params - '{notify,force}'::text[]
         ELSE params END)::text, 'UTF8')), 'hex');

CREATE OR REPLACE FUNCTION batch_jobs_check() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    normal jsonb;
    doubled text;
BEGIN
    IF NOT EXISTS (SELECT FROM job_type AS t WHERE t.job_type = NEW.job_type) THEN
        RAISE EXCEPTION 'job_type: ''%'' is not allowed; allowed: %', left(NEW.job_type, 80),
            (SELECT string_agg(t.job_type, ', ' ORDER BY t.job_type) FROM job_type AS t)
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'job_type';
    END IF;
    normal := normalise_job_params(NEW.job_type, NEW.input_params::jsonb);
    doubled := first_duplicate_key(NEW.input_params);
    IF doubled IS NOT NULL AND NEW.job_type <> 'test' THEN
        PERFORM refuse_parameter(doubled, 'the same key twice', 'each key once');
    END IF;
    NEW.input_params := normal;
    NEW.input_hash := job_input_hash(NEW.job_type, normal);
    RETURN NEW;
END
$$;

-- Equal requests have one lock: the first computes, the others find its answer.
CREATE FUNCTION enqueue_batch(batch batch_jobs) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    wanted job_type;
BEGIN
    SELECT * INTO wanted FROM job_type AS t WHERE t.job_type = batch.job_type;
    RETURN enqueue_job(wanted.queue, wanted.task, jsonb_build_object('batch_id', batch.batch_id), 0,
                       CASE batch.job_type WHEN 'ondemand_risk_calculation' THEN batch.input_hash END);
END
$$;

-- AFTER INSERT: a row that ON CONFLICT drops never comes here. What others must not read, or is too long for the row,
-- moves to tables of its own before anybody else can see the row.
CREATE OR REPLACE FUNCTION batch_jobs_enqueue() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    params jsonb;
BEGIN
    PERFORM refuse_second_active_batch(NEW.batch_id, NEW.job_type);
    IF NEW.job_type = 'test' THEN
        RETURN NULL;
    END IF;
    params := NEW.input_params;
    IF params ? 'notify' THEN
        INSERT INTO request_notification (batch_id, webhook, email)
        VALUES (NEW.batch_id, params -> 'notify' ->> 'webhook', params -> 'notify' ->> 'email');
        params := params || jsonb_build_object('notify', (SELECT jsonb_agg(k) FROM jsonb_object_keys(params -> 'notify') AS k));
    END IF;
    IF params ? 'sites' THEN
        PERFORM keep_portfolio_sites(NEW.batch_id, params -> 'sites');
        params := params || jsonb_build_object('sites', jsonb_array_length(params -> 'sites'));
    END IF;
    IF params ?| '{notify,sites}' THEN
        UPDATE batch_jobs SET input_params = params WHERE batch_id = NEW.batch_id;
    END IF;
    IF NEW.origin_job_id IS NULL THEN
        PERFORM enqueue_batch(NEW);
    END IF;
    RETURN NULL;
END
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- Asking

CREATE FUNCTION request_risk(
    latitude float8, longitude float8, risk_types text[] DEFAULT NULL, scenario text DEFAULT NULL,
    target_year integer DEFAULT NULL, insurance_rate float8 DEFAULT NULL, asset_value float8 DEFAULT NULL,
    building jsonb DEFAULT NULL, steps text[] DEFAULT NULL, projections boolean DEFAULT NULL,
    force boolean DEFAULT NULL, notify jsonb DEFAULT NULL
) RETURNS uuid
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO batch_jobs (job_type, input_params)
    VALUES ('ondemand_risk_calculation', json_build_object(
        'latitude', latitude, 'longitude', longitude, 'risk_types', risk_types, 'scenario', scenario,
        'target_year', target_year, 'insurance_rate', insurance_rate, 'asset_value', asset_value, 'building', building,
        'steps', steps, 'projections', projections, 'force', force, 'notify', notify))
    RETURNING batch_id;
END;
COMMENT ON FUNCTION request_risk IS
    'Ask for the risk of one place; the number to follow it by. What is left out takes its default.';

CREATE FUNCTION request_risk_many(
    sites json, risk_types text[] DEFAULT NULL, scenario text DEFAULT NULL, target_year integer DEFAULT NULL,
    insurance_rate float8 DEFAULT NULL, force boolean DEFAULT NULL, notify jsonb DEFAULT NULL
) RETURNS uuid
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO batch_jobs (job_type, input_params)
    VALUES ('portfolio_risk_calculation', json_build_object(
        'sites', sites, 'risk_types', risk_types, 'scenario', scenario, 'target_year', target_year,
        'insurance_rate', insurance_rate, 'force', force, 'notify', notify))
    RETURNING batch_id;
END;
COMMENT ON FUNCTION request_risk_many IS
    'Ask for the risk of up to 10,000 sites at once: [{"site_id": …, "latitude": …, "longitude": …, …}, …].';
