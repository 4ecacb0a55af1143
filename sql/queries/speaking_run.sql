-- The run that speaks for a place, of the scenario and decade asked for; where neither is asked for, the latest.
SELECT run.batch_id, run.site_no, run.site_id, run.latitude, run.longitude, run.grid_id, run.projection_id,
       run.risk_types, run.insurance_rate, run.asset_value, run.building, run.building_source, run.surroundings,
       run.population, run.inputs, run.steps, run.method_version, run.damage_set, run.total_risk_score,
       run.risk_level, run.total_aal, run.expected_loss, run.calculated_at,
       p.scenario, p.horizon, p.target_year, b.job_type,
       CASE b.job_type WHEN 'portfolio_risk_calculation' THEN '[]'::jsonb ELSE b.warnings END AS warnings,
       b.results -> 'building' AS answered_building
FROM current_run AS c
JOIN risk_run AS run USING (batch_id, site_no)
JOIN projection AS p ON p.projection_id = c.projection_id
LEFT JOIN batch_jobs AS b ON b.batch_id = run.batch_id
WHERE c.latitude = %(latitude)s AND c.longitude = %(longitude)s
  AND (%(scenario)s::text IS NULL OR p.scenario = %(scenario)s)
  AND (%(target_year)s::integer IS NULL OR p.target_year = %(target_year)s)
ORDER BY run.calculated_at DESC
LIMIT 1
