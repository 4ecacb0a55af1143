UPDATE batch_jobs SET
    status = 'failed', current_step = NULL, error_message = %(error_message)s,
    error_stack_trace = %(error_stack_trace)s,
    started_at = coalesce(started_at, clock_timestamp()),
    completed_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE batch_id = %(batch_id)s AND status IN ('queued', 'running')
