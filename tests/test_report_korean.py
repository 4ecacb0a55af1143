"""Reasons and warnings, which are kept in English, on a Korean page: made by what makes them, and translated whole."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from climate import write_climate

from aiops.assess._reasons import warming_missing, years_missing
from aiops.db.buildings import STRUCTURES, USES
from aiops.report import words
from aiops.report.korean import in_korean
from aiops.risks import all_risks
from aiops.risks.sea_level_rise import FEWEST, _explain
from workers.ondemand.plain import reason_of

ENGLISH = re.compile(r"\b(the|of|in|are|is|at|no|not|with|years?|sites?|and|for|to|within|have|needed)\b")


def is_korean(text):
    """Whether nothing of the English sentence is left; names of variables and commands are."""
    return bool(re.search("[가-힣]", text)) and not ENGLISH.search(text)


YEARS = [
    years_missing(0, 5, "rx1day", 0),
    years_missing(1, 5, "wsdi", 4),
    years_missing(9, 15, "rx1day", 12, "are needed for the return levels of its bins"),
    warming_missing(7),
    "rx1day does not vary over the baseline: its return levels cannot be fitted",
    "no data, or fewer than 5 years, of tx33, wsdi in ssp585 2090s",
    reason_of(0, None, 3),
]


@pytest.mark.parametrize("reason", YEARS)
def test_reasons_of_years_are_said_in_korean(reason):
    assert is_korean(in_korean(reason)), in_korean(reason)


def test_a_reason_keeps_its_numbers_its_decade_and_its_variable():
    told = in_korean(years_missing(9, 15, "rx1day", 12))
    assert all(part in told for part in ("9년", "15년", "rx1day", "년대"))
    assert in_korean("no year of wsdi in historical baseline; at least 5 are needed") == (
        "과거 기준 기간에 wsdi 자료가 있는 해가 없음, 최소 5년 필요"
    )


def test_reasons_of_the_coast_are_said_in_korean():
    known = {"ground": [1.0], "has_gauge": [True], "gauge_years": [30], "scale": [1.0]}
    nan = float("nan")
    cases = [
        (nan, {}),
        (5.0, {"ground": [nan]}),
        (5.0, {"has_gauge": [False]}),
        (5.0, {"gauge_years": [FEWEST - 1]}),
        (5.0, {"scale": [nan]}),
        (5.0, {}),
    ]
    reasons = {_explain(SimpleNamespace(**{**known, **odd}), np.array([distance]))(5, 0) for distance, odd in cases}
    assert len(reasons) == len(cases)
    for reason in reasons:
        assert is_korean(in_korean(reason)), in_korean(reason)


def test_a_risk_that_does_not_apply_says_why_in_korean():
    reasons = {risk.exclusion({}, 1)[1] for risk in all_risks().values()} - {""}
    assert reasons
    for reason in reasons:
        assert is_korean(in_korean(reason)), reason


def test_a_place_without_climate_data_is_told_in_korean_what_is_near(connection):
    query = "SELECT no_climate_reason(36, 131.5)"
    (nowhere,) = connection.execute(query).fetchone()
    write_climate(connection, cells=(343_000,))
    (near,) = connection.execute(query).fetchone()
    assert nowhere.endswith("no cell has any yet (aiops ingest)")
    assert near.endswith("km away")
    for reason in (nowhere, near):
        assert is_korean(in_korean(reason)), in_korean(reason)
    assert "km" in in_korean(near)


RENEWED = (
    "hazard and probability were computed from earlier inputs than there are now; the next yearly batch renews them"
)
AT_SEA = "no climate data at 36, 131.5 (cell 231): a place at sea, or outside what was loaded; "
WARNINGS = [
    "building: not known, so a default stands for floor_area_m2, use, in_flood_zone",
    f"extreme_heat, river_flood: {RENEWED}",
    f"17 sites: {RENEWED}",
    "wildfire: insufficient_data: no data, or fewer than 5 years, of fwi95 in ssp585 2090s",
    "drought: no average annual loss: 4 years of spei12_min in ssp245 2050s; at least 5 are needed",
    "3 of 20 sites have no answer and are left out of the totals:",
    "30 of 200 sites have no answer and are left out of the totals; the first 20:",
    f"site 7 (Ulsan (2)): {AT_SEA}no cell has any yet (aiops ingest)",
    "12 sites: not everything is known of the building, so defaults stand for the rest",
    "typhoon: failed at 3 sites",
    "no cell has climate data in what was asked for: nothing was computed",
    "no cell has daily or monthly series in what was asked for: nothing was computed",
    "3 of 362 cells have no year or month complete enough for any indicator",
    "3 of 362 cells lack the data for at least one result (see status and reason of the results)",
]


@pytest.mark.parametrize("warning", WARNINGS)
def test_warnings_are_said_in_korean(warning):
    assert is_korean(in_korean(warning)), in_korean(warning)


WRITTEN_BY = {
    "portfolio_warnings": (
        "sites have no answer and are left out of the totals",
        "defaults stand for the rest",
        " sites",
    ),
    "yearly_outcome": (
        "nothing was computed",
        "lack the data for at least one result",
        "complete enough for any indicator",
    ),
}


@pytest.mark.parametrize("function", WRITTEN_BY)
def test_the_warnings_above_are_those_that_the_program_writes(connection, function):
    (written,) = connection.execute("SELECT pg_get_functiondef(%s::regproc)", (function,)).fetchone()
    for part in WRITTEN_BY[function]:
        assert part in written
        assert any(part in warning for warning in WARNINGS)


def test_what_is_not_known_stays_as_it_is():
    assert in_korean("ZeroDivisionError: division by zero") == "ZeroDivisionError: division by zero"
    assert in_korean("") == ""


def test_risks_are_called_as_the_database_calls_them(connection):
    rows = connection.execute("SELECT risk_type, name, name_ko FROM risk_type")
    assert {risk_type: (name, korean) for risk_type, name, korean in rows} == words.RISKS


def test_every_use_and_structure_of_a_building_has_its_korean():
    assert set(words.USES) == set(USES)
    assert set(words.STRUCTURES) == set(STRUCTURES)
    for one in (*words.USES.values(), *words.STRUCTURES.values()):
        assert is_korean(one.ko), one
