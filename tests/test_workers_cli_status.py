"""`aiops status` and `aiops batches`: what runs, how far, what ran, what waits."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from climate import CELLS, write_climate
from daemons import environment, wait_for
from logins import login
from rich.console import Console

from aiops.errors import BadInput
from workers.cli.batch_list import moment_of
from workers.cli.status_screen import screen_of
from workers.overview.units import lasting, seconds_left


@pytest.fixture
def at_work(connection):
    """A batch that is half done after ten seconds, one that has failed, two hosts, and a job that waits."""
    write_climate(connection, cells=CELLS[:4])
    connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('probability') RETURNING batch_id")
    connection.execute(
        "UPDATE batch_jobs SET status = 'failed', started_at = now() - interval '90 seconds', completed_at = now(),"
        " total_items = 4, completed_items = 4, failed_items = 2, error_message = '1 of 2 chunks failed'"
    )
    connection.commit()
    (batch_id,) = connection.execute(
        "INSERT INTO batch_jobs (job_type) VALUES ('hazard') RETURNING batch_id"
    ).fetchone()
    connection.execute("SELECT plan_batch(%s, 2, '1', 'calibrated')", (batch_id,))
    connection.execute(
        "UPDATE batch_jobs SET progress = 50, completed_items = 2,"
        " started_at = clock_timestamp() - interval '10 seconds' WHERE batch_id = %s",
        (batch_id,),
    )
    connection.execute("UPDATE procrastinate_events SET at = at - interval '2 minutes'")
    for host, role in (("here", "control"), ("here", "compute"), ("there", "compute")):
        (worker_id,) = connection.execute("SELECT * FROM procrastinate_register_worker_v1()").fetchone()
        connection.execute(
            "INSERT INTO daemon_process (worker_id, role, host, pid) VALUES (%s, %s, %s, 7)", (worker_id, role, host)
        )
    connection.execute("SELECT * FROM procrastinate_register_worker_v1()")
    connection.commit()
    return str(batch_id)


def on_a_screen(found):
    """As a terminal of 80 columns shows it."""
    out = Console(width=80, file=io.StringIO(), highlight=False)
    out.print(screen_of(found))
    return out.file.getvalue()


def test_the_status_tells_everything_that_is_asked_for(aiops, at_work):
    code, text, _ = aiops("status")
    assert code == 0
    assert "4 alive: here: 1 compute, 1 control; there: 1 compute; elsewhere: 1 processes" in text
    assert "(the oldest for 120 s)" in text or "(the oldest for 2 min)" in text
    assert f"{at_work[:8]}  hazard" in text
    assert "2/4 cells" in text
    assert "probability 20" in text  # when it is due next
    assert "test (SYNTHETIC) 1991–2100" in text
    assert "failed" in text.split("Last runs")[1]
    data = json.loads(aiops("status", "--json")[1])
    assert data["active"][0]["items_per_second"] == pytest.approx(0.2, rel=0.5)
    assert {row["host"] for row in data["workers"]} == {"here", "there", None}


def test_one_screen_holds_it(aiops, at_work, connection):
    found = json.loads(aiops("status", "--json")[1])
    for name in ("at",):
        found[name] = datetime.fromisoformat(found[name])
    for row in found["schedule"]:
        row["next_due_at"] = datetime.fromisoformat(row["next_due_at"])
    for row in found["last_runs"]:
        row["completed_at"] = datetime.fromisoformat(row["completed_at"])
    found["last_runs"] *= 5
    lines = on_a_screen(found).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)  # nothing is cut off


def test_a_newcomer_is_told_what_to_do_first(aiops):
    _, text, _ = aiops("status")
    assert "none alive: start the daemon with aiops worker" in text
    assert "no climate data yet: aiops ingest --help, or aiops demo" in text
    assert "Nothing is running." in text
    assert "Nothing has run yet." in text


def test_a_client_sees_what_was_asked_and_is_told_what_it_may_not_see(aiops, at_work, database):
    with login(database, "aiops_client") as account:
        code, text, _ = aiops("status", database=account)
        assert (code, f"{at_work[:8]}  hazard" in text) == (0, True)
        assert "not shown to this account" in text
        code, text, _ = aiops("logs", at_work[:8], database=account)
        assert code == 0
        assert "Chunks are not shown to this account" in text


@pytest.mark.daemon
def test_a_watch_tells_of_each_change_in_a_line_and_ends_well_with_ctrl_c(at_work, database, connect, tmp_path):
    said = tmp_path / "said"
    with said.open("wb") as out:
        watch = subprocess.Popen(
            [sys.executable, "-m", "workers.cli", "status", "--watch"], env=environment(database), stdout=out
        )
    try:
        wait_for(lambda: "running, 50 %, 2 of 4 cells" in said.read_text())
        other = connect(autocommit=True)
        other.execute("UPDATE batch_jobs SET progress = 75, completed_items = 3 WHERE batch_id = %s", (at_work,))
        wait_for(lambda: "running, 75 %, 3 of 4 cells" in said.read_text())
        other.execute("SELECT cancel_batch(%s)", (at_work,))
        wait_for(lambda: f"{at_work[:8]} hazard: cancelled" in said.read_text())
        watch.send_signal(signal.SIGINT)
        assert watch.wait(120) == 0
    finally:
        watch.kill()
        watch.wait()
    assert "workers alive: 4" in said.read_text()


# --- the list -----------------------------------------------------------------------------------------------


def test_batches_are_listed_by_status_type_and_time(aiops, at_work):
    def listed(*options):
        return [row["job_type"] for row in json.loads(aiops("batches", *options, "--json")[1])]

    assert listed() == ["hazard", "probability"]
    assert listed("--status", "failed") == ["probability"]
    assert listed("--type", "hazard", "--type", "request") == ["hazard"]
    assert listed("--since", "1h", "--limit", "1") == ["hazard"]
    assert listed("--since", "2099-01-01") == []
    _, text, _ = aiops("batches")
    assert "1 of 2 chunks failed" in text
    assert "aiops retry BATCH" in text
    assert aiops("batches", "--since", "2099-01-01")[1] == "There are none.\n"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--status", "done", "--status: 'done'; allowed: queued, running, completed, failed, cancelled"),
        ("--type", "heat", "--type: 'heat'; allowed: probability, hazard, assessment"),
        ("--since", "yesterday", "--since: 'yesterday'; allowed: 30m, 12h or 7d ago, a date"),
        ("--limit", "0", "Invalid value for '--limit': "),
    ],
)
def test_what_cannot_be_listed_is_refused_in_one_line(aiops, option, value, message):
    code, _, said = aiops("batches", option, value)
    assert (code, message in said, said.count("\n")) == (2, True, 1)


def test_a_moment_is_so_long_ago_or_a_date_in_the_schedules_zone():
    assert abs(datetime.now(UTC) - moment_of("90m") - timedelta(minutes=90)) < timedelta(minutes=1)
    assert moment_of("2026-01-31") == datetime(2026, 1, 30, 15, tzinfo=UTC)  # midnight in Seoul
    assert moment_of("2026-01-31T00:00+00:00") == datetime(2026, 1, 31, tzinfo=UTC)
    with pytest.raises(BadInput):
        moment_of("99999999d")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.05, "50 ms"), (4, "4.0 s"), (37, "37 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_a_duration_is_told_in_its_own_unit(seconds, text):
    assert lasting(seconds) == text


def test_nobody_is_said_to_be_done_soon_when_nobody_computes():
    batch = {"items_per_second": 10.0, "status": "running", "total_items": 40, "completed_items": 20}
    assert (seconds_left(batch), seconds_left(batch, [{"processes": 1}])) == (2.0, 2.0)
    assert seconds_left(batch, []) is None


def test_what_is_asked_without_a_daemon_waits_for_one_and_says_so(aiops, connection):
    write_climate(connection)
    code, printed, said = aiops("run", "hazard", "--no-wait")
    assert (code, said) == (0, "No daemon is running: it waits for one (aiops worker).\n")
    code, _, said = aiops("run", "hazard", "--risk", "typhoon", "--no-wait")
    assert (code, "SELECT" in said) == (1, False)
    assert f"aiops cancel {printed[:8]}; or let it end: aiops worker goes on with it" in said


def test_times_are_those_of_the_schedules_zone_and_in_json_by_iso(aiops, connection):
    write_climate(connection)
    aiops("run", "hazard", "--no-wait")
    _, printed, _ = aiops("batches", "--json")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*", json.loads(printed)[0]["created_at"])
    assert "asked, Asia/Seoul" in aiops("batches")[1]
