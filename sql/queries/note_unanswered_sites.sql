UPDATE portfolio_site AS s SET reason = u.reason
FROM unnest(%(site_nos)s::integer[], %(reasons)s::text[]) AS u (site_no, reason)
WHERE s.batch_id = %(batch_id)s AND s.site_no = u.site_no
