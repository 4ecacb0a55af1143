SELECT calculated_at, batch_id, site_no, scenario, target_year, total_risk_score, risk_level, total_aal, expected_loss,
       speaks, changes, method_version, damage_set, risk_types
FROM risk_history(%(latitude)s::float8, %(longitude)s::float8)
