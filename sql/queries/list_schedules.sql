SELECT schedule, job_type, paused, definition, defined_at,
       (SELECT max(due_at) FROM scheduled_runs AS r WHERE r.schedule = s.schedule) AS last_due_at,
       (SELECT batch_id FROM scheduled_runs AS r WHERE r.schedule = s.schedule ORDER BY due_at DESC LIMIT 1) AS last_batch_id
FROM schedule AS s
ORDER BY position
