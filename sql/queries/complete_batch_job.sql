UPDATE batch_jobs SET
    status = 'completed', progress = 100, current_step = NULL, results = %(results)s,
    started_at = coalesce(started_at, clock_timestamp()),
    completed_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE batch_id = %(batch_id)s AND status IN ('queued', 'running')
