"""The synthetic sample into the database: climate series, and all that the nine risks need beside them."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from aiops.climate import SCENARIOS
from aiops.db.cells import write_cells
from aiops.db.climate import NOTHING, Overruled, write_series
from aiops.db.datasets import register_dataset
from aiops.db.inputs import (
    write_basins,
    write_gauge_maxima,
    write_gauges,
    write_sea_level_rise,
    write_tracks,
    write_warming,
    write_water_use,
)
from aiops.ingest.sample import SAMPLE_DATASET, SAMPLE_SEED, sample_cells
from aiops.ingest.sample.days import PERIODS
from aiops.ingest.sample.parallel import generate_in_processes
from aiops.ingest.sample.tides import gauge_maxima, gauges, sea_level_rise
from aiops.ingest.sample.tracks import sample_fixes
from aiops.ingest.sample.warming import warming_rows
from aiops.ingest.sample.water import basins, water_use

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops.db.connect import Connection


@dataclass(frozen=True, slots=True)
class SampleReport:
    """What a load of the sample did."""

    dataset_id: int
    cells: int
    first_year: int
    last_year: int
    series_inserted: int
    series_updated: int
    series_unchanged: int
    series_left_out: int
    """Series that were not written, since real ones are stored."""
    inputs: dict[str, int]
    """Rows of what is no series, by kind."""
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """The report for `--json`."""
        return {"synthetic": True, **asdict(self)}


def load_sample(connection: Connection, progress: Callable[[float], None] | None = None) -> SampleReport:
    """Generate the sample and write it, in one transaction. A second load changes nothing.

    Series of observations or climate models stay as they are. Two processes generate where there are two processors.

    Args:
        connection: the caller's; the load is one transaction (a savepoint within one that is open).
        progress: told the share of the work that is done, 0 to 1.
    """
    started = time.monotonic()
    cells = sample_cells()
    total, overruled = NOTHING, Overruled()
    with connection.transaction():
        dataset_id = register_dataset(connection, **asdict(SAMPLE_DATASET))
        write_cells(connection, [asdict(cell) for cell in cells], dataset_id)
        inputs = _write_inputs(connection, dataset_id)
        for series in generate_in_processes(progress=progress):
            total += write_series(connection, series, dataset_id, overruled=overruled)
    return SampleReport(
        dataset_id,
        len(cells),
        SAMPLE_DATASET.first_year,
        SAMPLE_DATASET.last_year,
        total.inserted,
        total.updated,
        total.unchanged,
        overruled.left_out,
        inputs,
        time.monotonic() - started,
    )


def _write_inputs(connection: Connection, dataset_id: int) -> dict[str, int]:
    """Storms, tides, rise of the sea, basins, water use, warming."""
    first, last = PERIODS[SCENARIOS[0]]
    written = {
        "basins": write_basins(connection, basins(), dataset_id),
        "water_use": write_water_use(connection, water_use(), dataset_id),
        "track_fixes": write_tracks(connection, sample_fixes(SAMPLE_SEED), range(first, last + 1), dataset_id),
        "tide_gauges": write_gauges(connection, gauges(), dataset_id),
        "tide_gauge_maxima": write_gauge_maxima(connection, gauge_maxima(SAMPLE_SEED), dataset_id),
        "sea_level_rise": write_sea_level_rise(connection, sea_level_rise(), dataset_id),
        "warming": write_warming(connection, warming_rows(), dataset_id),
    }
    return {kind: rows.inserted + rows.updated + rows.unchanged for kind, rows in written.items()}
