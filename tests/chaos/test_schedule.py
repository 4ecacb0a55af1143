"""Fault 13: the tick that was missed, the day that is not in every year, the hour that is not in every day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from workers.due_dates import YearlySchedule

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]

WINDOW = timedelta(days=30)


def due_ago(late, zone="Asia/Seoul"):
    """The full minute so long ago, and settings by which both yearly runs were due then."""
    due = (datetime.now(ZoneInfo(zone)) - late).replace(second=0, microsecond=0)
    parts = {"MONTH": due.month, "DAY": due.day, "HOUR": due.hour, "MINUTE": due.minute}
    names = {f"{job}_SCHEDULE_{part}": str(value) for job in ("PROBABILITY", "HAZARD") for part, value in parts.items()}
    return due, {**names, "SCHEDULE_TIMEZONE": zone}


@pytest.mark.fault("13 the tick missed by")
@pytest.mark.parametrize(
    "late",
    [
        pytest.param(timedelta(minutes=6), id="6-minutes", marks=pytest.mark.slow_chaos),
        pytest.param(timedelta(minutes=11), id="11-minutes", marks=pytest.mark.slow_chaos),
        pytest.param(timedelta(days=3), id="3-days", marks=pytest.mark.slow_chaos),
    ],
)
def test_a_run_that_was_missed_is_made_up_for_once_by_two_daemons(rig, late):
    due, settings = due_ago(late)
    rig.watch.execute(
        "UPDATE schedule SET definition = %s, defined_at = now() - interval '200 days'",
        (f"{due:%m-%d %H:%M} Asia/Seoul",),
    )
    rig.injected()
    with rig.recovery(120):
        for _ in range(2):
            rig.daemon(PARALLEL_WORKERS="1", BATCH_SIZE="80", **settings)
        ended = "SELECT array_agg(job_type ORDER BY job_type) FROM batch_jobs WHERE status = 'completed'"
        rig.wait(lambda: rig.look(ended) == ["hazard", "probability"], 120)
    runs = rig.watch.execute("SELECT schedule, due_at FROM scheduled_runs ORDER BY 1").fetchall()
    assert runs == [("hazard", due), ("probability", due)]
    assert rig.look("SELECT count(*) FROM batch_jobs") == 2


PARIS_SPRING = YearlySchedule("probability", 3, 29, 2, 30, "Europe/Paris")
PARIS_AUTUMN = YearlySchedule("probability", 10, 25, 2, 30, "Europe/Paris")
LEAP_DAY = YearlySchedule("probability", 2, 29, 2, 0, "Asia/Seoul")


@pytest.mark.fault("13 two daemons through ten years with")
@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param(LEAP_DAY, id="29-February"),
        pytest.param(PARIS_SPRING, id="an-hour-that-is-skipped"),
        pytest.param(PARIS_AUTUMN, id="an-hour-that-comes-twice"),
    ],
)
def test_every_year_has_exactly_one_run_whatever_ticks_are_missed(rig, schedule):
    """Two daemons' clocks, from 2024 to 2033: dense around each due moment, with holes of up to 25 days."""
    since = datetime(2024, 1, 1, tzinfo=UTC)
    ticks = []
    for year in range(2024, 2034):
        due = schedule.due_in(year)
        moment = due - timedelta(hours=5)
        while moment < due + timedelta(days=29):
            ticks.append(moment)
            hole = rig.dice.random() < 0.02
            moment += timedelta(days=rig.dice.uniform(1, 25)) if hole else timedelta(minutes=rig.dice.uniform(1, 700))
            rig.injected(hole)
        ticks.append(due + timedelta(days=29))
    with psycopg.connect(rig.url) as one, psycopg.connect(rig.url) as two:
        for now in ticks:
            due = schedule.to_make_up(now, since, WINDOW)
            if due is None:
                continue
            for daemon in rig.dice.sample([one, two], 2):
                started = daemon.execute("SELECT start_due_run('probability', %s)", (due,)).fetchone()[0]
                if started is not None:
                    daemon.execute("SELECT cancel_batch(%s)", (started,))
                daemon.commit()
    runs = [due for (due,) in rig.watch.execute("SELECT due_at FROM scheduled_runs ORDER BY 1")]
    assert runs == [schedule.due_in(year) for year in range(2024, 2034)]
    assert rig.look("SELECT count(*) FROM batch_jobs") == 10
