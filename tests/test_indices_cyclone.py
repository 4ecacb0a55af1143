from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.errors import BadInput
from aiops.indices.cyclone import Tracks, exposure_by_year, read_best_track, warmed_wind, wind_by_year
from aiops.indices.track_steps import KM_PER_DEGREE, KM_PER_NAUTICAL_MILE, steps_of
from aiops.indices.wind_field import GALE, KNOT, Profile

if TYPE_CHECKING:
    from pathlib import Path

LATITUDE, LONGITUDE = 34.0, 127.0


def storm(times: list[str], **changes: object) -> Tracks:
    """A typhoon that stands still, with areas of 100 and 200 nautical miles all around."""
    n = len(times)
    tracks = Tracks(
        storm=np.zeros(n, dtype=np.int64),
        time=np.array(times, dtype="datetime64[m]"),
        grade=np.full(n, 5),
        latitude=np.full(n, LATITUDE),
        longitude=np.full(n, LONGITUDE),
        pressure=np.full(n, 955.0),
        wind=np.full(n, 80.0),
        direction_50=np.full(n, 9),
        longest_50=np.full(n, 100.0),
        shortest_50=np.full(n, 100.0),
        direction_30=np.full(n, 9),
        longest_30=np.full(n, 200.0),
        shortest_30=np.full(n, 200.0),
    )
    return replace(tracks, **{name: np.broadcast_to(value, n).copy() for name, value in changes.items()})


def joined(*parts: Tracks) -> Tracks:
    """Several storms in one file."""
    fields = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in Tracks.__slots__ if name != "storm"
    }
    numbers = np.concatenate([np.full(part.time.size, i) for i, part in enumerate(parts)])
    return Tracks(storm=numbers, **fields)


SIX_HOURS = ["2018-08-23T00:00", "2018-08-23T06:00"]
END_OF_FILE = storm(["2018-12-31T00:00", "2018-12-31T06:00"], latitude=-30.0, longitude=200.0)


def miles(east: float = 0.0, north: float = 0.0) -> tuple[float, float]:
    """A place so many nautical miles from the storm."""
    latitude = LATITUDE + north * KM_PER_NAUTICAL_MILE / KM_PER_DEGREE
    middle = np.cos(np.radians((latitude + LATITUDE) / 2.0))
    return latitude, LONGITUDE + east * KM_PER_NAUTICAL_MILE / KM_PER_DEGREE / middle


def exposure(tracks: Tracks, place: tuple[float, float]) -> float:
    _, values = exposure_by_year(joined(tracks, END_OF_FILE), *place)
    return float(values[0])


# --- S_tc ---------------------------------------------------------------------------------------------------


def test_six_hours_inside_50_knots_of_a_typhoon_weigh_seven() -> None:
    assert exposure(storm(SIX_HOURS), miles(east=99.0)) == pytest.approx(7.0)


def test_inside_50_knots_of_a_lesser_storm_three() -> None:
    assert exposure(storm(SIX_HOURS, grade=4), miles(east=99.0)) == pytest.approx(3.0)


@pytest.mark.parametrize(("grade", "weight"), [(3, 1.0), (4, 1.0), (5, 1.0), (9, 1.0), (2, 0.0), (6, 0.0)])
def test_inside_30_knots_of_a_storm_one(grade: int, weight: float) -> None:
    assert exposure(storm(SIX_HOURS, grade=grade), miles(north=-199.0)) == pytest.approx(weight)


def test_outside_nothing() -> None:
    assert exposure(storm(SIX_HOURS), miles(north=201.0)) == 0.0


@pytest.mark.parametrize(
    ("direction", "inside", "outside"),
    [
        (2, miles(east=99.0), miles(east=-51.0)),
        (6, miles(east=-99.0), miles(east=51.0)),
        (8, miles(north=99.0), miles(north=-51.0)),
        (1, miles(east=69.0, north=69.0), miles(east=-36.5, north=-36.5)),
        (5, miles(east=-69.0, north=-69.0), miles(east=36.5, north=36.5)),
    ],
)
def test_an_area_is_a_circle_moved_towards_its_longer_side(
    direction: int, inside: tuple[float, float], outside: tuple[float, float]
) -> None:
    lopsided = storm(SIX_HOURS, direction_50=direction, longest_50=100.0, shortest_50=50.0)
    assert exposure(lopsided, inside) == pytest.approx(7.0)
    assert exposure(lopsided, outside) == pytest.approx(1.0)


