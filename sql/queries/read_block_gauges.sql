-- Gauges that have measured a year at least, the years and levels (m above mean sea level) of each strung together.
SELECT gauge.gauge_id, latitude, longitude, dataset.synthetic,
       string_agg(int4send(year), ''::bytea) AS years,
       string_agg(float8send(level_m + datum_offset_m), ''::bytea) AS levels
FROM tide_gauge AS gauge
JOIN dataset ON dataset.dataset_id = gauge.dataset_id
JOIN tide_gauge_maximum AS maximum ON maximum.gauge_id = gauge.gauge_id
GROUP BY gauge.gauge_id, dataset.synthetic
ORDER BY gauge.gauge_id
