"""Places with all that the nine risks read, and asking about them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import psycopg
import pytest
from daemons import PROCESSES, running_daemon, wait_for, wait_until_at_work
from nine_risks import YEARS, nine_risk_block
from psycopg.conninfo import make_conninfo

from aiops.climate import SCENARIOS, Series
from aiops.db.blocks import ATTRIBUTES
from aiops.db.cells import write_cells
from aiops.db.climate import write_series
from aiops.db.datasets import register_dataset
from aiops.grid import grid_id_of
from aiops.settings import Settings, settings
from workers.ondemand.cell import compute_cells

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from subprocess import Popen

NINE = [
    "extreme_heat",
    "extreme_cold",
    "wildfire",
    "drought",
    "water_stress",
    "sea_level_rise",
    "river_flood",
    "urban_flood",
    "typhoon",
]
STEPS = [
    10,
    *(14, 18, 23, 27, 32, 36, 41, 45, 50),
    *(53, 56, 60, 63, 66, 70, 73, 76, 80),
    *(81, 83, 85, 86, 88, 90, 91, 93, 95),
    100,
]
"""The progress of a request of nine risks, as it is published."""
RUNS = ("exposure_results_runs", "vulnerability_results_runs", "aal_scaled_results_runs", "risk_results_runs")
ENDED = ("completed", "failed", "cancelled")

SEOUL = (37.5665, 126.9780)
AT_SEA = (36.0, 131.5)
"""Inside the frame, and nothing was loaded there."""
OF_STORMS = ("max_site_wind", "s_tc")
"""Known of the past alone."""


def place(number: int) -> tuple[float, float]:
    """A place for itself, in a cell for itself: some of Seoul and east of it."""
    return SEOUL[0], round(SEOUL[1] + 0.01 * number, 4)


def write_inputs(connection: psycopg.Connection, places: int) -> None:
    """Yearly series, surroundings, warming and tides for the cells of the first so many places, committed."""
    cells = sorted(grid_id_of(*place(number)) for number in range(places))
    block = nine_risk_block(len(cells), seed=7)
    dataset = register_dataset(
        connection, name="test", source="test", file_sha256=None, first_year=1991, last_year=2100, synthetic=True
    )
    write_series(connection, list(_series(block, cells)), dataset)
    write_cells(
        connection,
        [
            {
                "grid_id": cell,
                **{name: float(block.attributes[name][n]) for name in ATTRIBUTES if name in block.attributes},
            }
            for n, cell in enumerate(cells)
        ],
        dataset,
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO warming_level (scenario, year, warming_k, dataset_id) VALUES (%s, %s, %s, %s)",
            [
                (scenario, int(year), float(block.warming[at, column]), dataset)
                for at, scenario in enumerate(SCENARIOS)
                for column, year in enumerate(YEARS)
                if (year <= 2014) == (at == 0)
            ],
        )
        tides = block.tides
        for gauge in range(tides.maxima.shape[1]):
            name, east = f"gauge {gauge}", 126.6 + 0.1 * gauge
            cursor.execute(
                "INSERT INTO tide_gauge (gauge_id, latitude, longitude, dataset_id) VALUES (%s, 37.4, %s, %s)",
                (name, east, dataset),
            )
            cursor.executemany(
                "INSERT INTO tide_gauge_maximum VALUES (%s, %s, %s, %s)",
                [
                    (name, int(y), float(m), dataset)
                    for y, m in zip(tides.maxima_years, tides.maxima[:, gauge], strict=True)
                ],
            )
            cursor.executemany(
                "INSERT INTO sea_level_rise VALUES (%s, %s, %s, %s, %s)",
                [
                    (name, scenario, int(year), float(tides.rise[at, column, gauge]), dataset)
                    for at, scenario in enumerate(SCENARIOS)
                    for column, year in enumerate(YEARS)
                    if (year <= 2014) == (at == 0)
                ],
            )
    connection.commit()


def _series(block, cells):
    for variable, values in block.values.items():
        for at, scenario in enumerate(SCENARIOS):
            if at and variable in OF_STORMS:
                continue
            last_of_the_past = 2020 if variable in OF_STORMS else 2014
            own = last_of_the_past >= YEARS if at == 0 else YEARS > 2014
            for column, cell in enumerate(cells):
                yield Series(variable, scenario, cell, int(YEARS[own][0]), values[at, own, column].astype(np.float32))


def compute(connection: psycopg.Connection, cells: list[int]) -> None:
    """P(H) and Hazard score of some cells as a yearly batch would have left them. In autocommit."""
    (batch_id,) = connection.execute("SELECT gen_random_uuid()").fetchone()
    compute_cells(connection, cells, NINE, batch_id)


@contextmanager
def copied_database(migrated_server, server, name):
    """A migrated database of one's own; its connection string."""
    with psycopg.connect(server.conninfo, autocommit=True) as maintenance:
        maintenance.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        maintenance.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_server.template_dbname}")
        try:
            yield make_conninfo(server.conninfo, dbname=name)
        finally:
            maintenance.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@dataclass(frozen=True, slots=True)
