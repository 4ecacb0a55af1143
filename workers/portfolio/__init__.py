"""Portfolios: many sites in one request, assessed by the chunk."""

JOB_TYPE = "portfolio_risk_calculation"
"""In `batch_jobs`."""

__all__ = ["JOB_TYPE"]
