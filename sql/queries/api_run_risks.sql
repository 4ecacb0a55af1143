-- The parts of a run, risk by risk, in order, with what they are by scenario and decade.
SELECT part.risk_type, part.hazard_score_100, part.hazard_level, part.exposure_score, part.vulnerability_score,
       part.risk_score, part.risk_level, part.contribution_percent, part.final_aal, loss.final_aal_low,
       loss.final_aal_high, part.expected_loss, loss.return_period_losses, part.risk_score_by_projection,
       loss.final_aal_by_projection, part.status, part.reason, part.is_default
FROM risk_results_runs AS part
JOIN aal_scaled_results_runs AS loss USING (batch_id, site_no, risk_type)
JOIN risk_type USING (risk_type)
WHERE part.batch_id = %(batch_id)s AND part.site_no = %(site_no)s
ORDER BY position
