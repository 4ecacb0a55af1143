SELECT * FROM reconcile_batches(make_interval(secs => %(settled_for)s))
