COPY hazard_packed (grid_id, risk_type, score, coverage, status, reason, method_version, input_hash, batch_id)
FROM STDIN (FORMAT BINARY)
