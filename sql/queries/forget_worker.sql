DELETE FROM procrastinate_workers WHERE id = %(worker_id)s
