"""Indicators by the batch: yearly and monthly figures of every cell that has daily or monthly series."""

JOB_TYPE = "indicators"
"""In `batch_jobs`."""
CELLS_A_CHUNK = 24
"""At most: a cell with nine daily variables of all scenarios takes about a third of a second."""

__all__ = ["CELLS_A_CHUNK", "JOB_TYPE"]
