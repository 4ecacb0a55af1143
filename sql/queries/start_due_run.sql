SELECT start_due_run(%(schedule)s, %(due_at)s)
