UPDATE dataset SET computed = ARRAY(SELECT unnest(computed) UNION SELECT unnest(%(variables)s::text[]) ORDER BY 1)
WHERE dataset_id = %(dataset_id)s AND NOT computed @> %(variables)s
