SELECT id FROM procrastinate_jobs WHERE id = ANY (%(job_ids)s::bigint[]) AND status = 'doing' AND abort_requested
