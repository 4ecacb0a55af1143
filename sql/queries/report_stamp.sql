-- Which methods, damage sets and baselines the stored results of a batch came by.
SELECT 'method version' AS what, method_version AS which, count(*) AS rows FROM probability_packed
WHERE batch_id = %(batch_id)s GROUP BY method_version
UNION ALL
SELECT 'method version (H)', method_version, count(*) FROM hazard_packed
WHERE batch_id = %(batch_id)s GROUP BY method_version
UNION ALL
SELECT 'damage set', damage_set, count(*) FROM probability_packed
WHERE batch_id = %(batch_id)s GROUP BY damage_set
UNION ALL
SELECT 'baseline', coalesce(baseline, 'none'), count(*) FROM probability_packed
WHERE batch_id = %(batch_id)s GROUP BY baseline
ORDER BY 1, 3 DESC
