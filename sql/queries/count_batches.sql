SELECT job_type, status, count(*) FROM batch_jobs GROUP BY 1, 2
