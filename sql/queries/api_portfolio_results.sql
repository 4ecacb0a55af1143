-- A portfolio, site by site, as JSON; NULL for a batch that there is not.
SELECT json_build_object(
    'batch_id', batch_id, 'status', status,
    'sites', (SELECT coalesce(json_agg(to_json(p)), '[]') FROM portfolio_results(%(batch_id)s) AS p))::text
FROM batch_jobs
WHERE batch_id = %(batch_id)s
