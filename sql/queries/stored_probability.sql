SELECT grid_id, damage_set, n_bins, bin_edges, probabilities, damage_rates, aal, aal_low, aal_high, estimator, n_years,
       status, input_hash
FROM probability_packed
WHERE grid_id = ANY (%(grid_ids)s) AND risk_type = %(risk_type)s
