SELECT b.batch_id, b.job_type, b.status, b.progress, b.current_step, b.total_items, b.completed_items, b.failed_items,
       b.skipped_items, b.total_chunks, b.open_chunks, b.input_params::jsonb AS input_params, b.results, b.warnings,
       b.error_message, b.actual_duration_seconds, b.created_at, b.started_at, b.completed_at, b.created_by, b.attempt,
       b.completed_items / nullif(extract(epoch FROM coalesce(b.completed_at, clock_timestamp()) - b.started_at), 0)::float8
           AS items_per_second
FROM batch_jobs AS b
WHERE b.batch_id = %(batch_id)s
