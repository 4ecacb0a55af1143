-- A page of batches, the latest first, after the one that the last page ended with.
SELECT batch_id, job_type, status, progress, current_step, total_items, completed_items, failed_items, skipped_items,
       error_message, created_at, started_at, completed_at
FROM batch_jobs
WHERE (%(status)s::text[] IS NULL OR status = ANY (%(status)s))
  AND (%(job_type)s::text[] IS NULL OR job_type = ANY (%(job_type)s))
  AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
  AND (%(before)s::timestamptz IS NULL OR (created_at, batch_id) < (%(before)s, %(before_id)s::uuid))
ORDER BY created_at DESC, batch_id DESC
LIMIT %(most)s
