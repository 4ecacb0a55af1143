-- Where some batches stand: what event streams tell.
SELECT batch_id::text, status, progress, current_step, error_message, completed_at
FROM batch_jobs
WHERE batch_id = ANY (%(batch_ids)s::uuid[])
