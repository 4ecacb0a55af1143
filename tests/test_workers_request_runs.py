"""Stored answers: reused when nothing has changed, taken over in part, all kept, one speaking for each place."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from asking import NINE, answer, ask, end_of, look, rows_of, served_places

from aiops.grid import grid_id_of

pytestmark = pytest.mark.daemon

BUILDING = {"floors": 5, "basement_floors": 1, "age_years": 10, "floor_area_m2": 2000, "use": "retail"}


@pytest.fixture(scope="module")
def served(migrated_server, server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with served_places(migrated_server, server, folder, "runs", computed=30, ONDEMAND_WORKERS="2") as one:
        yield one


@pytest.fixture
def where(served):
    """A place that nobody has asked about."""
    return next(served.places)


@pytest.fixture
def watcher(served):
    with psycopg.connect(served.database, autocommit=True) as connection:
        yield connection


def runs_at(watcher, where):
    """How often a place was computed."""
    query = "SELECT count(*) FROM risk_run WHERE latitude = %s AND longitude = %s"
    return watcher.execute(query, where).fetchone()[0]


def speaking(watcher, where):
    """The run that speaks for a place."""
    query = "SELECT batch_id FROM current_run WHERE latitude = %s AND longitude = %s"
    ((batch_id,),) = watcher.execute(query, where).fetchall()
    return str(batch_id)


def put_building(watcher, where, **fields):
    columns, marks = ", ".join(fields), ", ".join(["%s"] * len(fields))
    watcher.execute(
        f"INSERT INTO api_buildings (building_id, latitude, longitude, {columns}) VALUES (%s, %s, %s, {marks})",
        (f"at {where}", *where, *fields.values()),
    )


def change_building(watcher, where, **fields):
    changes = ", ".join(f"{name} = %s" for name in fields)
    watcher.execute(f"UPDATE api_buildings SET {changes} WHERE building_id = %s", (*fields.values(), f"at {where}"))


def run_assessment(watcher, where, **params):
    """A yearly batch of the place's cell, to its end."""
    batch = psycopg.types.json.Jsonb({"cells": [grid_id_of(*where)], **params})
    insert = "INSERT INTO batch_jobs (job_type, input_params) VALUES ('assessment', %s) RETURNING batch_id"
    row = end_of(watcher, watcher.execute(insert, (batch,)).fetchone()[0])
    assert row["status"] == "completed"
    return row["results"]


def without_own(results):
    """What two answers to the same have in common."""
    own = {"batch_id", "cached", "computed_by", "duration_seconds"}
    return {name: value for name, value in results.items() if name not in own}


# --- reused -------------------------------------------------------------------------------------------------


def test_the_same_request_is_answered_from_the_stored_run_and_says_so(watcher, where):
    first = answer(watcher, where)
    again = end_of(watcher, ask(watcher, where, risk_types=NINE[::-1], target_year=2058))
    assert (again["status"], again["progress"]) == ("completed", 100)
    results = again["results"]
    assert (results["cached"], results["computed_by"]) == (True, first["batch_id"])
    assert results["batch_id"] == again["batch_id"]
    assert without_own(results) == without_own(first)
    assert rows_of(watcher, again["batch_id"]) == (0, 0, 0, 0)
    assert runs_at(watcher, where) == 1
    steps = "SELECT step, status FROM batch_job_logs WHERE batch_id = %s ORDER BY log_id"
    log = watcher.execute(steps, (again["batch_id"],)).fetchall()
    assert log == [("answered from a stored run", "completed"), (None, "completed")]


def test_an_answer_from_a_stored_run_names_the_run_that_computed_it_not_another_that_was_answered_from_it(
    watcher, where
):
    first = answer(watcher, where)
    assert [answer(watcher, where)["computed_by"] for _ in range(3)] == [first["batch_id"]] * 3


@pytest.mark.parametrize(
    "other",
    [
        {"force": True},
        {"risk_types": ["typhoon"]},
        {"scenario": "ssp585"},
        {"target_year": 2090},
        {"insurance_rate": 0.5},
        {"asset_value": 1e9},
        {"building": {"floors": 2}},
        {"projections": True},
    ],
    ids=str,
)
def test_another_question_and_force_are_computed(watcher, where, other):
    answer(watcher, where)
    assert answer(watcher, where, **other)["cached"] is False
    assert runs_at(watcher, where) == 2


