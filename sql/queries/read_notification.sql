SELECT n.webhook, n.email, b.job_type, b.status, b.progress, b.error_message, b.warnings, b.completed_at,
       EXISTS (SELECT FROM batch_job_logs AS l
               WHERE l.batch_id = b.batch_id AND l.step = %(step)s AND l.status = 'completed'
                 AND l.completed_at >= b.completed_at) AS is_told
FROM request_notification AS n
JOIN batch_jobs AS b ON b.batch_id = n.batch_id
WHERE n.batch_id = %(batch_id)s
