SELECT hold_cells(ARRAY(SELECT DISTINCT grid_id FROM incoming_series))
