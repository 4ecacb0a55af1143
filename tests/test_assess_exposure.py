"""Exposure: every row of its table, its boundaries, what stands for what is unknown."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import many_sites, names_of, nan, one_site, taken

from aiops.assess.exposure import assess_exposure
from aiops.risks import Risk, all_risks, find_risk

EVERY_RISK = pytest.mark.parametrize("risk", all_risks().values(), ids=lambda risk: risk.name)
JUST = 1.000001
"""A little more."""


def proximity(risk: str, **known: object) -> float:
    return assess_exposure(one_site(**known), find_risk(risk)).proximity_factor[0]


# --- how much stands there ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "normalized"),
    [
        (1e11, 1), (1e12, 1), (1e8, 0.1), (0, 0.1), (1e6, 0.1), (1e9, 1 / 3), (5e9, math.log10(50) / 3),
        (10**8.3, 0.1), (10**8.31, 0.31 / 3),
    ],
)  # fmt: skip
def test_asset_by_its_value(value: float, normalized: float) -> None:
    found = assess_exposure(one_site(asset_value=value), find_risk("extreme_heat"))
    assert found.normalized_asset_value[0] == pytest.approx(normalized, rel=1e-12)


@pytest.mark.parametrize(
    ("area", "normalized"),
    [(1_000, 0.5), (10_000, 1), (50_000, 1), (100, 0.1), (30, 0.1), (10**2.2, 0.1), (500, math.log10(5) / 2)],
)
def test_asset_by_its_floor_area_where_no_value_is_given(area: float, normalized: float) -> None:
    found = assess_exposure(one_site(floor_area_m2=area), find_risk("extreme_heat"))
    assert found.normalized_asset_value[0] == pytest.approx(normalized, rel=1e-12)


def test_exposure_is_the_asset_times_its_proximity() -> None:
    found = assess_exposure(one_site(asset_value=1e9, impervious_ratio=0.5), find_risk("extreme_heat"))
    assert found.exposure[0] == pytest.approx(1 / 3 * 0.6)


# --- how near the hazard comes ------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "factor"), [(0, 0.3), (0.5, 0.6), (1, 0.9)])
def test_heat_by_the_sealed_share(share: float, factor: float) -> None:
    assert proximity("extreme_heat", impervious_ratio=share) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("elevation", "latitude", "factor"),
    [(200, 37, 0.5), (200 * JUST, 37, 0.7), (200, 37 * JUST, 0.7), (900, 38, 0.9), (-3, 33, 0.5)],
)
def test_cold_by_height_and_latitude(elevation: float, latitude: float, factor: float) -> None:
    assert proximity("extreme_cold", elevation_m=elevation, latitude=latitude) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("metres", "factor"),
    [
        (0, 1), (30, 1), (math.sqrt(30 * 100), 0.85), (100, 0.7), (math.sqrt(100 * 500), 0.55), (500, 0.4),
        (math.sqrt(500 * 1000), 0.25), (1000, 0.1), (1000 * JUST, 0.05), (30_000, 0.05),
    ],
)  # fmt: skip
def test_wildfire_by_the_distance_to_forest(metres: float, factor: float) -> None:
    assert proximity("wildfire", forest_distance_m=metres) == pytest.approx(factor)


@pytest.mark.parametrize("risk", ["drought", "water_stress"])
@pytest.mark.parametrize(
    ("use", "factor"),
    [
        ("factory", 0.8), ("hotel", 0.8), ("hospital", 0.8), ("power", 0.8), ("office", 0.5), ("retail", 0.5),
        ("warehouse", 0.3), ("residential", 0.3), ("school", 0.3), ("other", 0.3),
    ],
)  # fmt: skip
def test_lack_of_water_by_use(risk: str, use: str, factor: float) -> None:
    assert proximity(risk, use=use) == factor


@pytest.mark.parametrize(
    ("metres", "factor"),
    [
        (0, 0.8), (100, 0.8), (math.sqrt(100 * 500), 0.7), (500, 0.6), (math.sqrt(500 * 1000), 0.5), (1000, 0.4),
        (math.sqrt(1000 * 10_000), 0.25), (10_000, 0.1), (10_000 * JUST, 0), (90_000, 0),
    ],
)  # fmt: skip
def test_sea_level_by_the_distance_to_the_coast(metres: float, factor: float) -> None:
    assert proximity("sea_level_rise", coast_distance_m=metres) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("metres", "factor"),
    [
        (0, 0.9), (100, 0.9), (math.sqrt(100 * 300), 0.8), (300, 0.7), (math.sqrt(300 * 1000), 0.55), (1000, 0.4),
        (1000 * JUST, 0.1), (20_000, 0.1),
    ],
)  # fmt: skip
def test_river_by_the_distance_to_it(metres: float, factor: float) -> None:
    assert proximity("river_flood", river_distance_m=metres) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("floors", "metres", "factor"),
    [
        (1, 1000, 0.8), (2, 1000, 0.9), (3, 1000, 1), (5, 1000, 1), (1, 100, 0.9), (2, 50, 0.9), (3, 50, 1),
        (3, 1000 * JUST, 0.1),
    ],
)  # fmt: skip
def test_a_basement_near_a_river_is_near_it_by_its_depth(floors: int, metres: float, factor: float) -> None:
    assert proximity("river_flood", river_distance_m=metres, basement_floors=floors) == pytest.approx(factor)


@pytest.mark.parametrize(("share", "factor"), [(0, 0.1), (0.4, 0.4), (1, 0.85)])
def test_cloudbursts_by_the_sealed_share(share: float, factor: float) -> None:
    assert proximity("urban_flood", impervious_ratio=share) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("floors", "share", "factor"),
    [(1, 1, 0.85), (2, 1, 0.9), (3, 1, 1), (9, 1, 1), (3, 0.8, 0.8), (1, 0, 0.1), (1, 0.5, 0.475), (3, 0.5, 0.5)],
)
def test_a_basement_in_a_sealed_town_fills_by_its_depth(floors: int, share: float, factor: float) -> None:
    assert proximity("urban_flood", impervious_ratio=share, basement_floors=floors) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("metres", "factor"),
    [
        (0, 0.9), (5_000, 0.9), (10_000, 0.8), (20_000, 0.7), (math.sqrt(20_000 * 50_000), 0.55), (50_000, 0.4),
        (50_000 * JUST, 0.2), (120_000, 0.2),
    ],
)  # fmt: skip
def test_typhoon_by_the_distance_to_the_coast(metres: float, factor: float) -> None:
    assert proximity("typhoon", coast_distance_m=metres) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("floors", "metres", "factor"),
    [(1, 5_000, 0.9), (5, 5_000, 0.9), (6, 5_000, 0.91), (15, 5_000, 1), (60, 5_000, 1), (60, 90_000, 0.75)],
)
def test_a_tall_building_is_nearer_to_the_wind(floors: int, metres: float, factor: float) -> None:
    assert proximity("typhoon", coast_distance_m=metres, floors=floors) == pytest.approx(factor)


# --- what is unknown ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("risk", "names", "factor"),
    [
        ("extreme_heat", {"impervious_ratio"}, 0.6),
        ("extreme_cold", {"elevation_m"}, 0.5),
        ("wildfire", {"forest_distance_m"}, 0.3),
        ("drought", {"use"}, 0.5),
        ("water_stress", {"use"}, 0.5),
        ("sea_level_rise", {"coast_distance_m"}, 0.0),
        ("river_flood", {"river_distance_m", "basement_floors"}, 0.1),
        ("urban_flood", {"impervious_ratio", "basement_floors"}, 0.475),
        ("typhoon", {"coast_distance_m", "floors"}, 0.567256),
    ],
)
def test_what_a_risk_reads_of_an_unknown_place_takes_a_default_and_is_named(risk, names, factor) -> None:
    unknown = one_site(
        asset_value=1e9, elevation_m=None, coast_distance_m=None, river_distance_m=None, forest_distance_m=None,
        impervious_ratio=None, use=None, floors=None, basement_floors=None, structure=None, floor_area_m2=None,
    )  # fmt: skip
    found = assess_exposure(unknown, find_risk(risk))
    assert found.proximity_factor[0] == pytest.approx(factor, abs=1e-4)
    assert names_of(found.defaulted) == names
    assert found.is_default.tolist() == [True]


@EVERY_RISK
def test_a_place_that_is_known_is_no_default(risk: Risk) -> None:
    found = assess_exposure(one_site(), risk)
    assert found.defaulted == {}
    assert found.is_default.tolist() == [False]


@EVERY_RISK
def test_an_unknown_floor_area_is_named_where_it_stands_for_the_value(risk: Risk) -> None:
    assert names_of(assess_exposure(one_site(floor_area_m2=None), risk).defaulted) == {"floor_area_m2"}
    assert assess_exposure(one_site(floor_area_m2=None, asset_value=1e9), risk).defaulted == {}


def test_of_many_sites_those_are_named_that_are_unknown() -> None:
    sites = many_sites(40, seed=3)
    found = assess_exposure(sites, find_risk("urban_flood"))
    assert np.array_equal(found.defaulted["impervious_ratio"], np.isnan(sites.attributes["impervious_ratio"]))
    assert np.array_equal(found.defaulted["basement_floors"], sites.buildings.defaulted["basement_floors"])
    area = sites.buildings.defaulted["floor_area_m2"] & np.isnan(sites.asset_value)
    assert np.array_equal(found.defaulted["floor_area_m2"], area)
    assert np.array_equal(found.is_default, np.logical_or.reduce(list(found.defaulted.values())))


def test_a_risk_that_does_not_say_how_near_it_comes_has_no_exposure() -> None:
    silent = dataclasses.replace(find_risk("typhoon"), proximity=None)
    with pytest.raises(ValueError, match="typhoon: its proximity is not described"):
        assess_exposure(one_site(), silent)


# --- for all ------------------------------------------------------------------------------------------------


@EVERY_RISK
@given(seed=st.integers(0, 10_000), unknown=st.sampled_from([0.0, 0.3, 1.0]))
@settings(max_examples=15, deadline=None)
def test_exposure_lies_within_0_and_1(risk: Risk, seed: int, unknown: float) -> None:
    found = assess_exposure(many_sites(30, seed, unknown), risk)
    for part in (found.normalized_asset_value, found.proximity_factor, found.exposure):
        assert part.shape == (30,)
        assert ((part >= 0) & (part <= 1)).all()
    assert (found.normalized_asset_value >= 0.1).all()


@EVERY_RISK
def test_one_site_has_the_bits_that_it_has_among_many(risk: Risk) -> None:
    sites = many_sites(250, seed=11)
    whole = assess_exposure(sites, risk)
    for site in range(0, 250, 7):
        alone = assess_exposure(taken(sites, slice(site, site + 1)), risk)
        for name in ("normalized_asset_value", "proximity_factor", "exposure", "is_default"):
            assert getattr(alone, name)[0] == getattr(whole, name)[site], name
        assert names_of(alone.defaulted) == names_of(whole.defaulted, site)


def test_nothing_is_nan_even_where_all_is_unknown() -> None:
    sites = dataclasses.replace(many_sites(5, unknown=1.0), attributes={}, asset_value=np.full(5, nan))
    for risk in all_risks().values():
        assert not np.isnan(assess_exposure(sites, risk).exposure).any()
