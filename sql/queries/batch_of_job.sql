SELECT batch_of_job(%(job_id)s, %(job_type)s, %(input_params)s)