def test_what_was_computed_anew_is_given_from_then_on_and_whom_to_tell_makes_no_difference(watcher, where):
    answer(watcher, where)
    forced = answer(watcher, where, force=True)
    assert answer(watcher, where)["computed_by"] == forced["batch_id"]
    told = answer(watcher, where, notify={"email": "who@example.org"})
    assert (told["cached"], told["computed_by"]) == (True, forced["batch_id"])
    assert answer(watcher, where)["computed_by"] == forced["batch_id"]


def test_a_building_that_changed_is_computed_anew_and_one_that_changed_back_is_not(watcher, where):
    put_building(watcher, where, floors=3, built_year=1980)
    first = answer(watcher, where)
    assert answer(watcher, where)["cached"] is True
    change_building(watcher, where, floors=4)
    second = answer(watcher, where)
    assert second["cached"] is False
    assert (first["building"]["floors"], second["building"]["floors"]) == (3, 4)
    change_building(watcher, where, floors=3)
    third = answer(watcher, where)
    assert (third["cached"], third["computed_by"]) == (True, first["batch_id"])
    assert speaking(watcher, where) == first["batch_id"]


def test_a_building_said_in_the_request_is_the_same_as_one_of_the_register(watcher, where):
    put_building(watcher, where, floors=3)
    first = answer(watcher, where)
    change_building(watcher, where, floors=8)
    assert answer(watcher, where, building={"floors": 3})["integrated_risk"] == first["integrated_risk"]


def test_new_surroundings_population_and_sea_are_computed_anew(watcher, where):
    answer(watcher, where)
    watcher.execute("UPDATE location_grid SET elevation_m = elevation_m + 1 WHERE grid_id = %s", (grid_id_of(*where),))
    assert answer(watcher, where)["cached"] is False
    watcher.execute("INSERT INTO location_admin (admin_code, name, population) VALUES ('11', 'Seoul', 9000000)")
    watcher.execute("UPDATE location_grid SET admin_code = '11' WHERE grid_id = %s", (grid_id_of(*where),))
    with_people = answer(watcher, where)
    assert with_people["cached"] is False
    assert with_people["population"] == {"admin_code": "11", "name": "Seoul", "population": 9_000_000}
    watcher.execute("UPDATE warming_level SET warming_k = warming_k + 0.1 WHERE scenario = 'ssp585' AND year = 2099")
    warmer = answer(watcher, where)
    assert warmer["cached"] is False
    assert any("computed from earlier inputs" in warning for warning in warmer["warnings"])


def test_a_new_yearly_run_is_read_by_the_next_request(watcher, where):
    first = answer(watcher, where)
    run_assessment(watcher, where, force=True)
    second = answer(watcher, where)
    assert second["cached"] is False
    assert second["integrated_risk"] == first["integrated_risk"]  # from the same data
    run_assessment(watcher, where)  # has nothing to do
    assert answer(watcher, where)["cached"] is True


def test_fifty_equal_requests_at_once_are_computed_once_and_each_has_its_own_number(watcher, served, where):
    def ask_five(_):
        with psycopg.connect(served.database, autocommit=True) as own:
            return [ask(own, where) for _ in range(5)]

    with ThreadPoolExecutor(10) as pool:
        asked = [batch_id for five in pool.map(ask_five, range(10)) for batch_id in five]
    ended = [end_of(watcher, batch_id) for batch_id in asked]
    assert len({row["batch_id"] for row in ended}) == 50
    assert {row["status"] for row in ended} == {"completed"}
    assert runs_at(watcher, where) == 1
    assert [row["results"]["batch_id"] for row in ended] == [str(batch_id) for batch_id in asked]
    computed = [row for row in ended if not row["results"]["cached"]]
    assert len(computed) == 1
    assert {row["results"]["computed_by"] for row in ended if row["results"]["cached"]} == {computed[0]["batch_id"]}
    assert sum(sum(rows_of(watcher, batch_id)) for batch_id in asked) == 4 * 9


def test_different_requests_for_one_place_at_once_are_all_answered_and_one_of_them_speaks(watcher, where):
    with watcher.transaction():
        asked = [ask(watcher, where, building={"floors": 1 + n}) for n in range(12)]
    results = [end_of(watcher, batch_id)["results"] for batch_id in asked]
    assert [result["building"]["floors"] for result in results] == list(range(1, 13))
    assert runs_at(watcher, where) == 12
    assert speaking(watcher, where) in {str(batch_id) for batch_id in asked}


# --- taken over in part -------------------------------------------------------------------------------------


def part(results, name, field):
    return {risk: results[name][risk][field] for risk in results["risk_types"]}


