COPY risk_results_runs (batch_id, site_no, risk_type, hazard_score_100, hazard_level, exposure_score, vulnerability_score,
                        risk_score, risk_level, risk_product, contribution_percent, final_aal, expected_loss,
                        hazard_by_projection, hazard_status_by_projection, risk_score_by_projection, is_default, status,
                        reason)
FROM STDIN (FORMAT BINARY)