def test_without_a_direction_the_circle_is_not_moved() -> None:
    lopsided = storm(SIX_HOURS, direction_50=9, longest_50=100.0, shortest_50=50.0)
    assert exposure(lopsided, miles(east=74.0)) == pytest.approx(7.0)
    assert exposure(lopsided, miles(east=-74.0)) == pytest.approx(7.0)
    assert exposure(lopsided, miles(east=76.0)) == pytest.approx(1.0)


def test_an_area_lies_only_between_two_fixes_that_both_have_it() -> None:
    times = ["2018-08-23T00:00", "2018-08-23T06:00", "2018-08-23T12:00"]
    begins = storm(times, longest_50=[np.nan, 100.0, 100.0], shortest_50=[np.nan, 100.0, 100.0])
    assert exposure(begins, miles()) == pytest.approx(1.0 + 7.0)


def test_radii_change_linearly_in_half_hours() -> None:
    growing = storm(SIX_HOURS, longest_30=[100.0, 200.0], shortest_30=[100.0, 200.0], grade=3)
    growing = replace(growing, longest_50=np.full(2, np.nan), shortest_50=np.full(2, np.nan))
    # At 150 miles from the middle of the interval on: 6 of its 12 half-hours.
    assert exposure(growing, miles(east=150.0)) == pytest.approx(0.5)


def test_the_grade_is_that_of_the_fix_before() -> None:
    assert exposure(storm(SIX_HOURS, grade=[5, 3]), miles()) == pytest.approx(7.0)


def test_half_hours_belong_to_their_own_year() -> None:
    over_new_year = storm(["2018-12-31T18:00", "2019-01-01T06:00"])
    last = storm(["2019-12-31T00:00", "2019-12-31T06:00"], latitude=-30.0)
    years, values = exposure_by_year(joined(over_new_year, last), *miles())
    assert list(years) == [2018, 2019]
    assert list(values) == pytest.approx([7.0, 7.0])


def test_the_last_year_counts_when_the_file_reaches_its_end() -> None:
    until_summer = joined(storm(SIX_HOURS), storm(["2019-07-01T00:00", "2019-07-01T06:00"]))
    assert list(exposure_by_year(until_summer, *miles())[0]) == [2018]
    until_december = joined(storm(SIX_HOURS), storm(["2019-12-30T18:00", "2019-12-31T00:00"]))
    assert list(exposure_by_year(until_december, *miles())[0]) == [2018, 2019]


def test_a_year_without_a_storm_is_zero_and_counts() -> None:
    gap = joined(storm(SIX_HOURS), storm(["2020-12-31T00:00", "2020-12-31T06:00"]))
    for index in (exposure_by_year, wind_by_year):
        years, values = index(gap, *miles(east=30.0))  # beside the calm of the eye
        assert list(years) == [2018, 2019, 2020]
        assert values[1] == 0.0
        assert values[0] > 0.0


def test_storms_that_nobody_analysed_are_missing_and_not_zero() -> None:
    early = storm(
        ["1960-08-23T00:00", "1960-08-23T06:00"],
        wind=np.nan,
        longest_30=np.nan,
        shortest_30=np.nan,
        longest_50=np.nan,
        shortest_50=np.nan,
    )
    late = storm(["1961-12-31T00:00", "1961-12-31T06:00"])
    for index in (exposure_by_year, wind_by_year):
        _, values = index(joined(early, late), *miles())
        assert list(np.isnan(values)) == [True, False]


# --- wind ---------------------------------------------------------------------------------------------------


def wind(tracks: Tracks, place: tuple[float, float]) -> float:
    _, values = wind_by_year(joined(tracks, END_OF_FILE), *place)
    return float(values[0])


def test_a_storm_that_stands_has_its_analysed_winds_at_its_radii() -> None:
    standing = storm(SIX_HOURS)
    assert wind(standing, miles(east=100.0)) == pytest.approx(50.0 * KNOT, rel=0.01)
    assert wind(standing, miles(north=-199.5)) == pytest.approx(30.0 * KNOT, rel=0.01)
    assert wind(standing, miles(north=202.0)) == 0.0


def test_the_largest_wind_is_the_analysed_one() -> None:
    around = [wind(storm(SIX_HOURS), miles(east=float(east))) for east in np.arange(1.0, 60.0, 0.5)]
    assert max(around) == pytest.approx(80.0 * KNOT, rel=0.01)
    assert max(around) <= 80.0 * KNOT * (1.0 + 1e-12)


def test_the_right_side_of_a_moving_storm_is_the_windy_one() -> None:
    northward = storm(SIX_HOURS, latitude=[32.0, 36.0])
    right, left = wind(northward, miles(east=40.0)), wind(northward, miles(east=-40.0))
    assert left + 5.0 < right <= 80.0 * KNOT


