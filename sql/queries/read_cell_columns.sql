SELECT p.risk_type, p.damage_set, p.n_bins, p.grid_id, p.is_default, p.reason, h.reason,
       array_send(p.aal), array_send(p.aal_low), array_send(p.aal_high), array_send(p.status),
       array_send(p.probabilities), array_send(p.damage_rates), array_send(h.score), array_send(h.status)
FROM probability_packed AS p
JOIN hazard_packed AS h USING (grid_id, risk_type)
WHERE p.grid_id = ANY (%(grid_ids)s) AND p.risk_type = ANY (%(risk_types)s)
