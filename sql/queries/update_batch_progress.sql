UPDATE batch_jobs SET
    status = 'running',
    started_at = coalesce(started_at, clock_timestamp()),
    progress = greatest(progress, least(99, %(progress)s::integer)),
    current_step = coalesce(%(current_step)s, current_step),
    completed_items = coalesce(%(completed_items)s, completed_items),
    failed_items = coalesce(%(failed_items)s, failed_items),
    updated_at = clock_timestamp()
WHERE batch_id = %(batch_id)s AND status IN ('queued', 'running')
