-- The frame: 0.01 degree cells of 33.00-39.00 N x 124.50-132.00 E (601 x 751), numbered from the south-west.
-- A cell's number is arithmetic, never looked up: the same arithmetic as aiops/grid.py.

CREATE FUNCTION grid_id_of(latitude float8, longitude float8) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN latitude BETWEEN 33 AND 39 AND longitude BETWEEN 124.5 AND 132 THEN
    1 + floor((latitude - 33.0) * 100.0 + 0.5)::integer * 751
      + floor((longitude - 124.5) * 100.0 + 0.5)::integer
END;
COMMENT ON FUNCTION grid_id_of IS 'The cell that holds a place (degrees); NULL outside the frame.';

CREATE FUNCTION grid_latitude(grid_id integer) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ((grid_id - 1) / 751 + 3300) / 100.0::float8;

CREATE FUNCTION grid_longitude(grid_id integer) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ((grid_id - 1) % 751 + 12450) / 100.0::float8;

CREATE TABLE location_grid (
    grid_id            integer PRIMARY KEY CHECK (grid_id BETWEEN 1 AND 451351),
    latitude           float8 NOT NULL GENERATED ALWAYS AS (((grid_id - 1) / 751 + 3300) / 100.0::float8) STORED,
    longitude          float8 NOT NULL GENERATED ALWAYS AS (((grid_id - 1) % 751 + 12450) / 100.0::float8) STORED,
    has_climate        boolean NOT NULL DEFAULT false,
    elevation_m        real,
    slope              real CHECK (slope BETWEEN 0 AND 90),
    coast_distance_m   real CHECK (coast_distance_m >= 0),
    river_distance_m   real CHECK (river_distance_m >= 0),
    river_elevation_m  real,
    forest_distance_m  real CHECK (forest_distance_m >= 0),
    impervious_ratio   real CHECK (impervious_ratio BETWEEN 0 AND 1),
    admin_code         text,
    name               text,
    name_ko            text,
    attributes_dataset bigint
);
COMMENT ON TABLE location_grid IS
    'Cells that something is known about: their surroundings (NULL where unknown), and whether they have climate data.';
COMMENT ON COLUMN location_grid.has_climate IS 'Kept by a trigger of climate_data; the yearly batches run over these cells.';
COMMENT ON COLUMN location_grid.slope IS 'Degrees from the horizontal.';
COMMENT ON COLUMN location_grid.river_elevation_m IS 'Elevation of the nearest river''s water.';
COMMENT ON COLUMN location_grid.impervious_ratio IS 'Share of the ground that is sealed, 0 to 1.';
COMMENT ON COLUMN location_grid.name IS 'A place that people know in this cell, where there is one (a city, a station).';

CREATE INDEX location_grid_climate_idx ON location_grid (grid_id) WHERE has_climate;
