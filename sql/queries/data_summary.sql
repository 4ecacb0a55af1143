SELECT (SELECT count(*) FROM location_grid WHERE has_climate) AS cells_with_climate,
       (SELECT count(*) FROM probability_packed) AS probability_rows,
       (SELECT count(*) FROM hazard_packed) AS hazard_rows
