SELECT grid_id, risk_type, scenario, horizon, p.status AS probability_status, h.status AS hazard_status,
       p.baseline, p.estimator, p.n_years, p.aal, p.aal_low, p.aal_high, p.is_default, p.reach, p.bin_probabilities,
       p.bin_base_damage_rates, p.bin_edges, p.damage_set, h.hazard_score_100, h.hazard_level, h.coverage,
       coalesce(p.reason, h.reason) AS reason
FROM probability_results AS p
FULL JOIN hazard_results AS h USING (grid_id, risk_type, scenario, horizon)
JOIN risk_type USING (risk_type)
JOIN projection USING (scenario, horizon)
WHERE grid_id = ANY (%(grid_ids)s) AND (%(risk_types)s::text[] IS NULL OR risk_type = ANY (%(risk_types)s))
ORDER BY grid_id, position, projection_id
