UPDATE batch_jobs SET
    input_params = normalise_request_params(%(input_params)s),
    input_hash = job_input_hash('ondemand_risk_calculation', normalise_request_params(%(input_params)s))
WHERE batch_id = %(batch_id)s AND job_type = 'test' AND status = 'queued'
