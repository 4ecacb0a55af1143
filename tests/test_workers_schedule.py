"""The yearly runs: each due run once, in its own time zone, even late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from climate import write_climate
from daemons import run, running_daemon, wait_for

from aiops.settings import load_settings
from workers.due_dates import YearlySchedule, schedules

WINDOW = timedelta(days=30)


def at(zone, *when):
    return datetime(*when, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def yearly(month=1, day=1, hour=2, minute=0, timezone="Asia/Seoul"):
    return YearlySchedule("probability", month, day, hour, minute, timezone)


# --- when ------------------------------------------------------------------------------------------------------------


def test_by_default_probability_is_due_at_two_and_hazard_at_four_on_new_years_day_in_seoul():
    due = {one.name: one.due_in(2027) for one in schedules(load_settings())}
    assert due == {
        "probability": datetime(2026, 12, 31, 17, 0, tzinfo=UTC),
        "hazard": datetime(2026, 12, 31, 19, 0, tzinfo=UTC),
    }


def test_the_last_and_the_next_due_moment_lie_on_either_side_of_now():
    one = yearly()
    due = at("Asia/Seoul", 2026, 1, 1, 2, 0)
    assert one.last_due(due) == due
    assert one.last_due(due - timedelta(seconds=1)) == at("Asia/Seoul", 2025, 1, 1, 2, 0)
    assert one.next_due(due) == at("Asia/Seoul", 2027, 1, 1, 2, 0)


@pytest.mark.parametrize(
    ("year", "expected"), [(2027, (2027, 2, 28, 2, 0)), (2028, (2028, 2, 29, 2, 0))], ids=["common", "leap"]
)
def test_29_february_is_the_last_of_february_in_other_years(year, expected):
    assert yearly(month=2, day=29).due_in(year) == at("Asia/Seoul", *expected)


def test_a_time_that_the_clocks_skip_comes_once():
    # Paris, 29 March 2026: 02:00 is followed by 03:00.
    due = yearly(3, 29, 2, 30, "Europe/Paris").due_in(2026)
    assert due == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_time_that_comes_twice_is_the_first():
    # Paris, 25 October 2026: 03:00 is followed by 02:00.
    due = yearly(10, 25, 2, 30, "Europe/Paris").due_in(2026)
    assert due == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(minutes=6), timedelta(minutes=11), timedelta(days=3)])
def test_a_missed_run_is_made_up_for_within_the_window(late):
    due = at("Asia/Seoul", 2026, 1, 1, 2, 0)
    assert yearly().to_make_up(due + late, due - timedelta(days=200), WINDOW) == due


def test_a_run_that_is_too_old_is_not_made_up_for():
    due = at("Asia/Seoul", 2026, 1, 1, 2, 0)
    assert yearly().to_make_up(due + timedelta(days=31), due - timedelta(days=200), WINDOW) is None


def test_where_nothing_is_made_up_for_a_run_still_starts_on_time():
    due = at("Asia/Seoul", 2026, 1, 1, 2, 0)
    before = due - timedelta(days=200)
    assert yearly().to_make_up(due + timedelta(seconds=7), before, timedelta(0)) == due
    assert yearly().to_make_up(due + timedelta(hours=1), before, timedelta(0)) is None


def test_a_first_installation_in_july_does_not_run_last_januarys():
    installed = at("Asia/Seoul", 2026, 7, 15, 12, 0)
    long = timedelta(days=366)
    assert yearly().to_make_up(installed + timedelta(hours=1), installed, long) is None
    next_due = at("Asia/Seoul", 2027, 1, 1, 2, 0)
    assert yearly().to_make_up(next_due, installed, long) == next_due


# --- the ledger ------------------------------------------------------------------------------------------------------

DUE = datetime(2026, 1, 1, tzinfo=UTC)


def start_due(connection, due=DUE, schedule="probability"):
    return connection.execute("SELECT start_due_run(%s, %s)", (schedule, due)).fetchone()[0]


def test_two_daemons_start_a_due_run_once(connect):
    one, two = connect(), connect()
    started = start_due(one)
    assert started is not None
    two.execute("SET lock_timeout = '200ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):  # it waits to see what becomes of the first
        start_due(two)
    two.rollback()
    one.commit()
    assert start_due(two) is None
    assert two.execute("SELECT count(*) FROM batch_jobs").fetchone() == (1,)


def test_a_start_that_is_rolled_back_leaves_the_run_due(connection):
    start_due(connection)
    connection.rollback()
    assert start_due(connection) is not None


def test_a_due_run_waits_for_an_active_batch_and_leaves_no_trace(connection):
    connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('assessment')")
    connection.commit()
    with pytest.raises(psycopg.errors.UniqueViolation):
        start_due(connection)
    connection.rollback()
    assert connection.execute("SELECT count(*) FROM scheduled_runs").fetchone() == (0,)
    connection.execute("SELECT cancel_batch(batch_id) FROM batch_jobs")
    assert start_due(connection) is not None


def test_a_paused_schedule_starts_nothing(connection):
    connection.execute("UPDATE schedule SET paused = true WHERE schedule = 'probability'")
    assert start_due(connection) is None
    assert start_due(connection, schedule="hazard") is not None


def test_a_changed_definition_counts_from_the_change(connection):
    define = "SELECT define_schedule('probability', %s)"
    first = connection.execute(define, ("01-01 02:00 Asia/Seoul",)).fetchone()[0]
    assert connection.execute(define, ("01-01 02:00 Asia/Seoul",)).fetchone()[0] == first
    connection.commit()
    assert connection.execute(define, ("02-01 02:00 Asia/Seoul",)).fetchone()[0] > first


# --- real daemons ----------------------------------------------------------------------------------------------------


def soon(zone, seconds):
    """Settings that make both runs due at the next full minute that is at least so many seconds ahead."""
    due = datetime.now(ZoneInfo(zone)) + timedelta(seconds=seconds)
    due = due.replace(second=0, microsecond=0) + timedelta(minutes=1 if due.second else 0)
    parts = {"MONTH": due.month, "DAY": due.day, "HOUR": due.hour, "MINUTE": due.minute}
    names = {f"{job}_SCHEDULE_{part}": str(value) for job in ("PROBABILITY", "HAZARD") for part, value in parts.items()}
    return due, {**names, "SCHEDULE_TIMEZONE": zone}


@pytest.mark.daemon
@pytest.mark.parametrize("zone", ["Asia/Seoul", "Europe/Paris"])
def test_two_daemons_run_what_is_due_once(database, connection, tmp_path, zone):
    write_climate(connection, cells=(1, 2, 3))
    due, settings = soon(zone, 3)
    with (
        running_daemon(database, tmp_path / "1.log", **settings),
        running_daemon(database, tmp_path / "2.log", **settings),
        psycopg.connect(database, autocommit=True) as watcher,
    ):
        ended = "SELECT job_type FROM batch_jobs WHERE status = 'completed' ORDER BY 1"
        wait_for(lambda: watcher.execute(ended).fetchall() == [("hazard",), ("probability",)], seconds=90)
        runs = watcher.execute("SELECT schedule, due_at FROM scheduled_runs ORDER BY 1").fetchall()
    assert runs == [("hazard", due), ("probability", due)]


@pytest.mark.daemon
def test_a_daemon_that_was_down_at_the_time_catches_up(database, connection, tmp_path):
    write_climate(connection, cells=(1, 2, 3))
    due, settings = soon("Asia/Seoul", -3 * 86_400)
    definition = f"{due:%m-%d %H:%M} Asia/Seoul"
    connection.execute("UPDATE schedule SET definition = %s, defined_at = now() - interval '200 days'", (definition,))
    connection.commit()
    log = tmp_path / "daemon.log"
    with running_daemon(database, log, **settings), psycopg.connect(database, autocommit=True) as watcher:
        count = "SELECT count(*) FROM batch_jobs WHERE status = 'completed'"
        wait_for(lambda: watcher.execute(count).fetchone() == (2,))


@pytest.mark.daemon
def test_people_see_what_is_due_and_may_pause_it(database):
    said = run(database, "workers.cli", "schedule", "list")
    assert "01-01 02:00 Asia/Seoul" in said
    assert "never" in said
    run(database, "workers.cli", "schedule", "pause", "hazard")
    assert "paused" in run(database, "workers.cli", "schedule", "list")
    run(database, "workers.cli", "schedule", "resume", "hazard")
    assert "paused" not in run(database, "workers.cli", "schedule", "list")
    assert "allowed: probability, hazard" in run(database, "workers.cli", "schedule", "pause", "drought", code=2)
