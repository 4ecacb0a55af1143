SELECT (i).grid_id, (i).missing
FROM (SELECT site_inputs_of(input_params::jsonb, input_params::jsonb, %(within_m)s, %(method_version)s, %(damage_set)s) AS i
      FROM batch_jobs
      WHERE batch_id = %(batch_id)s AND status = 'running') AS request
