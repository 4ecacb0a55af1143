SELECT p.grid_id, p.risk_type, p.aal, p.aal_low, p.aal_high, p.status, p.n_bins, p.probabilities, p.damage_rates,
       p.bin_edges, p.estimator, p.n_years, p.baseline, p.damage_set, p.is_default, p.reason,
       h.score, h.status, h.coverage, h.reason
FROM probability_packed AS p
JOIN hazard_packed AS h USING (grid_id, risk_type)
WHERE p.grid_id = ANY (%(grid_ids)s) AND p.risk_type = ANY (%(risk_types)s)
