SELECT r.outcome, r.attempt, r.params, (r.site).grid_id, (r.site).projection_id, (r.site).surroundings, (r.site).building,
       (r.site).building_source, (r.site).population, (r.site).inputs, (r.site).missing, (r.site).stale,
       (r.site).answer_hash, r.previous, r.previous_site_no, r.reason
FROM begin_request(%(batch_id)s, %(worker)s, %(lease)s, %(within_m)s, %(method_version)s, %(damage_set)s) AS r
