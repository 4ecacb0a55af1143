COPY exposure_results_runs (batch_id, site_no, risk_type, exposure_score, normalized_asset_value, proximity_factor,
                            defaulted, is_default, status, reason)
FROM STDIN (FORMAT BINARY)
