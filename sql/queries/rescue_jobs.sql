SELECT * FROM rescue_jobs(make_interval(secs => %(silent_for)s), %(most_tries)s)
