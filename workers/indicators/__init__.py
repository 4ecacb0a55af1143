"""Indicators by the batch: yearly and monthly figures of every cell that has daily or monthly series."""

JOB_TYPE = "indicators"
"""In `batch_jobs`."""
CELLS_A_CHUNK = 24
"""At most: a cell with nine daily variables of all scenarios takes about a third of a second."""
METHOD_VERSION = "2"
"""Part of the hash that says whether a cell is to be derived anew: raised whenever the same days may give others."""

__all__ = ["CELLS_A_CHUNK", "JOB_TYPE", "METHOD_VERSION"]
