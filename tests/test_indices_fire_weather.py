from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.climate import calendar_days
from aiops.errors import BadInput
from aiops.indices.fire_weather import FireWeather, fire_weather_index, fwi95, fwi_days_above
from aiops.indices.series import FIRE_WEATHER, TEMPERATURE, WIND

if TYPE_CHECKING:
    from pathlib import Path

CODES = ("ffmc", "dmc", "dc")
INDICES = ("isi", "bui", "fwi")


def weather(n_days: int, n_cells: int = 1, seed: int = 0) -> dict[str, np.ndarray]:
    """Days such as a Korean spring and summer have."""
    rng = np.random.default_rng(seed)
    shape = (n_days, n_cells)
    return {
        "temperature": rng.normal(18.0, 8.0, shape),
        "humidity": rng.uniform(5.0, 100.0, shape),
        "wind_kmh": rng.gamma(3.0, 4.0, shape),
        "rain": np.where(rng.random(shape) < 0.3, rng.gamma(0.6, 20.0, shape), 0.0),
        "month": np.arange(n_days) // 30 % 12 + 1,
    }


def as_dict(result: FireWeather) -> dict[str, np.ndarray]:
    return result._asdict()


# --- one day by hand ----------------------------------------------------------------------------------------


def one_day(**changes: Any) -> FireWeather:
    day: dict[str, Any] = {"temperature": [17.0], "humidity": [42.0], "wind_kmh": [25.0], "rain": [0.0], "month": [4]}
    return fire_weather_index(**(day | changes))


def test_a_dry_day_from_the_start_codes() -> None:
    day = one_day()
    assert [float(value[0]) for value in day] == pytest.approx([87.65, 8.545, 19.01, 10.78, 8.49, 10.04], abs=5e-3)


def test_little_rain_reaches_no_fuel() -> None:
    wet, dry = one_day(rain=[0.5]), one_day()
    for name in CODES:
        assert getattr(wet, name) == getattr(dry, name)


def test_each_code_has_its_own_rain() -> None:
    dry = one_day()
    for rain, wetted in ((0.6, "ffmc"), (1.6, "ffmc dmc"), (2.9, "ffmc dmc dc")):
        wet = one_day(rain=[rain])
        assert " ".join(name for name in CODES if getattr(wet, name) < getattr(dry, name)) == wetted


def test_frost_dries_nothing() -> None:
    cold = one_day(temperature=[-20.0], month=[1])
    assert (cold.dmc[0], cold.dc[0]) == (6.0, 15.0)


def test_no_fuel_is_left_without_fire_weather() -> None:
    drenched = one_day(rain=[200.0], humidity=[100.0], temperature=[-20.0], ffmc=0.0, dmc=0.0, dc=0.0, month=[1])
    assert float(drenched.fwi[0]) == pytest.approx(0.0, abs=1e-6)
    assert drenched.bui[0] == 0.0


def test_no_humidity_at_all_is_a_number() -> None:
    for values in one_day(humidity=[0.0]):
        assert np.isfinite(values).all()


def test_the_moisture_round_trip_does_not_drift() -> None:
    # At the wetting and drying equilibria nothing moves: a code stays what it was, however often it is read.
    quiet = {
        "temperature": np.full(400, 21.1),
        "humidity": np.full(400, 50.0),
        "wind_kmh": np.full(400, 0.0),
        "rain": np.zeros(400),
        "month": np.full(400, 1),
    }
    settled = fire_weather_index(**quiet).ffmc[-1]
    again = fire_weather_index(**quiet, ffmc=settled).ffmc
    assert np.abs(again - settled).max() < 1e-9


# --- missing days -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["temperature", "humidity", "wind_kmh", "rain"])
def test_a_missing_day_carries_the_codes_over_and_has_no_indices(name: str) -> None:
    days = weather(10)
    days[name][4] = np.nan
    result = as_dict(fire_weather_index(**days))
    for code in CODES:
        assert result[code][4] == result[code][3]
        assert np.isfinite(result[code]).all()
    for index in INDICES:
        assert list(np.flatnonzero(np.isnan(result[index]))) == [4]


