"""`aiops request` and `aiops history`, as people and scripts see them."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from uuid import UUID

import psycopg
import pytest
from climate import CELLS, write_climate
from daemons import environment, run, running_daemon, wait_for

from aiops.errors import BadInput
from aiops.grid import latitude_of, longitude_of
from workers.cli import main
from workers.cli.arguments import degrees, value_of
from workers.cli.request import building_of

PLACE = (f"{latitude_of(CELLS[3]):.2f}", f"{longitude_of(CELLS[3]):.2f}")
AT = tuple(float(degree) for degree in PLACE)
LATER = 1 + max(CELLS)
"""A cell without data."""
RISKS = 9
WITH_DATA = ("extreme_heat", "river_flood")


def aiops(database, *arguments, code=0, **settings):
    return run(database, "workers.cli", *arguments, code=code, **settings)


@pytest.fixture
def climate(connection):
    write_climate(connection)


@pytest.fixture
def known_place(connection, climate):
    """A building on the register, and a district with people."""
    connection.execute(
        "INSERT INTO api_buildings (building_id, name, latitude, longitude, floors, use)"
        " VALUES ('11110-1', '우리 빌딩', %s, %s, 7, 'hotel')",
        AT,
    )
    connection.execute(
        "INSERT INTO location_admin (admin_code, name, name_ko, population, population_year)"
        " VALUES ('26', 'Some District', '어느구', 121312, 2023)"
    )
    connection.execute(
        "UPDATE location_grid SET admin_code = '26', name = 'Somewhere', name_ko = '어딘가' WHERE grid_id = %s",
        (CELLS[3],),
    )
    connection.commit()


# --- answers ------------------------------------------------------------------------------------------------


@pytest.mark.daemon
def test_a_daemon_answers_and_everything_found_is_printed(known_place, connection, database, tmp_path):
    with running_daemon(database, tmp_path / "log"):
        text = aiops(
            database, "request", *PLACE, "--asset-value", "5e10", "--building", "floors=12", "--building",
            '{"built_year": 2005, "structure": "철근콘크리트구조"}', "--scenario", "ssp245", "--year", "2051",
        )  # fmt: skip
        again = json.loads(aiops(database, "request", *PLACE, "--risk", "high_temperature", "--json"))
        number = aiops(database, "request", *PLACE, "--risk", "river_flood", "--no-wait").strip()
        wait_for(lambda: _ended(database, number))
        # What failed for want of data can be retried when they are there.
        said = aiops(database, "request", f"{latitude_of(LATER):.2f}", f"{longitude_of(LATER):.2f}", code=1)
        write_climate(connection, cells=(LATER,))
        retried = aiops(database, "retry", re.search(r"request (\S+) failed: no climate data", said)[1])
    assert retried.startswith("ondemand_risk_calculation: total risk score ")
    assert f"Somewhere 어딘가 ({PLACE[0]}, {PLACE[1]}), ssp245 2050s" in text
    for told in (
        "Extreme heat 극심한 고온",
        "River flood 하천 홍수",
        "Damage 직접 손해",
        "Running cost 운영 손실",
        "All 합계",
    ):
        assert told in text
    assert re.search(r"Extreme heat 극심한 고온 +\d+\.\d +0\.\d\d +\d+\.\d +\d+\.\d +(very )?\w+ +\d+\.\d", text)
    # AAL, its interval, the change against the baseline, won a year of an asset worth 50 billion
    loss = re.search(r"River flood 하천 홍수 +(\d+\.\d{4}) +\d+\.\d{4}–\d+\.\d{4} +[+-]\d+\.\d{4} +([\d,]+)", text)
    assert float(loss[2].replace(",", "")) == pytest.approx(
        float(loss[1]) / 100 * 5e10, abs=0.000051 / 100 * 5e10
    )  # as printed
    assert "Typhoon 태풍: insufficient data: " in text
    for decade in ("baseline 기준", "2030s", "2050s", "2090s"):
        assert decade in text
    assert "hotel, reinforced concrete" in text
    assert "12 floors" in text
    assert "from the register 건축물대장 (우리 빌딩): use" in text
    assert "from the request 요청: built_year, floors, structure" in text
    assert "from a default 기본값: floor_area_m2, basement_floors" in text
    assert "Population 인구 of Some District 어느구: 121,312 (2023)." in text
    assert "SYNTHETIC sample data 합성 자료" in text
    assert again["synthetic"] is True
    assert again["risk_types"] == ["extreme_heat"]
    assert UUID(number)


def _ended(database, batch_id):
    with psycopg.connect(database) as connection:
        return connection.execute("SELECT completed_at FROM batch_jobs WHERE batch_id = %s", (batch_id,)).fetchone()[0]


def test_without_a_daemon_the_command_answers_itself(climate, database):
    first = json.loads(aiops(database, "request", *PLACE, "--json", "--projections"))
    assert (first["status"], first["synthetic"], first["cached"]) == ("success", True, False)
    assert len(first["risk_types"]) == len(first["integrated_risk"]["risk_breakdown"]) == RISKS
    assert {risk for risk, one in first["aal"].items() if one["final_aal"] is not None} == set(WITH_DATA)
    assert len(first["projections"]) == 33
    second = json.loads(aiops(database, "request", *PLACE, "--json", "--projections"))
    assert (second["cached"], second["computed_by"]) == (True, first["batch_id"])
    assert second["integrated_risk"] == first["integrated_risk"]
    text = aiops(database, "request", *PLACE, "--projections")
    assert f"from the stored run {first['batch_id']}: nothing has changed since" in text
    assert "2080s" in text  # every decade
    assert "Population 인구: not known." in text
    forced = json.loads(aiops(database, "request", *PLACE, "--json", "--projections", "--force"))
    assert (forced["cached"], forced["integrated_risk"]) == (False, first["integrated_risk"])
    with psycopg.connect(database) as connection:  # nothing is left that would wait for a daemon
        waiting = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'ondemand_risk'"
        assert connection.execute(waiting).fetchone() == (0,)


def test_some_steps_are_computed_anew_and_the_rest_is_taken_over(climate, database):
    said = aiops(database, "request", *PLACE, "--steps", "vulnerability", code=1)
    assert "steps: there is no stored run of this place" in said
    whole = json.loads(aiops(database, "request", *PLACE, "--json"))
    part = json.loads(
        aiops(database, "request", *PLACE, "--steps", "vulnerability", "--building", "structure=wood", "--json")
    )
    assert part["exposure"] == whole["exposure"]
    assert part["vulnerability"] != whole["vulnerability"]


def test_the_past_alone_has_no_change_against_itself(climate, database):
    text = aiops(database, "request", *PLACE, "--scenario", "historical")
    assert "), historical\n" in text
    assert "against" not in text


def test_without_a_session_that_listens_the_answer_comes_all_the_same(climate, database):
    """The address past the pooler leads nowhere."""
    beside = {"DATABASE_DIRECT_URL": "postgresql://nobody@127.0.0.1:1/none"}
    assert json.loads(aiops(database, "request", *PLACE, "--json", **beside))["status"] == "success"


def test_a_terminal_is_shown_the_progress(climate, database):
    ours, terminal = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "request", *PLACE],
        env=environment(database, TERM="xterm", COLUMNS="100"),
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # how Linux says that the other side has closed
        pass
    finally:
        os.close(ours)
    assert done.wait(120) == 0
    assert " request " in shown.decode()
    assert "100 %" in shown.decode()


# --- what ends otherwise ------------------------------------------------------------------------------------


@pytest.fixture
def refused(database, monkeypatch, capsys):
    """Run a command in this process, that ends in exit code 2; its standard error."""
    monkeypatch.setenv("DATABASE_URL", database)

    def refused(*arguments):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 2
        return capsys.readouterr().err

    return refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["here", "127"], 'latitude: "here" is not allowed; allowed: a number, 33 to 39 degrees north'),
        (["nan", "127"], 'latitude: "nan" is not allowed'),
        (["37", "1e400"], 'longitude: "1e400" is not allowed; allowed: a number, 124.5 to 132 degrees east'),
        (["51", "0"], "latitude: 51 is not allowed"),
        ([*PLACE, "--risk", "heat"], "risk_types: 'heat' is not allowed; allowed: extreme_heat"),
        ([*PLACE, "--scenario", "rcp85"], 'scenario: "rcp85" is not allowed; allowed: historical'),
        ([*PLACE, "--year", "1850"], "target_year: 1850 is not allowed; allowed: a whole number, 2020 to 2100"),
        ([*PLACE, "--year", "soon"], 'target_year: "soon" is not allowed'),
        ([*PLACE, "--insurance-rate", "1.5"], "insurance_rate: 1.5 is not allowed; allowed: a number, 0 to 1"),
        ([*PLACE, "--asset-value", "-1"], "asset_value: -1 is not allowed"),
        ([*PLACE, "--building", "floors=0"], "building.floors: 0 is not allowed; allowed: a whole number, 1 to 200"),
        ([*PLACE, "--building", "colour=red"], "building.colour: "),
        ([*PLACE, "--building", "water_tank=maybe"], 'building.water_tank: "maybe" is not allowed; allowed: true or'),
        ([*PLACE, "--building", '{"floors": NaN}'], 'building.floors: "NaN" is not allowed'),
        ([*PLACE, "--building", "floors"], "building: 'floors'; allowed: FIELD=VALUE such as floors=12, or a JSON"),
        ([*PLACE, "--building", "{floors: 12}"], "building: '{floors: 12}' is no JSON object"),
        ([*PLACE, "--building", '{"use": "office", "use": "hotel"}'], "building.use: given twice"),
        ([*PLACE, "--steps", "hazard"], 'steps: "hazard" is not allowed; allowed: aal'),
        ([*PLACE, "--webhook", "ftp://example.org"], "notify.webhook: "),
        ([*PLACE, "--email", "nobody"], "notify.email: "),
    ],
)
def test_what_is_refused_is_named_in_one_line_with_exit_code_2(refused, connection, arguments, message):
    said = refused("request", *arguments)
    assert said.startswith("aiops: ")
    assert message in said
    assert len(said.strip().splitlines()) == 1
    assert connection.execute("SELECT count(*) FROM batch_jobs").fetchone() == (0,)


def test_a_place_without_data_fails_in_one_line_with_the_reason(climate, database):
    at_sea = ("33.01", "131.99")
    said = aiops(database, "request", *at_sea, "--json", code=1)
    assert re.fullmatch(r"aiops: request \S+ failed: no climate data at 33.01, 131.99 .*\n", said)
    assert "km away" in said


def test_ctrl_c_leaves_the_request_and_says_how_to_see_it(climate, database, connect):
    watching = connect(autocommit=True)
    # As if a daemon were there, and busy.
    watching.execute("SELECT * FROM procrastinate_register_worker_v1()")
    watching.execute("UPDATE procrastinate_workers SET last_heartbeat = now() + interval '1 hour'")
    command = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "request", *PLACE],
        env=environment(database),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    listening = (
        "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN aiops_progress' AND datname = current_database()"
    )
    wait_for(lambda: watching.execute(listening).fetchone()[0])
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=120)
    assert command.returncode == 130
    batch_id, status = watching.execute("SELECT batch_id, status FROM batch_jobs").fetchone()
    assert status == "queued"
    assert f"batch {batch_id} goes on" in said
    assert f"aiops history {PLACE[0]} {PLACE[1]}" in said
    assert "Traceback" not in said


# --- history ------------------------------------------------------------------------------------------------


def test_history_says_which_run_speaks_and_what_changed(climate, database):
    assert "history: nothing was asked of exactly" in aiops(database, "history", *PLACE, code=2)
    first = json.loads(aiops(database, "request", *PLACE, "--json", "--building", "floors=5"))["batch_id"]
    later = json.loads(aiops(database, "request", *PLACE, "--json", "--building", "floors=8"))["batch_id"]
    other = json.loads(aiops(database, "request", *PLACE, "--json", "--scenario", "historical"))["batch_id"]
    runs = json.loads(aiops(database, "history", *PLACE, "--json"))
    assert [(run["batch_id"], run["speaks"], run["changes"]) for run in runs] == [
        (other, True, ["first run"]),
        (later, True, ["building: floors 5 -> 8"]),
        (first, False, ["first run"]),
    ]
    text = aiops(database, "history", *PLACE)
    assert text.count("speaks for the place") == 2
    assert "building: floors 5 -> 8" in text
    assert "2050s" in text
    assert " KST  " in text
    assert {run["synthetic"] for run in runs} == {True}
    assert "Computed from SYNTHETIC" in text
    # The answer of an earlier run, asked for again, speaks again.
    aiops(database, "request", *PLACE, "--building", "floors=5")
    speaking = {run["batch_id"]: run["speaks"] for run in json.loads(aiops(database, "history", *PLACE, "--json"))}
    assert speaking == {first: True, later: False, other: True}


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (["here", "127"], "latitude: 'here' is no number"),
        (["51", "0"], "latitude: 51 lies outside the frame"),
        (["inf", "0"], "latitude: 'inf' is no number"),
    ],
)
def test_history_refuses_what_is_no_place(refused, place, message):
    said = refused("history", *place)
    assert message in said
    assert len(said.strip().splitlines()) == 1


# --- arguments ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("5e10", 5e10),
        ("50_000", 50_000),
        ("true", True),
        ("yes", "yes"),
        ("nan", "nan"),
        ("1e400", "1e400"),
    ],
)
def test_a_text_is_a_number_where_json_has_one(text, value):
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


def test_a_coordinate_is_a_number():
    assert degrees("latitude", "37.5") == 37.5
    with pytest.raises(BadInput, match="latitude: 'true' is no number"):
        degrees("latitude", "true")


def test_a_building_is_described_by_fields_by_json_or_both():
    given = ['{"floors": 12, "water_tank": true, "floor_area_m2": 1e400}', "use = office", "structure=목구조"]
    assert building_of(given) == {
        "floors": 12,
        "water_tank": True,
        "floor_area_m2": "1e400",
        "use": "office",
        "structure": "목구조",
    }
    with pytest.raises(BadInput, match=r"building\.floors: given twice"):
        building_of(['{"floors": 12}', "floors=5"])
