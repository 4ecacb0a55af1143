SELECT admin_code, name, name_ko, population, population_year
FROM population_of(%(grid_id)s::integer)
