-- Of each queue: the jobs that could start now, for how long the oldest has waited, and whether anybody serves it.
--
-- Numbers rise with the time of the request, so the oldest of the jobs that were never put off is the one with the least
-- number: its request is one look-up, where the requests of all would be a join of two large tables. Between two jobs a
-- queue that is served has none under way for a moment: what was started lately, among the latest events, counts too.
SELECT waiting.queue_name,
       waiting.jobs,
       extract(epoch FROM clock_timestamp() - least(waiting.put_off_until, (
           SELECT min(at) FROM procrastinate_events WHERE job_id = waiting.first_id))::timestamptz)::float8 AS seconds,
       EXISTS (SELECT FROM procrastinate_jobs AS j
               JOIN procrastinate_workers AS w ON w.id = j.worker_id
               WHERE j.status = 'doing' AND j.queue_name = waiting.queue_name
                 AND w.last_heartbeat > clock_timestamp() - make_interval(secs => %(silent_for)s))
       OR EXISTS (SELECT FROM (SELECT job_id, type, at FROM procrastinate_events ORDER BY id DESC LIMIT 1000) AS latest
                  JOIN procrastinate_jobs AS j ON j.id = latest.job_id
                  WHERE latest.type = 'started' AND j.queue_name = waiting.queue_name
                    AND latest.at > clock_timestamp() - make_interval(secs => %(silent_for)s)) AS is_served
FROM (SELECT queue_name,
             count(*) AS jobs,
             min(id) FILTER (WHERE scheduled_at IS NULL) AS first_id,
             min(scheduled_at) AS put_off_until
      FROM procrastinate_jobs
      WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp())
      GROUP BY queue_name) AS waiting
ORDER BY waiting.queue_name