@pytest.fixture
def base(watcher, where):
    """An answer whose parts are taken over; then the building and the cell's P(H) become others."""
    results = answer(watcher, where, building=BUILDING, asset_value=1e9, insurance_rate=0.2)
    watcher.execute(
        "UPDATE probability_packed SET aal = ARRAY(SELECT 2 * x FROM unnest(aal) WITH ORDINALITY AS a (x, n)"
        " ORDER BY n) WHERE grid_id = %s",
        (grid_id_of(*where),),
    )
    return results


OTHER = {"building": {**BUILDING, "floors": 30, "age_years": 50, "floor_area_m2": 90_000}, "asset_value": 1e9,
         "insurance_rate": 0.2}  # fmt: skip


def test_exposure_alone_is_made_anew(watcher, where, base):
    results = answer(watcher, where, steps=["exposure"], **OTHER)
    assert results["cached"] is False
    assert part(results, "exposure", "exposure_score") != part(base, "exposure", "exposure_score")
    assert part(results, "vulnerability", "vulnerability_score") == part(base, "vulnerability", "vulnerability_score")
    for field in ("base_aal", "vulnerability_factor", "final_aal", "expected_loss", "return_period_losses"):
        assert part(results, "aal", field) == part(base, "aal", field)
    assert part(results, "hazard", "hazard_score_100") == part(base, "hazard", "hazard_score_100")
    for risk, one in results["integrated_risk"]["risk_breakdown"].items():
        hazard, exposure = results["hazard"][risk]["hazard_score_100"], results["exposure"][risk]["exposure_score"]
        vulnerability = base["vulnerability"][risk]["vulnerability_score"]
        product = hazard / 100 * exposure * vulnerability / 100
        assert one["risk_product"] == pytest.approx(product)
        assert one["risk_score"] == pytest.approx(100 * product ** (1 / 3))
    assert speaking(watcher, where) == results["batch_id"]


def test_vulnerability_made_anew_scales_the_stored_base_loss(watcher, where, base):
    results = answer(watcher, where, steps=["vulnerability"], **OTHER)
    scores = part(results, "vulnerability", "vulnerability_score")
    assert scores != part(base, "vulnerability", "vulnerability_score")
    assert part(results, "exposure", "exposure_score") == part(base, "exposure", "exposure_score")
    assert part(results, "aal", "base_aal") == part(base, "aal", "base_aal")
    for risk in NINE:
        now, before = results["aal"][risk], base["aal"][risk]
        factor = 0.9 + 0.2 * scores[risk] / 100
        assert now["vulnerability_factor"] == pytest.approx(factor)
        assert now["final_aal"] == pytest.approx(min(1, now["base_aal"] * factor * 0.8))
        ratio = factor / before["vulnerability_factor"]
        assert now["baseline_aal"] == pytest.approx(before["baseline_aal"] * ratio)
        assert now["final_aal_high"] == pytest.approx(before["final_aal_high"] * ratio)


def test_loss_alone_is_made_anew_from_the_present_probability(watcher, where, base):
    results = answer(watcher, where, steps=["aal"], **OTHER)
    assert part(results, "exposure", "exposure_score") == part(base, "exposure", "exposure_score")
    assert part(results, "vulnerability", "factors") == part(base, "vulnerability", "factors")
    assert part(results, "aal", "vulnerability_factor") == part(base, "aal", "vulnerability_factor")
    for risk in NINE:
        if (
            risk != "sea_level_rise"
        ):  # goes through the damage curve of the building's use, and its bins are as they were
            assert results["aal"][risk]["base_aal"] == pytest.approx(2 * base["aal"][risk]["base_aal"])
            assert results["aal"][risk]["final_aal"] == pytest.approx(2 * base["aal"][risk]["final_aal"])


def test_all_three_steps_keep_the_hazard_and_give_what_a_whole_request_gives(watcher, where, base):
    results = answer(watcher, where, steps=["exposure", "vulnerability", "aal"], **OTHER)
    whole = answer(watcher, where, **OTHER)
    for name in ("exposure", "vulnerability", "aal", "hazard", "integrated_risk"):
        assert results[name] == whole[name]


def test_some_of_the_risks_may_be_recomputed(watcher, where, base):
    results = answer(watcher, where, risk_types=["typhoon"], steps=["vulnerability"], **OTHER)
    assert results["risk_types"] == ["typhoon"]
    assert results["exposure"]["typhoon"] == base["exposure"]["typhoon"]


