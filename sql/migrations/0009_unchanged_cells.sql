-- Which cells have a result that still stands: same inputs, same method, same damage set.

CREATE SEQUENCE input_version_seq;

ALTER TABLE location_grid ADD COLUMN climate_version bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN location_grid.climate_version IS
    'Another number whenever the content of a climate series of this cell changes.';

-- Inputs that no single cell owns (tides, warming) have one version together.
CREATE TABLE input_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  bigint NOT NULL
);
INSERT INTO input_version (version) VALUES (0);

DROP TRIGGER climate_data_mark_cells ON climate_data;
DROP FUNCTION climate_data_mark_cells();

CREATE FUNCTION climate_data_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    new_version bigint := nextval('input_version_seq');
BEGIN
    INSERT INTO location_grid AS known (grid_id, has_climate, climate_version)
    SELECT DISTINCT grid_id, true, new_version FROM changed_rows ORDER BY grid_id
    ON CONFLICT (grid_id) DO UPDATE SET has_climate = true, climate_version = excluded.climate_version;
    RETURN NULL;
END
$$;
CREATE TRIGGER climate_data_inserted AFTER INSERT ON climate_data
    REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION climate_data_changed();
CREATE TRIGGER climate_data_updated AFTER UPDATE ON climate_data
    REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION climate_data_changed();
CREATE TRIGGER climate_data_deleted AFTER DELETE ON climate_data
    REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION climate_data_changed();

-- A statement that touches no row (the same file loaded again) changes nothing.
CREATE FUNCTION shared_inputs_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed_rows) THEN
        UPDATE input_version SET version = nextval('input_version_seq');
    END IF;
    RETURN NULL;
END
$$;
DO $$
DECLARE
    input text;
    event text;
BEGIN
    FOREACH input IN ARRAY '{warming_level,tide_gauge,tide_gauge_maximum,sea_level_rise}'::text[] LOOP
        FOREACH event IN ARRAY '{INSERT,UPDATE,DELETE}'::text[] LOOP
            EXECUTE format('CREATE TRIGGER %I AFTER %s ON %I REFERENCING %s TABLE AS changed_rows '
                           'FOR EACH STATEMENT EXECUTE FUNCTION shared_inputs_changed()',
                           'shared_inputs_' || lower(event), event, input,
                           CASE event WHEN 'DELETE' THEN 'OLD' ELSE 'NEW' END);
        END LOOP;
    END LOOP;
END
$$;

-- One hash for everything that a cell's results follow from.
CREATE FUNCTION cell_input_hash(cell location_grid, shared_version bigint, method_version text, damage_set text)
RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substring(sha256(convert_to(ROW(
    cell.climate_version, cell.elevation_m, cell.slope, cell.coast_distance_m, cell.river_distance_m,
    cell.river_elevation_m, cell.forest_distance_m, cell.impervious_ratio, cell.crest_m,
    shared_version, method_version, damage_set)::text, 'UTF8')) FOR 16);

CREATE TABLE cell_computed (
    kind       text NOT NULL CHECK (kind IN ('probability', 'hazard')),
    grid_id    integer NOT NULL,
    input_hash bytea NOT NULL,
    risk_types text[] NOT NULL,
    PRIMARY KEY (kind, grid_id)
);
COMMENT ON TABLE cell_computed IS
    'For each cell the hash of the inputs of its present results, and the risks that were computed from them: small, '
    'so that a yearly batch finds out in seconds what it need not compute again.';

-- The cells that a batch is about, and whether all that it asks of them stands already.
CREATE FUNCTION cells_asked_for(job_type text, params jsonb, method_version text, damage_set text)
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
