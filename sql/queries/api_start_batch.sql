SELECT start_batch(%(job_type)s, %(input_params)s::jsonb)::text
