SELECT (SELECT count(*) FROM location_grid WHERE has_climate) AS cells,
       (SELECT min(first_year) FROM dataset) AS first_year,
       (SELECT max(last_year) FROM dataset) AS last_year,
       EXISTS (SELECT FROM dataset WHERE synthetic) AS synthetic,
       EXISTS (SELECT FROM dataset WHERE NOT synthetic) AS real,
       EXISTS (SELECT FROM tide_gauge_maximum) AS has_tides,
       ARRAY(SELECT DISTINCT scenario FROM sea_level_rise) AS rise,
       ARRAY(SELECT DISTINCT scenario FROM warming_level) AS warming,
       (SELECT max(loaded_at) FROM dataset) AS loaded_at,
       (SELECT max(started_at) FROM batch_jobs
        WHERE status = 'completed' AND job_type IN ('probability', 'assessment')) AS probability_at,
       (SELECT max(started_at) FROM batch_jobs
        WHERE status = 'completed' AND job_type IN ('hazard', 'assessment')) AS hazard_at
