"""The synthetic sample into `climate_data`."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from aiops.db.cells import write_cells
from aiops.db.climate import write_series
from aiops.db.datasets import register_dataset
from aiops.ingest.sample import SAMPLE_DATASET, generate_sample, sample_cells

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
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """The report for `--json`."""
        return {"synthetic": True, **asdict(self)}


def load_sample(connection: Connection, progress: Callable[[float], None] | None = None) -> SampleReport:
    """Generate the sample and write it, in one transaction. A second load changes nothing.

    Args:
        connection: the caller's; the load is one transaction (a savepoint within one that is open).
        progress: told the share of the work that is done, 0 to 1.
    """
    started = time.monotonic()
    cells = sample_cells()
    inserted = updated = unchanged = 0
    with connection.transaction():
        dataset_id = register_dataset(connection, **asdict(SAMPLE_DATASET))
        write_cells(connection, [asdict(cell) for cell in cells], dataset_id)
        for series in generate_sample(progress=progress):
            written = write_series(connection, series, dataset_id)
            inserted += written.inserted
            updated += written.updated
            unchanged += written.unchanged
    return SampleReport(
        dataset_id,
        len(cells),
        SAMPLE_DATASET.first_year,
        SAMPLE_DATASET.last_year,
        inserted,
        updated,
        unchanged,
        time.monotonic() - started,
    )
