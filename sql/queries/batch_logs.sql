SELECT log_id, step, status, started_at, completed_at, extract(epoch FROM duration)::float8 AS seconds,
       total_grids, processed_grids, failed_grids, skipped_grids, success_rate, error_message
FROM batch_job_logs
WHERE batch_id = %(batch_id)s
ORDER BY log_id
LIMIT 1000
