SELECT batch_id, job_type, status, progress, current_step, total_items, completed_items, failed_items, skipped_items,
       actual_duration_seconds, error_message, created_by, created_at, started_at, completed_at
FROM batch_jobs
WHERE (%(statuses)s::text[] IS NULL OR status = ANY (%(statuses)s))
  AND (%(job_types)s::text[] IS NULL OR job_type = ANY (%(job_types)s))
  AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
ORDER BY created_at DESC
LIMIT %(most)s
