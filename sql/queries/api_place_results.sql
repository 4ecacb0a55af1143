-- All that is known of a place, as JSON: P(H) and Hazard scores of its cell, and the integrated risk by the run that
-- speaks for it.
SELECT json_build_object(
    'latitude', %(latitude)s::float8, 'longitude', %(longitude)s::float8, 'grid_id', %(grid_id)s::integer,
    'hazard', (
        SELECT coalesce(json_agg(json_build_object(
            'risk_type', risk_type, 'scenario', scenario, 'horizon', horizon, 'target_year', target_year,
            'hazard_score_100', hazard_score_100, 'hazard_level', hazard_level, 'coverage', coverage,
            'status', status, 'reason', reason, 'batch_id', batch_id, 'calculated_at', calculated_at)), '[]')
        FROM hazard_results
        WHERE grid_id = %(grid_id)s AND (%(risk_types)s::text[] IS NULL OR risk_type = ANY (%(risk_types)s))
          AND (%(scenario)s::text IS NULL OR scenario = %(scenario)s)
          AND (%(target_year)s::integer IS NULL OR target_year = %(target_year)s)),
    'probability', (
        SELECT coalesce(json_agg(json_build_object(
            'risk_type', risk_type, 'scenario', scenario, 'horizon', horizon, 'target_year', target_year,
            'aal', aal, 'aal_low', aal_low, 'aal_high', aal_high, 'bin_edges', bin_edges,
            'bin_probabilities', bin_probabilities, 'bin_base_damage_rates', bin_base_damage_rates,
            'estimator', estimator, 'n_years', n_years, 'baseline', baseline, 'damage_set', damage_set,
            'status', status, 'reason', reason, 'batch_id', batch_id, 'calculated_at', calculated_at)), '[]')
        FROM probability_results
        WHERE grid_id = %(grid_id)s AND (%(risk_types)s::text[] IS NULL OR risk_type = ANY (%(risk_types)s))
          AND (%(scenario)s::text IS NULL OR scenario = %(scenario)s)
          AND (%(target_year)s::integer IS NULL OR target_year = %(target_year)s)),
    'risk', (
        SELECT coalesce(json_agg(to_json(r)), '[]')
        FROM risk_results AS r
        WHERE latitude = %(latitude)s AND longitude = %(longitude)s
          AND (%(risk_types)s::text[] IS NULL OR risk_type = ANY (%(risk_types)s))
          AND (%(scenario)s::text IS NULL OR scenario = %(scenario)s)
          AND (%(target_year)s::integer IS NULL OR target_year = %(target_year)s)))::text
