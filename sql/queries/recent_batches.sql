SELECT batch_id, job_type, status, progress, current_step, total_items, completed_items, failed_items,
       actual_duration_seconds, error_message, created_at, started_at, completed_at
FROM batch_jobs
ORDER BY status IN ('queued', 'running') DESC, created_at DESC
LIMIT 10
