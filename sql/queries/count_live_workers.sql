SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '25 seconds'
