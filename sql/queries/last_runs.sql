SELECT batch_id, job_type, status, progress, total_items, completed_items, failed_items, skipped_items,
       actual_duration_seconds, error_message, created_at, completed_at
FROM batch_jobs
WHERE job_type <> 'ondemand_risk_calculation' AND completed_at IS NOT NULL
ORDER BY created_at DESC
LIMIT %(most)s
