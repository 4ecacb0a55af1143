-- A name that is not given stays; a year that is not given stays where the population does.
WITH written AS (
    INSERT INTO location_admin AS known (admin_code, name, name_ko, population, population_year, dataset_id)
    SELECT admin_code, name, name_ko, population, population_year, %(dataset_id)s
    FROM unnest(%(admin_code)s::text[], %(name)s::text[], %(name_ko)s::text[], %(population)s::bigint[],
                %(population_year)s::smallint[]) AS given (admin_code, name, name_ko, population, population_year)
    ORDER BY admin_code
    ON CONFLICT (admin_code) DO UPDATE SET
        name = coalesce(excluded.name, known.name), name_ko = coalesce(excluded.name_ko, known.name_ko),
        population = excluded.population, population_year = coalesce(excluded.population_year,
            CASE WHEN excluded.population = known.population THEN known.population_year END),
        dataset_id = excluded.dataset_id
        WHERE (known.name, known.name_ko, known.population, known.population_year)
            IS DISTINCT FROM (coalesce(excluded.name, known.name), coalesce(excluded.name_ko, known.name_ko),
                              excluded.population, coalesce(excluded.population_year,
                                  CASE WHEN excluded.population = known.population THEN known.population_year END))
    RETURNING xmax = 0 AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
