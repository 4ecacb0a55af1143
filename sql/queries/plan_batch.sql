SELECT plan_batch(%(batch_id)s, %(most_cells)s, %(method_version)s, %(damage_set)s)