def test_the_day_after_a_gap_goes_on_from_the_codes_before_it() -> None:
    days = weather(40)
    gap = slice(10, 24)
    days["rain"][gap] = np.nan
    result = fire_weather_index(**days)
    before = {code: getattr(result, code)[9] for code in CODES}
    rest = {name: values[24:] for name, values in days.items()}
    for joined, alone in zip(result, fire_weather_index(**rest, **before), strict=True):
        np.testing.assert_allclose(joined[24:], alone, rtol=1e-12)


def test_after_more_than_fourteen_missing_days_the_codes_start_again() -> None:
    days = weather(40)
    gap = slice(10, 25)
    days["temperature"][gap] = np.nan
    result = fire_weather_index(**days)
    rest = {name: values[25:] for name, values in days.items()}
    for joined, alone in zip(result, fire_weather_index(**rest), strict=True):
        np.testing.assert_array_equal(joined[25:], alone)
    for code in CODES:
        assert np.isfinite(getattr(result, code)[:24]).all()
        assert np.isnan(getattr(result, code)[24]).all()


def test_a_cell_without_data_has_no_fire_weather() -> None:
    days = weather(40, 2)
    for name in ("temperature", "humidity", "wind_kmh", "rain"):
        days[name][:, 1] = np.nan
    for values in fire_weather_index(**days):
        assert np.isnan(values[:, 1]).all()
        assert np.isfinite(values[:, 0]).all()


def test_a_record_that_begins_late_begins_with_the_start_codes() -> None:
    days = weather(30)
    late = {name: np.concatenate([np.full((5, 1), np.nan), values]) for name, values in days.items() if name != "month"}
    result = fire_weather_index(**late, month=np.concatenate([np.full(5, 1), days["month"]]))
    for joined, alone in zip(result, fire_weather_index(**days), strict=True):
        assert np.isnan(joined[:5]).all()
        np.testing.assert_array_equal(joined[5:], alone)


# --- chunks and shapes --------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 5))
def test_cells_do_not_depend_on_the_chunk_they_are_in(seed: int, cut: int) -> None:
    days = weather(200, 6, seed)
    days["humidity"][np.random.default_rng(seed).random((200, 6)) < 0.05] = np.nan
    whole = fire_weather_index(**days)
    month = days.pop("month")
    parts = [
        fire_weather_index(**{name: values[:, part] for name, values in days.items()}, month=month)
        for part in (slice(0, cut), slice(cut, None))
    ]
    for together, first, second in zip(whole, *parts, strict=True):
        np.testing.assert_allclose(np.hstack([first, second]), together, rtol=1e-12)


def test_a_record_may_be_cut_into_years() -> None:
    days = weather(800, 150)  # longer than a block of days
    whole = fire_weather_index(**days)
    first = fire_weather_index(**{name: values[:365] for name, values in days.items()})
    codes = {code: getattr(first, code)[-1] for code in CODES}
    second = fire_weather_index(**{name: values[365:] for name, values in days.items()}, **codes)
    np.testing.assert_allclose(np.concatenate([first.fwi, second.fwi]), whole.fwi, rtol=1e-9, atol=1e-12)


def test_one_series_comes_back_as_one_series() -> None:
    days = weather(30)
    flat = {name: values.reshape(-1) for name, values in days.items()}
    assert fire_weather_index(**flat).fwi.shape == (30,)
    np.testing.assert_array_equal(fire_weather_index(**flat).fwi, fire_weather_index(**days).fwi[:, 0])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_figure_stays_in_its_range(seed: int) -> None:
    result = fire_weather_index(**weather(300, 3, seed))
    assert (result.ffmc >= 0.0).all()
    assert (result.ffmc <= 101.0).all()
    for name in ("dmc", "dc", *INDICES):
        values = getattr(result, name)
        assert np.isfinite(values).all()
        assert (values >= 0.0).all()


