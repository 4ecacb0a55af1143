"""The sample's typhoons as best tracks, and the winds that they bring."""

from __future__ import annotations

from datetime import UTC

import numpy as np
import pytest

from aiops.indices.cyclone import exposure_by_year, read_best_track, wind_by_year
from aiops.ingest.sample import SAMPLE_SEED, sample_cells
from aiops.ingest.sample.plane import to_plane
from aiops.ingest.sample.storms import draw_storms
from aiops.ingest.sample.tracks import sample_fixes, sample_tracks, storm_indicators

CITIES = tuple(cell for cell in sample_cells() if cell.name)
NAMES = [cell.name for cell in CITIES]
LATITUDES, LONGITUDES = [cell.latitude for cell in CITIES], [cell.longitude for cell in CITIES]


@pytest.fixture(scope="module")
def tracks():
    return sample_tracks(SAMPLE_SEED)


@pytest.fixture(scope="module")
def winds():
    """(cities, years)."""
    series = storm_indicators(SAMPLE_SEED, [cell.grid_id for cell in CITIES])
    return np.array([one.values for one in series if one.variable == "max_site_wind"])


def test_a_track_is_the_line_along_which_its_storm_rains(tracks):
    storms = draw_storms(SAMPLE_SEED, "historical")
    distance = storms.distance_km(to_plane(tracks.latitude, tracks.longitude))
    own = tracks.storm < storms.year.size
    assert distance[tracks.storm[own], np.flatnonzero(own)].max() < 10, "positions have tenths of degrees"


def test_a_storm_crosses_the_south_coast_on_the_days_on_which_it_rains(tracks):
    storms = draw_storms(SAMPLE_SEED, "historical")
    for number, first_day in enumerate(storms.first_day):
        of_storm = tracks.storm == number
        nearest = tracks.time[of_storm][np.abs(tracks.latitude[of_storm] - 34.5).argmin()]
        assert first_day <= nearest <= first_day + np.timedelta64(48, "h")


def test_fixes_stand_every_six_hours_and_each_once(tracks):
    fixes = sample_fixes(SAMPLE_SEED)
    assert len({(fix.storm, fix.time) for fix in fixes}) == len(fixes) == tracks.time.size
    assert {fix.time.hour for fix in fixes} <= {0, 6, 12, 18}
    assert all(fix.time.tzinfo is UTC for fix in fixes)
    assert all(fix.name == "SYNTHETIC" for fix in fixes)


def test_grades_pressure_and_areas_go_with_the_wind(tracks):
    typhoon = tracks.grade == 5
    assert tracks.wind[typhoon].min() >= 64
    assert np.isnan(tracks.wind[tracks.grade == 2]).all()
    assert tracks.pressure[typhoon].max() < tracks.pressure[tracks.grade == 2].min()
    assert np.isnan(tracks.longest_50[tracks.wind < 48]).all()
    assert (tracks.shortest_30 <= tracks.longest_30)[~np.isnan(tracks.longest_30)].all()


def test_every_year_of_the_history_counts(winds):
    assert winds.shape == (len(CITIES), 30)
    assert np.isfinite(winds).all()
    assert (winds[:, -1] > 0).any(), "2020 reaches its last day"


def test_the_south_has_stronger_storms_than_the_north_and_not_every_year_one(winds):
    mean = dict(zip(NAMES, winds.mean(axis=1), strict=True))
    assert mean["Jeju"] > mean["Mokpo"] > mean["Daejeon"] > mean["Sokcho"]
    assert 0.05 < (winds == 0).mean() < 0.4
    assert winds.max() < 55


@pytest.mark.oracle
def test_winds_and_exposure_have_the_size_of_those_of_real_tracks(shared_data):
    """2015–2020 had more storms than the thirty years that the sample has."""
    real = read_best_track(shared_data / "jma_best_track_2015_2020.txt.gz")
    sampled = [sample_tracks(seed) for seed in range(100, 106)]
    for index, tolerance in ((wind_by_year, 0.2), (exposure_by_year, 0.3)):
        expected = index(real, LATITUDES, LONGITUDES)[1].mean()
        found = np.mean([index(tracks, LATITUDES, LONGITUDES)[1].mean() for tracks in sampled])
        assert found == pytest.approx(expected, rel=tolerance)
        assert found < expected


def test_a_place_that_no_storm_came_near_has_no_wind(tracks):
    years, wind = wind_by_year(tracks, 60.0, 80.0)
    assert years[-1] == 2020
    assert (wind == 0).all()


def test_the_same_seed_gives_the_same_storms_and_another_seed_others():
    first, again, other = sample_tracks(5), sample_tracks(5), sample_tracks(6)
    assert np.array_equal(first.wind, again.wind, equal_nan=True)
    assert not np.array_equal(first.latitude[:50], other.latitude[:50])
