SELECT batch_id FROM batch_jobs WHERE batch_id BETWEEN %(first)s::uuid AND %(last)s::uuid ORDER BY batch_id LIMIT 3
