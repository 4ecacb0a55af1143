-- What the indicators need beside climate series: storms, tides, rivers, water use, global warming, and two more
-- attributes of cells. No foreign keys: files come in any order, and what fits together is joined when it is read.

ALTER TABLE location_grid
    ADD COLUMN basin_id text,
    ADD COLUMN crest_m  real CHECK (crest_m BETWEEN -100 AND 9000);
COMMENT ON COLUMN location_grid.elevation_m IS 'Height of the ground above mean sea level (Incheon), m.';
COMMENT ON COLUMN location_grid.basin_id IS 'The river basin that the cell draws its water from: basin.basin_id.';
COMMENT ON COLUMN location_grid.crest_m IS
    'Height of the sea defence that shields the cell, m above mean sea level (Incheon); NULL: not known.';

CREATE TABLE best_track (
    storm          text NOT NULL,
    name           text,
    time           timestamptz NOT NULL,
    grade          smallint NOT NULL CHECK (grade BETWEEN 1 AND 9),
    latitude       float8 NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude      float8 NOT NULL CHECK (longitude BETWEEN 0 AND 360),
    pressure_hpa   real NOT NULL,
    wind_kt        real,
    direction_50   smallint NOT NULL DEFAULT 0 CHECK (direction_50 BETWEEN 0 AND 9),
    longest_50_nm  real,
    shortest_50_nm real,
    direction_30   smallint NOT NULL DEFAULT 0 CHECK (direction_30 BETWEEN 0 AND 9),
    longest_30_nm  real,
    shortest_30_nm real,
    dataset_id     bigint NOT NULL,
    PRIMARY KEY (storm, time)
);
COMMENT ON TABLE best_track IS
    'Fixes of tropical cyclones as RSMC Tokyo analyses them; radii and wind are NULL where none is analysed.';
COMMENT ON COLUMN best_track.storm IS
    'International number (1501: the first of 2015), or the time of the first fix where there is none.';
COMMENT ON COLUMN best_track.grade IS
    '2 tropical depression, 3 to 5 storm to typhoon, 6 extratropical, 7 entering the region, 9 storm or more.';
COMMENT ON COLUMN best_track.wind_kt IS 'Maximum 10-minute wind, knots.';
COMMENT ON COLUMN best_track.direction_50 IS
    'Side of the longest radius of 50 knots: 1 NE, 2 E, 3 SE … 8 N; 0 and 9: no side. So direction_30.';
COMMENT ON COLUMN best_track.longest_50_nm IS
    'Longest radius of winds of 50 knots, nautical miles; shortest_50_nm, longest_30_nm, shortest_30_nm alike.';
CREATE INDEX best_track_time_idx ON best_track (time);

CREATE TABLE best_track_year (
    dataset_id bigint NOT NULL,
    year       smallint NOT NULL CHECK (year BETWEEN 1850 AND 2300),
    PRIMARY KEY (dataset_id, year)
);
COMMENT ON TABLE best_track_year IS
    'Years (UTC) of which a data set has all storms: without a storm among them such a year had none; of any other '
    'year nothing is known.';

CREATE TABLE tide_gauge (
    gauge_id       text PRIMARY KEY CHECK (gauge_id <> ''),
    name           text,
    latitude       float8 NOT NULL CHECK (latitude BETWEEN 30 AND 42),
    longitude      float8 NOT NULL CHECK (longitude BETWEEN 120 AND 136),
    datum_offset_m float8 NOT NULL DEFAULT 0 CHECK (datum_offset_m BETWEEN -100 AND 100),
    dataset_id     bigint NOT NULL
);
COMMENT ON TABLE tide_gauge IS 'Where the level of the sea is measured. Cells by the coast look to the nearest one.';
COMMENT ON COLUMN tide_gauge.datum_offset_m IS
    'Height of the gauge''s zero above mean sea level at Incheon, m: level + offset is comparable with elevation_m.';

