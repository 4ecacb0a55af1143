"""Places to ask about: one in each cell of the tests' data, each with a question of its own, and its answer."""

from __future__ import annotations

import json
import time

import psycopg

from aiops.grid import latitude_of, longitude_of
from chaos.rig import Rig
from chaos.server import TEMPLATE
from chaos.work import CELLS, CELLS_A_CHUNK, MOST_CHUNKS, Batch

TEMPLATE_WITH_RESULTS = "chaos_asked"
"""A database in which a yearly batch has computed all cells but the bare ones."""
BARE = 20
"""So many of the last places lie in cells without results."""
PLACES = len(CELLS)
SCENARIO = "historical"
AT_SEA = {"latitude": 36.0, "longitude": 131.5}
ENDED = ("completed", "failed", "cancelled")
USES = ("office", "factory", "retail", "hotel")


def site(number):
    """The site at a place, by number: where, what stands there, what it is worth."""
    return {
        "latitude": round(float(latitude_of(CELLS[number])), 4),
        "longitude": round(float(longitude_of(CELLS[number])), 4),
        "insurance_rate": (number % 5) / 10,
        "asset_value": 1e9 + 1e6 * number,
        "building": {"floors": 1 + number % 30, "use": USES[number % 4], "age_years": number % 60},
    }


class Request:
    """A request of one place, as somebody sees it who looks again and again."""

    def __init__(self, connection, batch_id):
        self._connection = connection
        self.batch_id = batch_id

    @classmethod
    def ask(cls, connection, number, **params):
        """Ask about a place, by number."""
        asked = {**site(number), "scenario": SCENARIO, **params}
        query = (
            "INSERT INTO batch_jobs (job_type, input_params) VALUES ('ondemand_risk_calculation', %s)"
            " RETURNING batch_id"
        )
        return cls(connection, connection.execute(query, (json.dumps(asked),)).fetchone()[0])

    def one(self, columns):
        """Something of its row."""
        found = self._connection.execute(
            f"SELECT {columns} FROM batch_jobs WHERE batch_id = %s", (self.batch_id,)
        ).fetchone()
        return found[0] if len(found) == 1 else found

    @property
    def status(self):
        return self.one("status")

    @property
    def error(self):
        return self.one("error_message")

    @property
    def attempt(self):
        return self.one("attempt")

    def has_ended(self):
        return self.status in ENDED

    def cancel(self):
        return self._connection.execute("SELECT cancel_batch(%s)", (self.batch_id,)).fetchone()[0]

    def retry(self):
        return self._connection.execute("SELECT retry_batch(%s)", (self.batch_id,)).fetchone()[0]

    def wait(self, seconds=120.0, meanwhile=None):
        """Wait for its end; its status."""
        deadline = time.monotonic() + seconds
        while not self.has_ended():
            assert time.monotonic() < deadline, f"{self.one('status, progress, attempt')} after {seconds:.0f} s"
            if meanwhile is not None:
                meanwhile()
            time.sleep(0.02)
        return self.status


class Portfolio(Batch):
    """A portfolio: a batch whose chunks are of sites."""

    @classmethod
    def ask_for(cls, connection, sites, **params):
        """Ask for sites."""
        asked = json.dumps({"sites": sites, "scenario": SCENARIO, **params})
        query = (
            "INSERT INTO batch_jobs (job_type, input_params) VALUES ('portfolio_risk_calculation', %s)"
            " RETURNING batch_id"
        )
        return cls(connection, connection.execute(query, (asked,)).fetchone()[0])

    def results(self):
        return self._one("results::jsonb")[0]


def undisturbed_answers(server, folder):
    """Make the template: nearly every cell computed by a yearly batch, and kept what every question is answered with.

    The answers kept are those of one portfolio of all places; a request of one place has to give the same.
    """
    with server.connect() as maintenance:
        maintenance.execute(f"CREATE DATABASE {TEMPLATE_WITH_RESULTS} TEMPLATE {TEMPLATE}")
    rig = Rig(server, TEMPLATE_WITH_RESULTS, 0, folder, "0 none")
    try:
        rig.set_pace(0)
        daemon = rig.daemon(BATCH_SIZE="40")
        chunks = MOST_CHUNKS - BARE // CELLS_A_CHUNK
        assert rig.batch(chunks, "assessment", risk_types=None).wait(300) == "completed"
        portfolio = Portfolio.ask_for(rig.watch, [site(number) for number in range(PLACES)])
        assert portfolio.wait(120) == "completed", portfolio.error
        assert daemon.stop() == 0
        with psycopg.connect(rig.url) as connection:
            _keep_answers(connection, portfolio.batch_id)
        rig.set_pace(0.05)
    finally:
        rig.end()


def _keep_answers(connection, batch_id):
    """Take the answers for those of an undisturbed run, and remove them with all that was computed for them."""
    connection.execute(
        "INSERT INTO chaos.answer (question, part, risk_type, content)"
        " SELECT md5(a.question::text), r.part, r.risk_type, chaos.content(r.row)"
        " FROM chaos.asked AS a JOIN chaos.run_rows AS r USING (batch_id, site_no)"
    )
    for table in ("risk_run", "current_run", "portfolio_site", "chaos.heard", "procrastinate_workers"):
        connection.execute(f"DELETE FROM {table}")
    for part in ("exposure", "vulnerability", "aal_scaled", "risk"):
        connection.execute(f"DELETE FROM {part}_results_runs")
    connection.execute(
        "DELETE FROM cell_computed WHERE grid_id IN (SELECT grid_id FROM probability_packed WHERE batch_id = %s)",
        (batch_id,),
    )
    for table in ("probability_packed", "hazard_packed", "batch_chunks", "batch_job_logs", "batch_jobs"):
        connection.execute(f"DELETE FROM {table} WHERE batch_id = %s", (batch_id,))
    for table in ("chaos.batch_history", "chaos.chunk_history"):
        connection.execute(f"DELETE FROM {table} WHERE batch_id = %s", (batch_id,))
    connection.execute("DELETE FROM procrastinate_jobs WHERE args ->> 'batch_id' = %s", (str(batch_id),))
