SELECT canonical_risk_type(%(given)s, 'risk')
