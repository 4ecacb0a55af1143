"""Small climate data for tests of the machinery: random, seeded, with the variables that the batches read."""

from __future__ import annotations

import numpy as np

from aiops.climate import Series
from aiops.db.climate import write_series
from aiops.db.datasets import register_dataset

PERIODS = {"historical": (1991, 30), "ssp245": (2021, 80)}
CELLS = tuple(range(343_000, 343_024))


def write_climate(connection, cells=CELLS, seed=1, periods=PERIODS):
    """Write random yearly series of heat and rain for some cells, and commit."""
    random = np.random.default_rng(seed)
    series = []
    for grid_id in cells:
        for scenario, (first_year, years) in periods.items():
            values = {
                "wsdi": random.poisson(4, years) * random.integers(0, 2, years),
                "rx1day": random.gumbel(120, 35, years).clip(20),
                "rx5day": random.gumbel(200, 50, years).clip(40),
                "tx33": random.poisson(15, years),
                "tn25": random.poisson(8, years),
                "tx90p_days": random.poisson(38, years),
            }
            series += [Series(name, scenario, grid_id, first_year, x.astype(np.float32)) for name, x in values.items()]
    dataset = register_dataset(
        connection, name="test", source="test", file_sha256=None, first_year=1991, last_year=2100, synthetic=True
    )
    write_series(connection, series, dataset)
    connection.commit()
