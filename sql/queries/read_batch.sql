SELECT batch_id, job_type, status, progress, current_step, total_items, completed_items, failed_items, skipped_items,
       input_params, warnings, error_message, error_stack_trace, attempt, actual_duration_seconds,
       created_by, created_at, started_at, updated_at, completed_at
FROM batch_jobs
WHERE batch_id = %(batch_id)s
