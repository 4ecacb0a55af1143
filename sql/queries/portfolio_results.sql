SELECT * FROM portfolio_results(%(batch_id)s)
