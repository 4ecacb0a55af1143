-- The most bins that a risk has, and what else all results of some risks have in common.
SELECT max(n_bins) AS n_bins, array_agg(DISTINCT damage_set) AS damage_sets,
       array_agg(DISTINCT method_version) AS method_versions, array_agg(DISTINCT baseline) AS baselines
FROM probability_packed
WHERE (%(risk_types)s::text[] IS NULL OR risk_type = ANY (%(risk_types)s)) AND grid_id BETWEEN %(first)s AND %(last)s
