SELECT * FROM prune_queue(make_interval(hours => %(hours)s), make_interval(days => %(days)s))
