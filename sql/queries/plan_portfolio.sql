SELECT plan_portfolio(%(batch_id)s, %(most_sites)s)
