-- The whole of a request by scenario and decade; no row for a portfolio's run.
SELECT e.one ->> 'scenario' AS scenario, e.one ->> 'horizon' AS horizon,
       (e.one ->> 'total_risk_score')::float8 AS total_risk_score, e.one ->> 'risk_level' AS risk_level,
       (e.one #>> '{total_aal,all,sum}')::float8 AS total_aal, (e.one ->> 'expected_loss')::float8 AS expected_loss
FROM batch_jobs AS b
CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(b.results -> 'projection_table')
    WHEN 'array' THEN b.results -> 'projection_table' ELSE '[]' END) WITH ORDINALITY AS e (one, n)
WHERE b.batch_id = %(batch_id)s
ORDER BY e.n
