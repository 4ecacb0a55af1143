-- The latest that have ended. A row is compared, so that batch_jobs_recent_idx begins with them however many wait.
SELECT batch_id, job_type, status, progress, actual_duration_seconds, error_message, created_at, started_at, completed_at
FROM batch_jobs
WHERE (status IN ('queued', 'running'), created_at) <= (false, 'infinity'::timestamptz)
ORDER BY status IN ('queued', 'running') DESC, created_at DESC
LIMIT %(most)s
