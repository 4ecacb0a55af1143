"""Requests of one place: claimed, answered step by step, ended."""

from workers.ondemand.batch import OnDemandRiskBatch

__all__ = ["OnDemandRiskBatch"]
