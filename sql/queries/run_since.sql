-- Whether a batch over everything that a schedule's batch is about was started since, however that came.
SELECT EXISTS (SELECT FROM batch_jobs AS b
               WHERE b.created_at >= %(since)s
                 AND batch_families(b.job_type) @> batch_families(%(job_type)s)
                 AND b.input_params::jsonb - 'force' = '{}')