class Served:
    """A database with places, and the daemon that answers there."""

    database: str
    daemon: Popen
    log: Path
    places: Iterator[tuple[float, float]]
    """Places that no test has asked about, with P(H) and Hazard scores stored."""
    bare_places: Iterator[tuple[float, float]]
    """Such without."""


@contextmanager
def served_places(migrated_server, server, folder, name, *, computed=20, bare=0, **settings_of_daemon):
    """A daemon on a database of its own, for the tests of a module."""
    with pytest.MonkeyPatch.context() as patch, copied_database(migrated_server, server, name) as database:
        for variable in Settings.model_fields:
            patch.delenv(variable.upper(), raising=False)
        patch.chdir(folder)
        settings.cache_clear()
        with psycopg.connect(database) as connection:
            write_inputs(connection, computed + bare)
        with psycopg.connect(database, autocommit=True) as connection:
            compute(connection, sorted(grid_id_of(*place(number)) for number in range(computed)))
        settings.cache_clear()
        log = folder / "daemon.log"
        with running_daemon(database, log, **settings_of_daemon) as daemon:
            with psycopg.connect(database, autocommit=True) as connection:
                processes = PROCESSES - 1 + int(settings_of_daemon.get("ONDEMAND_WORKERS", "1"))
                wait_until_at_work(connection, processes)
            computed_places = (place(number) for number in range(computed))
            yield Served(database, daemon, log, computed_places, (place(computed + number) for number in range(bare)))


# --- asking -------------------------------------------------------------------------------------------------


def question(where: tuple[float, float] = SEOUL, **params: object) -> str:
    """`input_params` of a request, as JSON."""
    return json.dumps({"latitude": where[0], "longitude": where[1], **params})


def ask(connection: psycopg.Connection, where: tuple[float, float] = SEOUL, **params: object):
    """Ask by INSERT; the number of the request."""
    insert = (
        "INSERT INTO batch_jobs (job_type, input_params) VALUES ('ondemand_risk_calculation', %s) RETURNING batch_id"
    )
    return connection.execute(insert, (question(where, **params),)).fetchone()[0]


def look(watcher: psycopg.Connection, batch_id) -> dict[str, object]:
    """The row of a request, as it is now."""
    cursor = watcher.execute("SELECT to_jsonb(b) FROM batch_jobs AS b WHERE batch_id = %s", (batch_id,))
    return cursor.fetchone()[0]


def end_of(watcher: psycopg.Connection, batch_id, seconds: float = 120.0) -> dict[str, object]:
    """The row of a request that has ended; waits for that."""
    return wait_for(lambda: (row := look(watcher, batch_id))["status"] in ENDED and row, seconds)


def answer(watcher: psycopg.Connection, where: tuple[float, float] = SEOUL, **params: object) -> dict[str, object]:
    """Ask, wait, and take the results of a request that is expected to complete."""
    row = end_of(watcher, ask(watcher, where, **params))
    assert row["status"] == "completed", row["error_message"]
    return row["results"]


def rows_of(watcher: psycopg.Connection, batch_id) -> tuple[int, ...]:
    """How many rows a request has in each of RUNS."""
    counts = ", ".join(f"(SELECT count(*)::int FROM {table} WHERE batch_id = %(id)s)" for table in RUNS)
    return watcher.execute(f"SELECT {counts}", {"id": batch_id}).fetchone()
