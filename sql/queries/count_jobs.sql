SELECT queue_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2
