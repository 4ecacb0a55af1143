SELECT count(*) FILTER (WHERE status IN ('queued', 'running')) AS open,
       count(*) FILTER (WHERE status = 'completed') AS completed,
       count(*) FILTER (WHERE status = 'failed') AS failed,
       count(*) FILTER (WHERE status = 'cancelled') AS cancelled
FROM batch_jobs
WHERE job_type = 'ondemand_risk_calculation' AND created_at > now() - interval '1 hour'
