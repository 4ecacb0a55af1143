SELECT s.site_no, s.site_id, asked.site, i.grid_id, i.projection_id, i.has_climate, i.surroundings::text, i.building::text,
       i.building_source::text, i.population::text, i.inputs::text, i.missing, i.stale
FROM portfolio_site AS s
CROSS JOIN LATERAL (SELECT %(defaults)s || s.site AS site) AS asked
CROSS JOIN LATERAL site_inputs_of(%(question)s, asked.site, %(within_m)s, %(method_version)s, %(damage_set)s) AS i
WHERE s.batch_id = %(batch_id)s AND s.site_no BETWEEN %(first)s AND %(last)s
ORDER BY s.site_no
