"""The sample data set: synthetic Korean weather for trying the system out, marked synthetic wherever it shows.

A seeded stochastic weather generator on a coarse grid of Korean land cells. It resembles the published normals
of 1991–2020 and the national projections; no value in it was observed and none is a forecast.
"""

from aiops.ingest.sample.dataset import SAMPLE_DATASET, SAMPLE_SEED, generate_sample
from aiops.ingest.sample.land import SampleCell, sample_cells

__all__ = ["SAMPLE_DATASET", "SAMPLE_SEED", "SampleCell", "generate_sample", "sample_cells"]
