"""Buildings, from a file to `api_buildings`: judged and written as they are read, in one transaction."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from aiops.db.buildings import canonical_terms, write_buildings
from aiops.ingest.buildings import BUILDING_COLUMNS, building_blocks, refuse_doubled
from aiops.ingest.derived import Derived
from aiops.ingest.input_rows import Inputs
from aiops.ingest.input_table import open_facts
from aiops.ingest.load_inputs import register_inputs, report_inputs
from aiops.ingest.parsed import nothing_left

if TYPE_CHECKING:
    from pathlib import Path

    from aiops.db.connect import Connection
    from aiops.ingest.input_report import InputReport


def load_buildings(connection: Connection, path: Path) -> InputReport:
    """Load buildings; memory is bounded by a block of rows, whatever the file is.

    Args:
        connection: the caller's; the load is one transaction (a savepoint within one that is open).
        path: CSV, see `docs/ingest.md`.

    Raises:
        FileRefused: a file that cannot be used; nothing is written.
    """
    started = time.monotonic()
    with open_facts(path, BUILDING_COLUMNS) as stream, connection.transaction():
        inputs = Inputs(stream.facts)
        dataset_id = register_inputs(connection, "buildings", inputs)
        blocks = building_blocks(stream, partial(canonical_terms, connection))
        written, doubled = write_buildings(connection, blocks, dataset_id)
        refuse_doubled(stream, doubled)
        if not written.inserted + written.updated + written.unchanged:
            raise nothing_left(path, stream.facts.refusals)
    return report_inputs("buildings", inputs, dataset_id, {"api_buildings": written}, Derived(), started)
