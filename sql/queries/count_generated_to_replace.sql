-- A generator's series that real ones will replace, and the years that they have.
SELECT count(*),
       coalesce(sum(round(octet_length(old.values) / 4.0
                          / CASE v.cadence WHEN 'daily' THEN 365.25 WHEN 'monthly' THEN 12 ELSE 1 END)), 0)::bigint
FROM incoming_series
JOIN climate_data AS old USING (variable, grid_id, scenario)
JOIN climate_variable AS v USING (variable)
JOIN dataset USING (dataset_id)
WHERE dataset.synthetic
