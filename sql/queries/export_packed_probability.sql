SELECT grid_id, risk_type, n_bins, is_default, reach,
       array_send(aal) AS aal, array_send(aal_low) AS aal_low, array_send(aal_high) AS aal_high,
       array_send(probabilities) AS probabilities, array_send(damage_rates) AS damage_rates,
       array_send(bin_edges) AS bin_edges, array_send(estimator) AS estimator, array_send(n_years) AS n_years,
       array_send(status) AS status
FROM probability_packed
WHERE grid_id = ANY (%(grid_ids)s) AND (%(risk_types)s::text[] IS NULL OR risk_type = ANY (%(risk_types)s))
ORDER BY grid_id
