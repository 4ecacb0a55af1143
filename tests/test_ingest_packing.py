"""Single observations become packed series."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.climate import SCENARIOS, Cadence, calendar_days
from aiops.grid import N_CELLS
from aiops.ingest.packing import cells_of, key_of, pack, parts_of
from aiops.ingest.variables import VARIABLES


@pytest.mark.parametrize("grid_id", [1, 300_000, N_CELLS])
def test_a_key_holds_variable_scenario_and_cell_and_sorts_in_that_order(grid_id):
    triples = [(v, s, g) for v in (0, len(VARIABLES) - 1) for s in range(len(SCENARIOS)) for g in (1, grid_id)]
    keys = key_of(*(np.array(part, dtype=np.int64) for part in zip(*triples, strict=True)))
    assert [parts_of(key) for key in keys] == triples
    assert cells_of(keys).tolist() == [g for _, _, g in triples]
    assert sorted(keys) == [key for _, key in sorted(zip(triples, keys, strict=True))]


@pytest.mark.parametrize(("cadence", "step"), [(Cadence.DAILY, "D"), (Cadence.MONTHLY, "M"), (Cadence.YEARLY, "Y")])
def test_values_lie_on_whole_years_in_whatever_order_they_come(cadence, step):
    days = np.array(["2021-03-01", "1969-12-01", "2020-02-01"], dtype="datetime64[D]")
    series = pack("x", "ssp245", 5, days, np.array([3, 1, 2], dtype=np.float32), cadence=cadence)
    axis = calendar_days(1969, 2021 - 1969 + 1)
    periods = np.unique(axis.astype(f"datetime64[{step}]"))
    assert (series.first_year, series.values.size) == (1969, periods.size)
    there = ~np.isnan(series.values)
    assert periods[there].tolist() == np.sort(days).astype(f"datetime64[{step}]").tolist()
    assert series.values[there].tolist() == [1, 2, 3]
