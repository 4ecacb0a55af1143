COPY incoming_series (variable, grid_id, scenario, first_year, values) FROM STDIN (FORMAT BINARY)
