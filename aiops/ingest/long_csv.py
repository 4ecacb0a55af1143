"""The long CSV: one value a row, with what it is of.

Columns: `variable`, `scenario`, `date`, `value`, and `latitude` with `longitude`, or `grid_id`; where all
three are there, they must agree. A column `unit`, if there is one, must name the unit in which the variable
is stored. Other columns are passed over and named in the report. So the view `climate_long`, written to CSV,
can be read back.

Memory: some 30 bytes a row, thrice while the rows are sorted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS
from aiops.ingest.long_rows import LongRows
from aiops.ingest.packing import CELL_BITS, Observations, cells_of, index_series
from aiops.ingest.parsed import ParsedFile, nothing_left
from aiops.ingest.reading import open_table
from aiops.ingest.report import Refusals, printable
from aiops.ingest.units import suspicion_of
from aiops.ingest.variables import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


def parse_long_csv(path: Path) -> ParsedFile:
    """Read and judge a long CSV file whole.

    Raises:
        FileRefused: the file is not such a CSV file, or none of its rows can be used.
    """
    refusals = Refusals()
    with open_table(path, refusals) as table:
        rows = LongRows(table)
        observations = _joined(list(rows.observations()))
        notes = [f"columns passed over: {printable(', '.join(rows.ignored))}"] if rows.ignored else []
        sha256, encoding = table.sha256, table.encoding
    index = index_series(observations, refusals)
    kept = index.observations
    if kept.size == 0:
        raise nothing_left(path, refusals)
    # The first key of each series is enough to know what there is.
    variables, scenarios = np.divmod(kept.keys[index.starts[:-1]] >> CELL_BITS, len(SCENARIOS))
    return ParsedFile(
        kind="csv",
        path=path,
        sha256=sha256,
        encoding=encoding,
        parameters={},
        series=index,
        variables=tuple(VARIABLES[place].name for place in np.unique(variables)),
        scenarios=tuple(SCENARIOS[place] for place in np.unique(scenarios)),
        grid_ids=np.unique(cells_of(kept.keys[index.starts[:-1]])),
        first_day=kept.days.min(),
        last_day=kept.days.max(),
        refusals=refusals,
        warnings=(*notes, *_suspicions(kept.keys >> CELL_BITS, kept.values)),
    )


def _joined(parts: list[Observations]) -> Observations:
    if not parts:
        return Observations(
            np.zeros(0, np.int64),
            np.zeros(0, "datetime64[D]"),
            np.zeros(0, np.float32),
            np.zeros(0, np.int64),
        )
    return Observations(
        keys=np.concatenate([part.keys for part in parts]),
        days=np.concatenate([part.days for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        lines=np.concatenate([part.lines for part in parts]),
    )


def _suspicions(words: NDArray[np.int64], values: NDArray[np.float32]) -> Iterator[str]:
    """Warnings about units; `words` is the part of each key that says variable and scenario, in order."""
    present, starts, counts = np.unique(words, return_index=True, return_counts=True)
    largest = np.maximum.reduceat(values, starts)
    for word, count, value in zip(present, counts, largest, strict=True):
        warning = suspicion_of(VARIABLES[int(word) // len(SCENARIOS)], int(count), float(value))
        if warning is not None:
            yield warning
