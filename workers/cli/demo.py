"""`aiops demo`: from nothing to the climate risk of Korean cities."""

from __future__ import annotations

import time
from contextlib import nullcontext

from rich.progress import Progress

from aiops.db.batches import create_batch_job, start_batch
from aiops.grid import grid_id_of
from aiops.ingest.load_sample import load_sample
from workers.cli.answer import answer_of, render_short
from workers.cli.connection import database
from workers.cli.local_daemon import daemon_for_now, daemon_is_alive
from workers.cli.output import errors, say
from workers.cli.results import collect, render_summary
from workers.cli.watch import REQUEST, describe, follow

CITIES = {
    "Seoul": (37.5665, 126.9780),
    "Daegu": (35.8714, 128.6014),
    "Busan": (35.1796, 129.0756),
    "Gwangju": (35.1595, 126.8526),
    "Gangneung": (37.7519, 128.8761),
    "Jeju": (33.4996, 126.5312),
}

BUILDING = {
    "latitude": CITIES["Seoul"][0],
    "longitude": CITIES["Seoul"][1],
    "building": {"use": "office", "built_year": 2005, "floors": 12, "floor_area_m2": 8000},
    "asset_value": 50_000_000_000,
}

NEXT = """
What to try next
  aiops request 37.5665 126.978 --building floors=12 --asset-value 5e10    the risk of a building, all of it
  aiops history 37.5665 126.978                      what was answered for a place, and what changed
  aiops results --at 35.8714,128.6014                P(H) and Hazard of a place
  aiops status                                       what runs, what ran, what data there are
  aiops serve                                        a dashboard of all this: open http://127.0.0.1:8000/
  aiops worker                                       the daemon, in a terminal of its own; then, from SQL:
  psql "$(aiops db url)"
    LISTEN aiops_progress;
    SELECT request_risk(35.8714, 128.6014, scenario => 'ssp585', target_year => 2090);
    SELECT risk_type, risk_score, risk_level, final_aal FROM risk_results WHERE latitude = 35.8714;
    INSERT INTO batch_jobs (job_type, input_params) VALUES ('hazard', '{}');
  aiops ingest csv FILE                              your own climate data
  aiops db stop                                      stop the embedded server; the data stay
(the program lies in .venv/bin)"""


def demo() -> None:
    """Server, schema, synthetic sample, both yearly batches through the daemon, a few cities, and one building's risk.

    Example: aiops demo
    """
    started = time.monotonic()
    say("1  Postgres (embedded, unless DATABASE_URL or DATABASE_HOST names a server)")
    with database(upgrade=True) as connection:
        info = connection.info
        version = info.parameter_status("server_version")
        say(f"   PostgreSQL {version} at {info.host}:{info.port}, database {info.dbname}; the schema is up to date.")
        say("2  Climate data: a SYNTHETIC sample of Korea's weather, 1991 to 2100, four scenarios")
        with Progress(console=errors, disable=not errors.is_terminal, transient=True) as bar:
            task = bar.add_task("   generating", total=1.0)
            loaded = load_sample(connection, lambda share: bar.update(task, completed=share))
        say(f"   {loaded.cells:,} cells, {loaded.series_inserted:,} new series in {loaded.seconds:.1f} s.")
        say("3  The yearly batches, computed by the daemon")
        with nullcontext() if daemon_is_alive(connection) else daemon_for_now() as daemon:
            for job_type in ("probability", "hazard"):
                describe(follow(connection, start_batch(connection, job_type), daemon=daemon))
            say("4  Results\n")
            data = collect(connection, [grid_id_of(*place) for place in CITIES.values()], None)
            render_summary(data)
            say("\n5  One request: an office building of 2005 in Seoul, 12 floors, 8,000 m², worth KRW 50 billion\n")
            asked = follow(connection, create_batch_job(connection, REQUEST, BUILDING), daemon=daemon)
            render_short(answer_of(connection, asked["results"]))
    say(f"\nDone in {time.monotonic() - started:.0f} s.")
    say(NEXT)
