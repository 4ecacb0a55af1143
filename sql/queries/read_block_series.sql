-- Both aggregates of a group see its rows in the same order, so cells and values stay together without a sort.
SELECT variable, scenario, first_year::integer, octet_length(values) / 4 AS n_years,
       string_agg(int4send(grid_id), ''::bytea) AS cells,
       string_agg(values, ''::bytea) AS series
FROM climate_data
WHERE variable = ANY (%(variables)s)
  AND grid_id BETWEEN %(first)s AND %(last)s
  AND (%(cells)s::integer[] IS NULL OR grid_id = ANY (%(cells)s))
GROUP BY variable, scenario, first_year, octet_length(values)
