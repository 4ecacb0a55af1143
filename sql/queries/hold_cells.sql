SELECT hold_cells(%(grid_ids)s)
