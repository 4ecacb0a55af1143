SELECT log_notification(%(batch_id)s, %(step)s, make_interval(secs => %(seconds)s), %(error)s)
