-- What odd input taught: a key that there is not is refused even without a value, and a number too small for a float8 is
-- zero. The functions are those of 0014 but for that.

CREATE FUNCTION refuse_unless_key(key text, known text[], prefix text DEFAULT '', called text DEFAULT 'this key') RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF key <> ALL (known) THEN
        PERFORM refuse_parameter(prefix || left(key, 80), called, array_to_string(known, ', '));
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION request_number(
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
    -- The cast to float8 that follows refuses what underflows.
    RETURN CASE WHEN abs(given::numeric) < 1e-300 THEN 0 ELSE given::numeric END;
END
$$;

-- What a request says of a building, by the names of api_buildings.
CREATE OR REPLACE FUNCTION normalise_building(given jsonb, field text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    fields CONSTANT text[] := '{floor_area_m2,built_year,age_years,floors,basement_floors,structure,use,water_tank,pilotis,'
        'in_flood_zone}';
    key text;
    value jsonb;
    named text;
    normal jsonb := '{}';
BEGIN
    PERFORM refuse_unless_object(field, given);
    FOR key, value IN SELECT * FROM jsonb_each(given) LOOP
        PERFORM refuse_unless_key(key, fields, field || '.', 'this field');
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
        END);
    END LOOP;
    IF normal ?& '{built_year,age_years}' THEN
        PERFORM refuse_parameter(field || '.age_years', given ->> 'age_years', 'either built_year or age_years');
    END IF;
    RETURN normal;
END
$$;

-- The parameters of a request of one place. A value of null counts as not given.
CREATE OR REPLACE FUNCTION normalise_request_params(params jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    keys CONSTANT text[] := '{latitude,longitude,risk_types,scenario,target_year,insurance_rate,asset_value,building,steps,'
        'projections,force,notify}';
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
        PERFORM refuse_unless_key(key, keys);
        CONTINUE WHEN value = 'null';
        CASE key
        WHEN 'latitude', 'longitude', 'insurance_rate', 'asset_value', 'building' THEN
            checked := normalise_site_field(key, value, key);
        WHEN 'risk_types', 'scenario', 'target_year', 'projections', 'force', 'notify' THEN
            checked := normalise_question_field(key, value);
        WHEN 'steps' THEN
            checked := normalise_names(key, value,
                '{"exposure": "exposure", "vulnerability": "vulnerability", "aal": "aal"}');
        END CASE;
        normal := normal || jsonb_build_object(key, checked);
    END LOOP;
    PERFORM refuse_without_place(normal);
    RETURN with_question_defaults(normal);
END
$$;

-- The parameters of a portfolio: the question once, and the sites.
CREATE OR REPLACE FUNCTION normalise_portfolio_params(params jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    keys CONSTANT text[] := '{sites,risk_types,scenario,target_year,insurance_rate,force,notify}';
    site_keys CONSTANT text[] := '{site_id,latitude,longitude,insurance_rate,asset_value,building}';
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
        PERFORM refuse_unless_key(key, keys);
        CONTINUE WHEN value = 'null';
        CASE key
        WHEN 'insurance_rate' THEN
            checked := normalise_site_field(key, value, key);
        WHEN 'risk_types', 'scenario', 'target_year', 'force', 'notify' THEN
            checked := normalise_question_field(key, value);
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
            PERFORM refuse_unless_key(key, site_keys, format('sites[%s].', place));
            CONTINUE WHEN value = 'null';
            named := format('sites[%s].%s', place, left(key, 80));
            CASE key
            WHEN 'latitude', 'longitude', 'insurance_rate', 'asset_value', 'building' THEN
                checked := checked || jsonb_build_object(key, normalise_site_field(key, value, named));
            WHEN 'site_id' THEN
                checked := checked || jsonb_build_object(key, request_text(named, value));
            END CASE;
        END LOOP;
        PERFORM refuse_without_place(checked, format('sites[%s].', place));
        sites := sites || checked;
    END LOOP;
    RETURN with_question_defaults(normal) || jsonb_build_object('sites', to_jsonb(sites));
END
$$;
