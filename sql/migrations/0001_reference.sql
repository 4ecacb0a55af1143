-- The words that everything else refers to: scenarios, horizons, projections, risk types.
-- A new row in one of these tables is the whole of what the database needs to know about it.

CREATE TABLE scenario (
    scenario text PRIMARY KEY,
    position smallint NOT NULL UNIQUE,
    name     text NOT NULL,
    aliases  text[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE scenario IS 'Climate scenarios: the observed or simulated past, and the CMIP6 pathways.';

INSERT INTO scenario (scenario, position, name, aliases) VALUES
    ('historical', 0, 'Historical', '{observed,hist}'),
    ('ssp126', 1, 'SSP1-2.6', '{ssp1,ssp1-2.6}'),
    ('ssp245', 2, 'SSP2-4.5', '{ssp2,ssp2-4.5}'),
    ('ssp370', 3, 'SSP3-7.0', '{ssp3,ssp3-7.0}'),
    ('ssp585', 4, 'SSP5-8.5', '{ssp5,ssp5-8.5}');

CREATE TABLE horizon (
    horizon     text PRIMARY KEY,
    position    smallint NOT NULL UNIQUE,
    target_year smallint UNIQUE,
    first_year  smallint NOT NULL,
    last_year   smallint NOT NULL
);
COMMENT ON TABLE horizon IS
    'What a result speaks of: the baseline, or a decade. A decade D is read through the 20 years D-5 to D+14, '
    'shifted where the data end, so that the windows of any two decades differ.';

INSERT INTO horizon (horizon, position, target_year, first_year, last_year) VALUES
    ('baseline', 0, NULL, 1991, 2020),
    ('2020s', 1, 2020, 2015, 2034),
    ('2030s', 2, 2030, 2025, 2044),
    ('2040s', 3, 2040, 2035, 2054),
    ('2050s', 4, 2050, 2045, 2064),
    ('2060s', 5, 2060, 2055, 2074),
    ('2070s', 6, 2070, 2065, 2084),
    ('2080s', 7, 2080, 2075, 2094),
    ('2090s', 8, 2090, 2081, 2100);

CREATE TABLE projection (
    projection_id smallint PRIMARY KEY,
    scenario      text NOT NULL REFERENCES scenario,
    horizon       text NOT NULL REFERENCES horizon,
    target_year   smallint,
    UNIQUE (scenario, horizon)
);
COMMENT ON TABLE projection IS
    'The columns of a packed result: projection_id is the (1-based) place in its arrays.';

INSERT INTO projection (projection_id, scenario, horizon, target_year)
SELECT row_number() OVER (ORDER BY scenario.position, horizon.position), scenario, horizon, target_year
FROM scenario
JOIN horizon ON (scenario = 'historical') = (horizon = 'baseline');

CREATE TABLE risk_type (
    risk_type text PRIMARY KEY,
    position  smallint NOT NULL UNIQUE,
    loss_kind text NOT NULL CHECK (loss_kind IN ('direct', 'operational')),
    name      text NOT NULL,
    name_ko   text NOT NULL,
    aliases   text[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE risk_type IS
    'The hazards that are computed. loss_kind: damage to the asset (direct), or running cost and output (operational).';

INSERT INTO risk_type (risk_type, position, loss_kind, name, name_ko, aliases) VALUES
    ('extreme_heat', 1, 'operational', 'Extreme heat', '극심한 고온', '{high_temperature}'),
    ('river_flood', 7, 'direct', 'River flood', '하천 홍수', '{inland_flood}');

-- Codes of the packed results. Status 0: the cell has no data of its own for that projection, so there is no result.
CREATE FUNCTION result_status_name(code smallint) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (ARRAY['ok', 'short_record', 'insufficient_data', 'not_applicable', 'failed'])[code];

CREATE FUNCTION estimator_name(code smallint) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (ARRAY['shrunk', 'hurdle', 'count', 'gev', 'analytic', 'kde'])[code];

-- Level of any score of 0 to 100.
CREATE FUNCTION score_level(score float8) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN score = 'NaN' THEN NULL
    WHEN score >= 80 THEN 'very_high'
    WHEN score >= 60 THEN 'high'
    WHEN score >= 40 THEN 'medium'
    WHEN score >= 20 THEN 'low'
    ELSE 'very_low'
END;
