SELECT gauge_id, scenario, string_agg(int4send(year), ''::bytea) AS years,
       string_agg(float8send(rise_m), ''::bytea) AS rise
FROM sea_level_rise
GROUP BY gauge_id, scenario
