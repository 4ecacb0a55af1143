-- Packed series: big-endian float32 in a bytea, the order of float4send, so that SQL packs and unpacks it and
-- numpy reads it as '>f4'. Missing is NaN.

CREATE FUNCTION pack_series(series real[]) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT coalesce(string_agg(float4send(coalesce(value, 'NaN')), ''::bytea ORDER BY place), ''::bytea)
    FROM unnest(series) WITH ORDINALITY AS element (value, place)
);
COMMENT ON FUNCTION pack_series IS 'Pack values into big-endian float32; a NULL becomes NaN and keeps its place.';

-- Reading a byte out of a large value costs a copy of the whole value, so the series is cut into blocks of
-- 256 values first: 29,219 values take tens of milliseconds instead of ten seconds.
CREATE FUNCTION unpack_series(packed bytea) RETURNS real[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    n_values integer := octet_length(packed) / 4;
    unpacked real[];
BEGIN
    IF octet_length(packed) % 4 <> 0 THEN
        RAISE EXCEPTION 'packed series: % bytes are not a whole number of 4-byte values', octet_length(packed)
            USING ERRCODE = 'invalid_binary_representation';
    END IF;
    WITH block AS MATERIALIZED (
        SELECT first_value, substring(packed FROM first_value * 4 + 1 FOR 1024) AS bytes
        FROM generate_series(0, n_values - 1, 256) AS first_value
    ), word AS MATERIALIZED (
        SELECT first_value + place AS place,
               get_byte(bytes, place * 4) AS high,
               get_byte(bytes, place * 4 + 1) AS middle,
               (get_byte(bytes, place * 4 + 2) << 8) | get_byte(bytes, place * 4 + 3) AS low
        FROM block, generate_series(0, octet_length(bytes) / 4 - 1) AS place
    ), part AS MATERIALIZED (
        SELECT place,
               CASE WHEN high >= 128 THEN -1.0::float8 ELSE 1.0::float8 END AS sign,
               ((high & 127) << 1) | (middle >> 7) AS exponent,
               ((middle & 127) << 16) | low AS fraction
        FROM word
    )
    SELECT array_agg((CASE
               WHEN exponent = 255 AND fraction <> 0 THEN 'NaN'::float8
               WHEN exponent = 255 THEN sign * 'Infinity'::float8
               WHEN exponent = 0 THEN sign * fraction * 2.0::float8 ^ (-149)
               ELSE sign * (fraction + 8388608) * 2.0::float8 ^ (exponent - 150)
           END)::real ORDER BY place)
    INTO unpacked
    FROM part;
    RETURN coalesce(unpacked, '{}');
END
$$;
COMMENT ON FUNCTION unpack_series IS 'The values of a packed series; missing values are NaN.';

CREATE TABLE climate_variable (
    variable       text PRIMARY KEY CHECK (variable ~ '^[A-Za-z][A-Za-z0-9_]{0,39}$'),
    cadence        text NOT NULL CHECK (cadence IN ('daily', 'monthly', 'yearly')),
    unit           text NOT NULL,
    valid_min      real NOT NULL,
    valid_max      real NOT NULL,
    description    text NOT NULL,
    description_ko text NOT NULL,
    aliases        text[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE climate_variable IS
    'Variables by their CMIP or ETCCDI names. Inserting a row makes the partition of climate_data that holds it.';

CREATE TABLE dataset (
    dataset_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    source      text NOT NULL,
    file_sha256 text,
    parameters  jsonb NOT NULL DEFAULT '{}',
    first_year  smallint,
    last_year   smallint,
    synthetic   boolean NOT NULL DEFAULT false,
    loaded_at   timestamptz NOT NULL DEFAULT now(),
    loaded_by   text NOT NULL DEFAULT session_user,
    UNIQUE NULLS NOT DISTINCT (name, file_sha256, parameters)
);
COMMENT ON TABLE dataset IS 'What was loaded: each row of climate_data names the data set that last wrote it.';

CREATE TABLE climate_data (
    variable     text NOT NULL,
    grid_id      integer NOT NULL CHECK (grid_id BETWEEN 1 AND 451351),
    scenario     text NOT NULL CHECK (scenario IN ('historical', 'ssp126', 'ssp245', 'ssp370', 'ssp585')),
    first_year   smallint NOT NULL CHECK (first_year BETWEEN 1500 AND 3000),
    values       bytea NOT NULL CHECK (octet_length(values) % 4 = 0),
    content_hash bytea NOT NULL GENERATED ALWAYS AS (substring(sha256(values) FOR 16)) STORED,
    dataset_id   bigint,
    PRIMARY KEY (variable, grid_id, scenario)
) PARTITION BY LIST (variable);
ALTER TABLE climate_data ALTER COLUMN values SET STORAGE EXTERNAL;
COMMENT ON TABLE climate_data IS
    'One packed series per variable, cell and scenario, from 1 January of first_year, by the variable''s cadence '
    '(true Gregorian days, months or years). No foreign keys: bulk table.';

CREATE FUNCTION climate_variable_make_partition() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF climate_data FOR VALUES IN (%L)',
                   'climate_data_' || lower(NEW.variable), NEW.variable);
    RETURN NULL;
END
$$;
CREATE TRIGGER climate_variable_make_partition AFTER INSERT ON climate_variable
    FOR EACH ROW EXECUTE FUNCTION climate_variable_make_partition();

-- Whatever way rows come in, the cells that have climate data are known (the yearly batches are planned from them).
CREATE FUNCTION climate_data_mark_cells() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO location_grid AS known (grid_id, has_climate)
    SELECT DISTINCT grid_id, true FROM new_rows ORDER BY grid_id
    ON CONFLICT (grid_id) DO UPDATE SET has_climate = true WHERE NOT known.has_climate;
    RETURN NULL;
END
$$;
CREATE TRIGGER climate_data_mark_cells AFTER INSERT ON climate_data
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION climate_data_mark_cells();

-- The dates of a series' values, by cadence.
CREATE FUNCTION series_date(cadence text, first_year integer, place bigint) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE cadence
    WHEN 'daily' THEN make_date(first_year, 1, 1) + (place - 1)::integer
    WHEN 'monthly' THEN make_date(first_year + (place - 1)::integer / 12, (place - 1)::integer % 12 + 1, 1)
    ELSE make_date(first_year + (place - 1)::integer, 1, 1)
END;

CREATE VIEW climate_long AS
SELECT grid_id, grid_latitude(grid_id) AS latitude, grid_longitude(grid_id) AS longitude,
       variable, unit, scenario,
       series_date(cadence, first_year, place) AS date,
       nullif(value, 'NaN') AS value,
       dataset_id
FROM climate_data
JOIN climate_variable USING (variable)
CROSS JOIN LATERAL unnest(unpack_series(values)) WITH ORDINALITY AS element (value, place);
COMMENT ON VIEW climate_long IS
    'climate_data value by value, for people; missing is NULL. Name the cell and the variable: it unpacks what it reads.';

CREATE FUNCTION climate_series(grid_id integer, variable text, scenario text) RETURNS TABLE (date date, value real)
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 30000 AS $$
    SELECT long.date, long.value
    FROM climate_long AS long
    WHERE long.variable = climate_series.variable
      AND long.grid_id = climate_series.grid_id
      AND long.scenario = climate_series.scenario
$$;
COMMENT ON FUNCTION climate_series IS 'One series as dates and values; missing is NULL.';
