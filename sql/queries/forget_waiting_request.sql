-- The job of a request that was answered without it. One that a daemon has taken meanwhile finds the request answered.
DELETE FROM procrastinate_jobs
WHERE task_name = 'ondemand_risk' AND status = 'todo' AND args ->> 'batch_id' = %(batch_id)s::text
