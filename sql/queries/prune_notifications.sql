DELETE FROM request_notification AS n
WHERE NOT EXISTS (
    SELECT FROM batch_jobs AS b
    WHERE b.batch_id = n.batch_id
      AND (b.completed_at IS NULL OR b.completed_at >= clock_timestamp() - make_interval(days => %(days)s)))
