SELECT note_heartbeat(%(worker_id)s) AS doing