CREATE TABLE tide_gauge_maximum (
    gauge_id   text NOT NULL,
    year       smallint NOT NULL CHECK (year BETWEEN 1850 AND 2300),
    level_m    float8 NOT NULL CHECK (level_m BETWEEN -50 AND 50),
    dataset_id bigint NOT NULL,
    PRIMARY KEY (gauge_id, year)
);
COMMENT ON TABLE tide_gauge_maximum IS 'The highest still water level (tide and surge) of each year.';
COMMENT ON COLUMN tide_gauge_maximum.level_m IS 'm above the gauge''s zero.';

CREATE TABLE sea_level_rise (
    gauge_id   text NOT NULL,
    scenario   text NOT NULL CHECK (scenario IN ('historical', 'ssp126', 'ssp245', 'ssp370', 'ssp585')),
    year       smallint NOT NULL CHECK (year BETWEEN 1850 AND 2300),
    rise_m     float8 NOT NULL CHECK (rise_m BETWEEN -5 AND 10),
    dataset_id bigint NOT NULL,
    PRIMARY KEY (gauge_id, scenario, year)
);
COMMENT ON TABLE sea_level_rise IS 'Mean sea level at the gauges by scenario and year.';
COMMENT ON COLUMN sea_level_rise.rise_m IS
    'm relative to the mean of 1995-2014 at the gauge, movement of the land included.';

CREATE TABLE basin (
    basin_id             text PRIMARY KEY CHECK (basin_id <> ''),
    name                 text,
    mean_flow_million_m3 float8 NOT NULL CHECK (mean_flow_million_m3 BETWEEN 1e-6 AND 1e9),
    dataset_id           bigint NOT NULL
);
COMMENT ON TABLE basin IS 'River basins that cells draw their water from (location_grid.basin_id).';
COMMENT ON COLUMN basin.mean_flow_million_m3 IS
    'Gauged flow out of the basin, million m³ a year, mean of the baseline 1991-2020.';

CREATE TABLE water_use (
    basin_id              text NOT NULL,
    scenario              text NOT NULL CHECK (scenario IN ('historical', 'ssp126', 'ssp245', 'ssp370', 'ssp585')),
    year                  smallint NOT NULL CHECK (year BETWEEN 1850 AND 2300),
    withdrawal_million_m3 float8 NOT NULL CHECK (withdrawal_million_m3 BETWEEN 0 AND 1e9),
    dataset_id            bigint NOT NULL,
    PRIMARY KEY (basin_id, scenario, year)
);
COMMENT ON TABLE water_use IS
    'Water withdrawn in a basin. Between two given years it is linear in time, before the first and after the last '
    'it is constant; a scenario without rows goes on with the history''s.';
COMMENT ON COLUMN water_use.withdrawal_million_m3 IS 'Million m³ in the year.';

CREATE TABLE warming_level (
    scenario   text NOT NULL CHECK (scenario IN ('historical', 'ssp126', 'ssp245', 'ssp370', 'ssp585')),
    year       smallint NOT NULL CHECK (year BETWEEN 1850 AND 2300),
    regional   boolean NOT NULL DEFAULT false,
    warming_k  float8 NOT NULL CHECK (warming_k BETWEEN -5 AND 15),
    dataset_id bigint NOT NULL,
    PRIMARY KEY (scenario, year, regional)
);
COMMENT ON TABLE warming_level IS 'Warming by scenario and year: what the winds of typhoons grow with.';
COMMENT ON COLUMN warming_level.regional IS
    'The warming is Korea''s own, for want of the globe''s; read only while no row of the globe''s is stored.';
COMMENT ON COLUMN warming_level.warming_k IS
    'K of mean surface air temperature, of the globe or (regional) of Korea, relative to the mean of 1991-2020.';

CREATE TABLE evapotranspiration_method (
    grid_id    integer PRIMARY KEY CHECK (grid_id BETWEEN 1 AND 451351),
    method     text NOT NULL CHECK (method IN ('penman_monteith', 'hargreaves', 'thornthwaite', 'given')),
    dataset_id bigint NOT NULL
);
COMMENT ON TABLE evapotranspiration_method IS
    'How the series pet_month of a cell was made: one method for all its scenarios, the best that the data of all of '
    'them allow. given: it came from a file as pet_month.';
