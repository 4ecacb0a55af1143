SELECT term, meaning
FROM unnest(%(terms)s::text[]) AS term
CROSS JOIN LATERAL (
    SELECT CASE %(field)s::text WHEN 'structure' THEN canonical_structure(term) WHEN 'use' THEN canonical_use(term) END
) AS looked_up (meaning)
WHERE meaning IS NOT NULL
