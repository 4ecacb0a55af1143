-- Those that run, longest first; then those that wait.
SELECT batch_id, job_type, status, progress, current_step, total_items, completed_items, failed_items, created_at,
       started_at, estimated_duration_minutes,
       completed_items / nullif(extract(epoch FROM clock_timestamp() - started_at), 0)::float8 AS items_per_second
FROM batch_jobs
WHERE status IN ('queued', 'running')
ORDER BY status = 'running' DESC, coalesce(started_at, created_at)
LIMIT %(most)s
