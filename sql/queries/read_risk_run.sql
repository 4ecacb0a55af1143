SELECT * FROM risk_results_runs WHERE batch_id = %(batch_id)s AND site_no = %(site_no)s
