SELECT define_schedule(%(schedule)s, %(definition)s)
