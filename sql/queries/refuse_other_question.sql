SELECT input_params::jsonb AS asked, normalise_request_params(%(input_params)s) AS given
FROM batch_jobs
WHERE batch_id = %(batch_id)s