def test_steps_are_never_answered_from_a_stored_run(watcher, where, base):
    first = answer(watcher, where, steps=["vulnerability"], **OTHER)
    second = answer(watcher, where, steps=["vulnerability"], **OTHER)
    assert (first["cached"], second["cached"]) == (False, False)
    assert answer(watcher, where, **OTHER)["cached"] is False


@pytest.mark.parametrize(
    "other", [{"scenario": "ssp126"}, {"target_year": 2030}, {"risk_types": ["typhoon", "drought"]}]
)
def test_steps_without_a_stored_run_to_take_the_others_from_fail_and_say_so(watcher, where, other):
    if "risk_types" in other:
        answer(watcher, where, risk_types=["typhoon"])
    else:
        answer(watcher, where)
    row = end_of(watcher, ask(watcher, where, steps=["exposure"], **other))
    assert row["status"] == "failed"
    assert row["error_message"].startswith("steps: there is no stored run of this place")
    assert row["error_stack_trace"]


# --- kept ---------------------------------------------------------------------------------------------------

HISTORY = "SELECT batch_id::text, changes, speaks FROM risk_history(%s, %s) ORDER BY calculated_at"


def test_every_run_stays_and_says_what_changed_since_the_one_before(watcher, where):
    put_building(watcher, where, floors=3, built_year=1990)
    made = [answer(watcher, where)["batch_id"]]
    change_building(watcher, where, floors=8, use="hotel")
    made.append(answer(watcher, where)["batch_id"])
    made.append(answer(watcher, where, force=True)["batch_id"])
    made.append(answer(watcher, where, insurance_rate=0.3, asset_value=1e9)["batch_id"])
    run_assessment(watcher, where, force=True)
    made.append(answer(watcher, where, insurance_rate=0.3, asset_value=1e9)["batch_id"])
    made.append(answer(watcher, where, insurance_rate=0.3, asset_value=1e9, risk_types=["typhoon"])["batch_id"])
    elsewhen = answer(watcher, where, target_year=2090)["batch_id"]
    rows = watcher.execute(HISTORY, where).fetchall()
    changes = {batch_id: change for batch_id, change, _ in rows}
    assert [batch_id for batch_id, _, _ in rows] == [*made, elsewhen]
    assert changes[made[0]] == changes[elsewhen] == ["first run"]
    assert changes[made[1]] == ["building: floors 3 -> 8", "building: use unknown -> hotel"]
    assert changes[made[2]] == []
    assert changes[made[3]] == ["asset value unknown -> 1000000000", "insurance rate 0 -> 0.3"]
    assert changes[made[4]] == ["new Hazard run", "new P(H) run"]
    assert changes[made[5]] == [f"risk types {' '.join(NINE)} -> typhoon"]
    # One pointer for each scenario and target year: the last that was answered.
    assert {batch_id for batch_id, _, speaks in rows if speaks} == {made[5], elsewhen}
    for batch_id in (*made, elsewhen):
        n = 1 if batch_id == made[5] else 9
        assert rows_of(watcher, batch_id) == (n, n, n, n)
    shown = "SELECT DISTINCT batch_id::text FROM risk_results WHERE latitude = %s AND longitude = %s"
    assert {row[0] for row in watcher.execute(shown, where)} == {made[5], elsewhen}


def test_the_history_holds_the_numbers_of_each_run(watcher, where):
    results = answer(watcher, where, asset_value=3e9)
    row = watcher.execute(
        "SELECT scenario, target_year, total_risk_score, risk_level, total_aal, expected_loss, method_version,"
        " damage_set, risk_types FROM risk_history(%s, %s)",
        where,
    ).fetchone()
    whole = results["integrated_risk"]
    assert row == (
        "ssp245",
        2050,
        whole["total_risk_score"],
        whole["risk_level"],
        whole["total_aal"]["all"]["sum"],
        whole["expected_loss"],
        results["method_version"],
        results["damage_set"],
        NINE,
    )


def test_the_newest_run_of_the_history_comes_first(watcher, where):
    made = [answer(watcher, where, building={"floors": n})["batch_id"] for n in (1, 2, 3)]
    rows = watcher.execute("SELECT batch_id::text FROM risk_history(%s, %s)", where).fetchall()
    assert [row[0] for row in rows] == made[::-1]


def test_a_place_that_nobody_asked_about_has_no_history(watcher, where):
    assert watcher.execute(HISTORY, where).fetchall() == []
    assert look(watcher, ask(watcher, where))["status"] in ("queued", "running", "completed")
