SELECT hold_unchanged_cells(%(grid_ids)s, %(hashes)s, %(method_version)s)
