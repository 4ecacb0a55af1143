SELECT count(*) FILTER (WHERE status = 'todo') AS waiting,
       count(*) FILTER (WHERE status = 'doing') AS running,
       (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '25 seconds') AS workers_alive
FROM procrastinate_jobs
WHERE status IN ('todo', 'doing')
