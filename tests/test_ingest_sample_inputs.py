"""What the sample has beside climate series: tides, the rise of the sea, basins and their use, the globe's warming."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from aiops.climate import SCENARIOS
from aiops.db.block_inputs import GAUGE_REACH_KM
from aiops.ingest.sample import SAMPLE_SEED, sample_cells
from aiops.ingest.sample.plane import to_plane
from aiops.ingest.sample.surface import surface_weather
from aiops.ingest.sample.tides import SAMPLE_GAUGES, gauge_maxima, gauges, highest_water, sea_level_rise, sea_rise
from aiops.ingest.sample.warming import PATHWAYS, global_warming, warming_rows
from aiops.ingest.sample.water import basins, monthly_water, water_use
from aiops.ingest.sample.weather import daily_weather

OFFSET = {gauge.gauge_id: gauge.datum_offset_m for gauge in gauges()}
BY_ID = {gauge.gauge_id: gauge for gauge in SAMPLE_GAUGES}


@pytest.fixture(scope="module")
def maxima():
    """m above mean sea level, by gauge."""
    found = defaultdict(list)
    for one in gauge_maxima(SAMPLE_SEED):
        found[one.gauge_id].append(one.level_m + OFFSET[one.gauge_id])
    return {gauge_id: np.array(levels) for gauge_id, levels in found.items()}


# --- the sea ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "predicted_cm", "mean_sea_level_cm"),
    [
        ("incheon", (935, 980), 464),
        ("pyeongtaek", (947, 971), 464),
        ("gunsan", (736, 771), 363),
        ("mokpo", (500, 527), 243),
        ("yeosu", (379, 391), 181),
        ("busan", (146, 157), 65),
        ("jeju", (294, 330), 142),
    ],
)
def test_the_highest_waters_are_the_predicted_tides_and_some_surge(maxima, name, predicted_cm, mean_sea_level_cm):
    """Lowest and highest prediction of a year by KHOA, 2003 to 2016."""
    levels = maxima[f"sample-{name}"]
    low, high = ((cm - mean_sea_level_cm) / 100 for cm in predicted_cm)
    assert levels.size == 30
    assert low - 0.1 < levels.mean() < high + 0.3
    assert levels.max() - levels.min() < 1.2


def test_tides_fall_from_the_west_to_the_east_coast(maxima):
    means = [maxima[f"sample-{name}"].mean() for name in ("incheon", "gunsan", "mokpo", "yeosu", "busan", "pohang")]
    assert means == sorted(means, reverse=True)


def test_the_maxima_rise_with_the_sea_of_the_past(maxima):
    slopes = [np.polyfit(np.arange(30), levels, 1)[0] for levels in maxima.values()]
    assert np.mean(slopes) == pytest.approx(0.003, abs=0.001)


@pytest.mark.parametrize(
    ("scenario", "year", "metres"),
    [("ssp126", 2050, 0.20), ("ssp126", 2100, 0.47), ("ssp585", 2050, 0.25), ("ssp585", 2100, 0.82)],
)
def test_the_sea_rises_as_projected_around_korea(scenario, year, metres):
    """KHOA, 9 March 2023."""
    assert sea_rise(scenario, np.array([year]))[0] == metres


def test_the_rise_begins_where_the_past_ends_and_grows_with_the_scenario():
    future = np.arange(2021, 2101)
    by_scenario = np.array([sea_rise(scenario, future) for scenario in SCENARIOS[1:]])
    assert (np.diff(by_scenario, axis=1) > 0).all()
    assert (np.diff(by_scenario[:, -1]) > 0).all()
    assert np.ptp(by_scenario[:, 0]) < 0.005
    assert abs(by_scenario[0, 0] - sea_rise("historical", np.array([2020]))[0]) < 0.01
    assert sea_rise("historical", np.arange(1995, 2015)).mean() == pytest.approx(0)


def test_every_gauge_has_the_rise_of_every_year_the_east_sea_a_little_more():
    rise = {(one.gauge_id, one.scenario, one.year): one.rise_m for one in sea_level_rise()}
    assert len(rise) == len(SAMPLE_GAUGES) * (30 + 4 * 80)
    assert rise["sample-sokcho", "ssp585", 2100] > rise["sample-incheon", "ssp585", 2100]


def test_every_cell_by_the_sea_has_a_gauge_within_reach():
    cells = [cell for cell in sample_cells() if cell.coast_distance_m <= 10_000]
    places = to_plane([cell.latitude for cell in cells], [cell.longitude for cell in cells])
    at = to_plane([gauge.latitude for gauge in SAMPLE_GAUGES], [gauge.longitude for gauge in SAMPLE_GAUGES])
    assert np.hypot(*np.moveaxis(places[:, None] - at, -1, 0)).min(axis=1).max() < GAUGE_REACH_KM


def test_the_100_year_level_is_the_quantile_of_the_law_that_the_maxima_are_drawn_from():
    gauge = BY_ID["sample-busan"]
    random = np.random.default_rng(0).gumbel(-0.5772 * gauge.scale, gauge.scale, 400_000)
    drawn = gauge.highest_water - gauge.mean_sea_level + random
    assert gauge.level_above_mean_sea(100) == pytest.approx(np.quantile(drawn, 0.99), abs=0.01)
    assert highest_water(to_plane([35.1], [129.0]), 100)[0] == gauge.level_above_mean_sea(100)


# --- water --------------------------------------------------------------------------------------------------


def test_basins_share_out_the_country_s_river_flow_and_published_use():
    """76 km³ run off in a year; 15.3 km³ were used in 2011, Jeju left out (National Atlas of Korea)."""
    flow = {one.basin_id: one.mean_flow_million_m3 for one in basins()}
    use = {one.basin_id: one.withdrawal_million_m3 for one in water_use()}
    assert sum(flow.values()) == pytest.approx(76_000, rel=0.05)
    assert sum(use.values()) - use["sample-jeju"] == pytest.approx(15_340, abs=10)
    assert flow.keys() == use.keys() == {cell.basin_id for cell in sample_cells()}
    assert {one.scenario for one in water_use()} == {"historical"}, "what has no rows goes on as it was"


def test_evapotranspiration_is_of_korean_size_and_greatest_in_early_summer():
    cells = tuple(cell for cell in sample_cells() if cell.name in {"Seoul", "Daegu", "Jeju"})
    weather = daily_weather("historical", SAMPLE_SEED, cells)
    months = monthly_water(weather, surface_weather(weather, SAMPLE_SEED))
    potential = np.array([one.values for one in months if one.variable == "pet_month"]).reshape(3, 30, 12)
    rain = np.array([one.values for one in months if one.variable == "pr_month"])
    assert (potential.sum(axis=2).mean(axis=1) > 800).all()
    assert (potential.sum(axis=2).mean(axis=1) < 1250).all()
    assert potential.mean(axis=(0, 1)).argmax() in {4, 5, 6}
    assert rain.sum(axis=1) == pytest.approx(weather.pr.sum(axis=0, dtype=float), rel=1e-4)


# --- warming ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "mid_century", "end"),
    [("ssp126", 1.7, 1.8), ("ssp245", 2.0, 2.7), ("ssp370", 2.1, 3.6), ("ssp585", 2.4, 4.4)],
)
def test_the_globe_warms_as_the_best_estimates_say(scenario, mid_century, end):
    """IPCC AR6 WG1, table SPM.1, above 1850–1900; 1991–2020 was 0.88 °C above."""
    assert global_warming(scenario, np.arange(2041, 2061)).mean() + 0.88 == pytest.approx(mid_century, abs=0.06)
    assert global_warming(scenario, np.arange(2081, 2101)).mean() + 0.88 == pytest.approx(end, abs=0.06)


def test_korea_warms_faster_than_the_globe():
    late = np.arange(2081, 2101)
    for scenario in SCENARIOS[1:]:
        assert PATHWAYS[scenario].warming(late).mean() > 1.3 * global_warming(scenario, late).mean()


def test_warming_has_a_row_for_every_scenario_and_year_and_none_in_the_baseline():
    rows = {(one.scenario, one.year): one.warming_k for one in warming_rows()}
    assert len(rows) == 30 + 4 * 80
    assert np.mean([rows["historical", year] for year in range(1991, 2021)]) == pytest.approx(0, abs=1e-3)
