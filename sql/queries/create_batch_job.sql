INSERT INTO batch_jobs (job_type, input_params) VALUES (%(job_type)s, %(input_params)s) RETURNING batch_id
