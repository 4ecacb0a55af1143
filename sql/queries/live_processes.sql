-- Processes that gave a sign of life of late, by host and role; a process that was started by other means has no host.
SELECT p.host, p.role, count(*) AS processes
FROM procrastinate_workers AS w
LEFT JOIN daemon_process AS p ON p.worker_id = w.id
WHERE w.last_heartbeat > now() - interval '25 seconds'
GROUP BY p.host, p.role
ORDER BY p.host, p.role
