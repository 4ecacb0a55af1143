COPY aal_scaled_results_runs (batch_id, site_no, risk_type, base_aal, base_aal_low, base_aal_high, vulnerability_factor,
                              insurance_rate, final_aal, final_aal_low, final_aal_high, expected_loss, baseline_aal,
                              aal_change, aal_change_low, aal_change_high, return_period_losses, final_aal_by_projection,
                              status_by_projection, base_aal_by_projection, base_bounds, bin_probabilities,
                              bin_base_damage_rates, damage_set, is_default, status, reason)
FROM STDIN (FORMAT BINARY)
