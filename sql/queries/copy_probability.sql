COPY probability_packed (
    grid_id, risk_type, damage_set, n_bins, bin_edges, probabilities, damage_rates, aal, aal_low, aal_high, estimator,
    n_years, status, baseline, reach, is_default, reason, method_version, input_hash, batch_id)
FROM STDIN (FORMAT BINARY)
