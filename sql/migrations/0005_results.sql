-- Results of the yearly batches: one row per (cell, risk) with arrays over projections, and views in long form.

CREATE TABLE probability_packed (
    grid_id           integer NOT NULL,
    risk_type         text NOT NULL,
    damage_set        text NOT NULL CHECK (damage_set IN ('calibrated', 'reference')),
    n_bins            smallint NOT NULL CHECK (n_bins BETWEEN 2 AND 20),
    bin_edges         float8[] NOT NULL,
    probabilities     float8[] NOT NULL,
    damage_rates      float8[] NOT NULL,
    aal               float8[] NOT NULL,
    aal_low           float8[] NOT NULL,
    aal_high          float8[] NOT NULL,
    estimator         smallint[] NOT NULL,
    n_years           smallint[] NOT NULL,
    status            smallint[] NOT NULL,
    baseline          text,
    reach             float8,
    is_default        boolean NOT NULL DEFAULT false,
    reason            text,
    method_version    text NOT NULL,
    input_hash        bytea,
    batch_id          uuid,
    calculated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (grid_id, risk_type)
);
COMMENT ON TABLE probability_packed IS
    'P(H) and base damage rates of a cell and risk. Arrays run over projections (projection_id), those with a value '
    'per bin over projections, then bins; damage_rates and bin_edges may hold one projection''s values, good for all. '
    'Inside the arrays NaN stands for none, and status 0 for a projection that this cell has no data of its own for: '
    'arrays of one size are written at the speed of the disk. Read it through probability_results.';

-- The part of an array that belongs to one projection, for arrays of width values per projection (or one for all);
-- NULL where the values are NaN, that is, missing.
CREATE FUNCTION projection_slice(packed float8[], projection_id integer, width integer) RETURNS float8[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN cardinality(packed) = width THEN CASE WHEN packed[1] <> 'NaN' THEN packed END
    WHEN packed[(projection_id - 1) * width + 1] <> 'NaN'
    THEN packed[(projection_id - 1) * width + 1 : projection_id * width]
END;

CREATE VIEW probability_results AS
SELECT grid_id,
       grid_latitude(grid_id) AS latitude,
       grid_longitude(grid_id) AS longitude,
       risk_type,
       scenario,
       horizon,
       target_year,
       nullif(aal[projection_id], 'NaN') AS aal,
       nullif(aal_low[projection_id], 'NaN') AS aal_low,
       nullif(aal_high[projection_id], 'NaN') AS aal_high,
       projection_slice(probabilities, projection_id, n_bins) AS bin_probabilities,
       projection_slice(damage_rates, projection_id, n_bins) AS bin_base_damage_rates,
       projection_slice(bin_edges, projection_id, n_bins - 1) AS bin_edges,
       estimator_name(nullif(estimator[projection_id], 0::smallint)) AS estimator,
       nullif(n_years[projection_id], -1::smallint) AS n_years,
       baseline,
       nullif(reach, 'NaN') AS reach,
       damage_set,
       result_status_name(status[projection_id]) AS status,
       is_default,
       CASE WHEN status[projection_id] >= 3 THEN reason END AS reason,
       method_version,
       input_hash,
       batch_id,
       calculated_at
FROM probability_packed
JOIN projection ON status[projection_id] <> 0;
COMMENT ON VIEW probability_results IS
    'P(H): the probability of each intensity bin in a year with its base damage rate; aal is their product''s sum, '
    'a fraction of the asset''s value per year. One row per cell, risk, scenario and horizon.';

CREATE TABLE hazard_packed (
    grid_id        integer NOT NULL,
    risk_type      text NOT NULL,
    score          float8[] NOT NULL,
    coverage       float8[] NOT NULL,
    status         smallint[] NOT NULL,
    reason         text,
    method_version text NOT NULL,
    input_hash     bytea,
    batch_id       uuid,
    calculated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (grid_id, risk_type)
);
COMMENT ON TABLE hazard_packed IS
    'Hazard scores of a cell and risk (0 to 100), arrays over projections (NaN and status 0 as in '
    'probability_packed). Read it through hazard_results.';

CREATE VIEW hazard_results AS
SELECT grid_id,
       grid_latitude(grid_id) AS latitude,
       grid_longitude(grid_id) AS longitude,
       risk_type,
       scenario,
       horizon,
       target_year,
       nullif(score[projection_id], 'NaN') / 100 AS hazard_score,
       nullif(score[projection_id], 'NaN') AS hazard_score_100,
       score_level(score[projection_id]) AS hazard_level,
       nullif(coverage[projection_id], 'NaN') AS coverage,
       result_status_name(status[projection_id]) AS status,
       CASE WHEN status[projection_id] >= 3 THEN reason END AS reason,
       method_version,
       input_hash,
       batch_id,
       calculated_at
FROM hazard_packed
JOIN projection ON status[projection_id] <> 0;
COMMENT ON VIEW hazard_results IS
    'Hazard scores with their level; coverage is the share of the score''s weight that had data. One row per cell, '
    'risk, scenario and horizon.';
