SELECT batch_id, job_type, status, progress, current_step, total_items, completed_items, failed_items, total_chunks,
       open_chunks, results, warnings, error_message, actual_duration_seconds,
       completed_items / nullif(extract(epoch FROM coalesce(completed_at, clock_timestamp()) - started_at), 0)::float8
           AS cells_per_second
FROM batch_jobs
WHERE batch_id = %(batch_id)s
