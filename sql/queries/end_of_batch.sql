SELECT job_type, status, error_message FROM batch_jobs WHERE batch_id = %(batch_id)s
