SELECT grid_id FROM cells_to_derive(%(first)s, %(last)s) ORDER BY grid_id
