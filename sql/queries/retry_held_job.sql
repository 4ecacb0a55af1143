SELECT retry_held_job(
    %(job_id)s, %(worker_id)s, %(attempts)s, coalesce(%(retry_at)s, now()), %(new_priority)s, %(new_queue_name)s,
    %(new_lock)s) AS was_ours