def test_no_wind_is_stronger_than_the_analysed_one() -> None:
    northward = storm(SIX_HOURS, latitude=[32.0, 36.0])
    grid = [miles(east=float(e), north=float(n)) for e in range(-80, 81, 10) for n in range(-80, 81, 10)]
    _, values = wind_by_year(joined(northward, END_OF_FILE), *np.transpose(grid))
    assert values[0].max() == pytest.approx(80.0 * KNOT, rel=0.02)
    assert values[0].max() <= 80.0 * KNOT * (1.0 + 1e-12)


def test_without_radii_the_profile_has_empirical_ones() -> None:
    bare = storm(SIX_HOURS, longest_30=np.nan, shortest_30=np.nan, longest_50=np.nan, shortest_50=np.nan)
    profile = Profile.of(steps_of(bare))
    assert profile.radius[0, 0] == pytest.approx(46.4 * np.exp(-0.0155 * 80.0 * KNOT + 0.0169 * LATITUDE))
    assert np.isinf(profile.bend_to).all()


def test_a_depression_without_an_analysed_wind_brings_none() -> None:
    assert wind(storm(SIX_HOURS, grade=2, wind=np.nan), miles(east=20.0)) == 0.0


def test_a_place_far_from_any_track_has_no_storm() -> None:
    for index in (exposure_by_year, wind_by_year):
        _, values = index(joined(storm(SIX_HOURS), END_OF_FILE), 38.9, 140.0)
        assert list(values) == [0.0]


def test_wind_grows_with_the_globes_warming() -> None:
    np.testing.assert_allclose(warmed_wind([40.0, 0.0], 2.0), [42.0, 0.0])


# --- chunks, shapes, input ----------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 7))
def test_cells_do_not_depend_on_the_chunk_they_are_in(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    passing = storm(
        ["2018-08-23T00:00", "2018-08-23T06:00", "2018-08-23T12:00", "2018-08-23T15:00"],
        latitude=np.sort(rng.uniform(30.0, 40.0, 4)),
        longitude=rng.uniform(124.0, 131.0, 4),
        wind=rng.uniform(40.0, 95.0, 4),
    )
    tracks = joined(passing, END_OF_FILE)
    latitude, longitude = rng.uniform(33.0, 39.0, 8), rng.uniform(124.5, 132.0, 8)
    for index in (exposure_by_year, wind_by_year):
        whole = index(tracks, latitude, longitude)[1]
        parts = [index(tracks, latitude[p], longitude[p])[1] for p in (slice(0, cut), slice(cut, None))]
        np.testing.assert_allclose(np.hstack(parts), whole, rtol=1e-12)
        np.testing.assert_allclose(index(tracks, latitude[0], longitude[0])[1], whole[:, 0], rtol=1e-12)
        assert ((whole == 0.0) | (whole >= (GALE if index is wind_by_year else 0.0))).all()


def test_places_that_are_none_are_refused_by_name() -> None:
    with pytest.raises(BadInput, match="longitude: shape"):
        exposure_by_year(storm(SIX_HOURS), [34.0, 35.0], [127.0])
    with pytest.raises(BadInput, match="latitude: 127 cannot be"):
        wind_by_year(storm(SIX_HOURS), 127.0, 34.0)
    with pytest.raises(BadInput, match="longitude: -100 cannot be"):
        wind_by_year(storm(SIX_HOURS), 34.0, -100.0)


@pytest.mark.oracle
def test_six_years_of_tracks_over_korea(shared_data: Path) -> None:
    tracks = read_best_track(shared_data / "jma_best_track_2015_2020.txt.gz")
    places = {"Seogwipo": (33.25, 126.56), "Busan": (35.10, 129.03), "Seoul": (37.57, 126.98)}
    latitude, longitude = np.transpose(list(places.values()))
    years, exposures = exposure_by_year(tracks, latitude, longitude)
    _, winds = wind_by_year(tracks, latitude, longitude)
    assert list(years) == [2015, 2016, 2017, 2018, 2019, 2020]  # the file ends in July 2021
    # 2017 passed the peninsula by; Maysak crossed Busan in 2020, Lingling passed west of Seoul in 2019.
    of = {name: (exposures[:, i], winds[:, i]) for i, name in enumerate(places)}
    assert of["Seoul"][0][2] == of["Seoul"][1][2] == of["Busan"][1][2] == 0.0
    assert of["Busan"][1].argmax() == 5
    assert 33.0 < of["Busan"][1].max() < 44.0
    assert of["Seoul"][1].argmax() == 4
    assert (of["Seogwipo"][0] > of["Seoul"][0]).all()
