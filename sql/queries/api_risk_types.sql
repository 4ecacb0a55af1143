SELECT canonical_risk_type(one) FROM unnest(%(risk_types)s::text[]) AS one
