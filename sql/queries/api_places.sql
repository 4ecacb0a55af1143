-- Places by the run that speaks for each, the latest first.
SELECT run.latitude, run.longitude, p.scenario, p.horizon, p.target_year, run.total_risk_score, run.risk_level,
       run.total_aal, run.site_id, run.batch_id, run.site_no, run.calculated_at
FROM current_run AS c
JOIN risk_run AS run USING (batch_id, site_no)
JOIN projection AS p ON p.projection_id = c.projection_id
ORDER BY run.calculated_at DESC
LIMIT %(most)s
