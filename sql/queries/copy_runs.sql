COPY risk_run (batch_id, site_no, site_id, latitude, longitude, grid_id, projection_id, risk_types, insurance_rate,
               asset_value, building, building_source, surroundings, population, inputs, method_version, damage_set,
               total_risk_score, risk_level, total_aal, expected_loss)
FROM STDIN (FORMAT BINARY)
