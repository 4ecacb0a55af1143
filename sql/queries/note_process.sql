-- Processes that the queue has long forgotten go, with every new one that comes.
WITH forgotten AS (
    DELETE FROM daemon_process AS p
    WHERE p.noted_at < clock_timestamp() - interval '1 day'
      AND NOT EXISTS (SELECT FROM procrastinate_workers AS w WHERE w.id = p.worker_id)
)
INSERT INTO daemon_process (worker_id, role, host, pid)
VALUES (%(worker_id)s, %(role)s, %(host)s, %(pid)s)
ON CONFLICT (worker_id) DO UPDATE
SET role = excluded.role, host = excluded.host, pid = excluded.pid, noted_at = excluded.noted_at