# --- bad input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"humidity": [120.0]}, "humidity: 120 cannot be in %"),
        ({"temperature": [290.0]}, "temperature: 290 cannot be in °C"),
        ({"rain": [-1.0]}, "rain: -1 cannot be in mm"),
        ({"wind_kmh": [-3.0]}, "wind_kmh: -3 cannot be"),
        ({"wind_kmh": [3.0, 4.0]}, "wind_kmh: shape"),
        ({"month": [13]}, "month: allowed: whole numbers 1 to 12"),
        ({"month": [1, 2]}, "month: shape"),
        ({"ffmc": 102.0}, "ffmc: allowed: 0 to 101"),
        ({"dc": np.nan}, "dc: allowed"),
        ({"dmc": [1.0, 2.0]}, "dmc: shape"),
    ],
)
def test_what_cannot_be_is_refused_by_name(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        one_day(**changes)


# --- years --------------------------------------------------------------------------------------------------


def test_fwi95_is_the_type_7_percentile_of_the_years_days() -> None:
    dates = calendar_days(2011, 2)
    fwi = np.random.default_rng(1).gamma(2.0, 6.0, dates.size)
    years, values = fwi95(fwi, dates)
    assert list(years) == [2011, 2012]
    assert values[0] == pytest.approx(np.quantile(fwi[:365], 0.95), abs=1e-12)
    assert values[1] == pytest.approx(np.quantile(fwi[365:], 0.95), abs=1e-12)


def test_the_strongest_wind_that_is_allowed_gives_an_index_that_is_allowed() -> None:
    dates = calendar_days(2011, 1)
    month = dates.astype("datetime64[M]").astype(int) % 12 + 1
    calm, dry = np.full(dates.size, 10.0), np.zeros(dates.size)
    calm[200] = WIND.highest
    fwi = fire_weather_index(np.full(dates.size, TEMPERATURE.highest), dry, calm, dry, month).fwi
    assert 1e5 < fwi[200] < FIRE_WEATHER.highest / 2
    one_storm, none = fwi95(fwi, dates)[1], fwi95(np.delete(fwi, 200), np.delete(dates, 200))[1]
    np.testing.assert_allclose(one_storm, none, rtol=0.01)  # a single day does not decide the year
    assert fwi_days_above(fwi, dates)[1].tolist() == [365]


def test_a_year_needs_350_days() -> None:
    dates = calendar_days(2011, 1)
    fwi = np.full((365, 2), 30.0)
    fwi[:15, 0] = np.nan
    fwi[:16, 1] = np.nan
    np.testing.assert_array_equal(fwi95(fwi, dates)[1], [[30.0, np.nan]])
    np.testing.assert_array_equal(fwi_days_above(fwi, dates)[1], [[350.0, np.nan]])


def test_days_of_high_danger_begin_at_21_3() -> None:
    dates = calendar_days(2011, 1)
    fwi = np.zeros(365)
    fwi[:3] = [21.3, 21.2, 50.0]
    assert list(fwi_days_above(fwi, dates)[1]) == [2.0]


# --- others' figures ----------------------------------------------------------------------------------------


@pytest.mark.oracle
def test_the_published_48_days_to_their_printed_digits(oracles: Path) -> None:
    with (oracles / "fwi_48_days.csv").open() as file:
        rows = list(csv.DictReader(file))

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name]) for row in rows])

    result = fire_weather_index(column("TEMP"), column("RH"), column("WS"), column("PREC"), column("MON").astype(int))
    for name, values in as_dict(result).items():
        for row, value in zip(rows, values, strict=True):
            printed = row[name.upper()]
            digits = len(printed.partition(".")[2])
            assert abs(value - float(printed)) <= 0.5 * 10.0**-digits + 1e-9, (name, row)
