SELECT count(*) AS batches FROM batch_jobs WHERE status IN ('queued', 'running')
