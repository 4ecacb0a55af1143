SELECT await_cell_results(%(batch_id)s, %(attempt)s, %(grid_id)s)
