"""Sites: what stands for what is unknown of a place or a building, and that it is named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from places import BUILDING, nan, one_site

from aiops.assess._defaults import ATTRIBUTE_DEFAULTS
from aiops.assess.sites import STRUCTURES, USES, Buildings
from aiops.db.blocks import ATTRIBUTES
from aiops.errors import BadInput
from aiops.risks import Risk, all_risks, find_risk

EVERY_RISK = pytest.mark.parametrize("risk", all_risks().values(), ids=lambda risk: risk.name)


def values_of(buildings: Buildings, site: int = 0) -> dict[str, object]:
    return {
        field.name: getattr(buildings, field.name)[site].item()
        for field in dataclasses.fields(buildings)
        if field.name != "defaulted"
    }


def test_an_unknown_building_is_an_office_of_concrete_with_5_floors_and_20_years() -> None:
    buildings = Buildings.of([{}])
    assert values_of(buildings) == {
        "floor_area_m2": 1000.0,
        "age_years": 20.0,
        "structure": "reinforced_concrete",
        "floors": 5.0,
        "basement_floors": 0.0,
        "use": "office",
        "water_tank": False,
        "pilotis": False,
        "in_flood_zone": False,
    }
    assert set(buildings.defaulted_fields(0)) == set(BUILDING)


@pytest.mark.parametrize("unknown", [None, nan])
def test_none_and_nan_are_as_unknown_as_absent(unknown) -> None:
    buildings = Buildings.of([dict.fromkeys(BUILDING, unknown)])
    assert values_of(buildings) == values_of(Buildings.of([{}]))
    assert set(buildings.defaulted_fields(0)) == set(BUILDING)


def test_what_is_known_stands_and_is_not_named() -> None:
    known = {**BUILDING, "structure": "wood", "use": "hotel", "pilotis": True}
    buildings = Buildings.of([known, {**known, "floors": None}])
    assert values_of(buildings) == known
    assert buildings.defaulted_fields(0) == []
    assert buildings.defaulted_fields(1) == ["floors"]
    assert values_of(buildings, 1) == known


@pytest.mark.parametrize(
    ("building", "tank"),
    [
        ({"floors": 5, "floor_area_m2": 2_999}, False), ({"floors": 6}, True), ({"floor_area_m2": 3_000}, True),
        ({"floors": 6, "water_tank": False}, False), ({"floors": 1, "water_tank": True}, True),
    ],
)  # fmt: skip
def test_a_tank_is_assumed_from_6_floors_or_3000_square_metres_on(building, tank) -> None:
    buildings = Buildings.of([building])
    assert buildings.water_tank.tolist() == [tank]
    assert ("water_tank" in buildings.defaulted_fields(0)) == ("water_tank" not in building)


@pytest.mark.parametrize(
    ("building", "message"),
    [
        ({"floor_area_m2": 0}, "building.floor_area_m2: 0 is none; allowed: above 0"),
        ({"floor_area_m2": float("inf")}, "building.floor_area_m2: inf is none"),
        ({"age_years": -2}, "building.age_years: -2 is none"),
        ({"floors": 0}, "building.floors: 0 is none; allowed: 1 or more"),
        ({"basement_floors": -1}, "building.basement_floors: -1 is none; allowed: 0 or more"),
        ({"structure": "straw"}, "building.structure: 'straw' is none; allowed: reinforced_concrete .* other"),
        ({"use": "castle"}, "building.use: 'castle' is none; allowed: office .* other"),
    ],
)
def test_a_building_that_cannot_be_is_refused_by_its_field(building, message) -> None:
    with pytest.raises(BadInput, match=message):
        Buildings.of([BUILDING, building])


def test_every_word_that_is_allowed_is_taken() -> None:
    buildings = Buildings.of([{"structure": word} for word in STRUCTURES] + [{"use": word} for word in USES])
    assert buildings.structure[: len(STRUCTURES)].tolist() == list(STRUCTURES)
    assert buildings.use[len(STRUCTURES) :].tolist() == list(USES)


@pytest.mark.parametrize("name", ATTRIBUTE_DEFAULTS)
def test_an_unknown_attribute_takes_its_default_with_a_reason(name: str) -> None:
    default = ATTRIBUTE_DEFAULTS[name]
    assert name in ATTRIBUTES
    assert default.reason
    unknown, absent = one_site(**{name: None}), one_site()
    absent = dataclasses.replace(absent, attributes={})
    assert unknown.number(name).tolist() == absent.number(name).tolist() == [default.value]
    assert [where.tolist() for where in unknown.defaulted([name]).values()] == [[True]]
    assert [where.tolist() for where in absent.defaulted([name]).values()] == [[True]]
    assert one_site().defaulted([name]) == {}


def test_the_defaults_of_forest_and_river_are_where_the_reach_is_its_national_mean() -> None:
    for risk, name in (("wildfire", "forest_distance_m"), ("river_flood", "river_distance_m")):
        reach = find_risk(risk).reach
        assert reach is not None
        at = {name: np.array([ATTRIBUTE_DEFAULTS[name].value])}
        assert reach.at(at, 1)[0] == pytest.approx(reach.national_mean, abs=0.005)


@EVERY_RISK
def test_a_risk_reads_only_what_has_a_default(risk: Risk) -> None:
    assert risk.proximity is not None
    assert risk.vulnerability is not None
    known = {*ATTRIBUTE_DEFAULTS, *BUILDING, "latitude"}
    assert {*risk.proximity.reads, *risk.vulnerability.reads} <= known


def test_an_attribute_without_a_default_cannot_be_read() -> None:
    with pytest.raises(KeyError):
        one_site().number("crest_m")
