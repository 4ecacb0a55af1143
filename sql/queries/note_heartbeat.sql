SELECT doing, migrations FROM note_heartbeat(%(worker_id)s)
