-- Each scenario's years and values strung together; the globe's warming goes before what Korea's tells of it.
SELECT scenario, regional, string_agg(int4send(year), ''::bytea) AS years,
       string_agg(float8send(warming_k), ''::bytea) AS warming
FROM warming_level
WHERE regional = NOT EXISTS (SELECT FROM warming_level WHERE NOT regional)
GROUP BY scenario, regional
