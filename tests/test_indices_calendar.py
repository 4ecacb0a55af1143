from __future__ import annotations

import numpy as np
import pytest

from aiops.climate import calendar_days
from aiops.errors import BadInput
from aiops.indices.calendar import baseline_years, daily_axis


def test_twenty_years_of_the_normal_period_are_the_baseline() -> None:
    baseline = baseline_years(np.arange(2001, 2101))
    assert baseline is not None
    assert (baseline.years, baseline.label) == ((1991, 2020), "1991-2020")


def test_with_nineteen_of_them_the_first_thirty_years_are() -> None:
    baseline = baseline_years(np.arange(2002, 2101))
    assert baseline is not None
    assert (baseline.years, baseline.label) == ((2002, 2031), "first_30_years")


def test_a_short_record_is_its_own_baseline() -> None:
    baseline = baseline_years([2019, *range(2011, 2019)])
    assert baseline is not None
    assert (baseline.years, baseline.label) == ((2011, 2019), "first_9_years")


def test_years_without_data_do_not_count_among_the_first_thirty() -> None:
    years = [*range(1900, 1920), *range(1930, 1960)]
    baseline = baseline_years(years)
    assert baseline is not None
    assert (baseline.years, baseline.label) == ((1900, 1939), "first_30_years")


def test_no_year_with_data_is_no_baseline() -> None:
    assert baseline_years([]) is None


def test_half_years_are_refused() -> None:
    with pytest.raises(BadInput, match="years_with_data"):
        baseline_years([2011.5])


def test_days_that_are_not_in_the_record_are_missing_days() -> None:
    dates = np.array(["2011-01-01", "2011-01-02", "2011-01-05"], dtype="datetime64[D]")
    axis = daily_axis(dates, 3)
    laid = axis.whole_years(np.array([[1.0], [2.0], [5.0]]))
    assert laid.shape == (365, 1)
    np.testing.assert_array_equal(laid[:5, 0], [1.0, 2.0, np.nan, np.nan, 5.0])
    assert np.isnan(laid[5:]).all()


def test_a_complete_record_is_not_copied() -> None:
    dates = calendar_days(2011, 2)
    values = np.zeros((dates.size, 3))
    assert daily_axis(dates, dates.size).whole_years(values) is values


def test_years_without_leap_days_drop_the_29th_of_february() -> None:
    dates = calendar_days(2012, 1)
    day_of_year = np.arange(1.0, 367.0)[:, np.newaxis]
    years = daily_axis(dates, 366).no_leap_years(day_of_year)
    assert years.shape == (1, 365, 1)
    assert list(years[0, 57:61, 0]) == [58.0, 59.0, 61.0, 62.0]


def test_padded_years_put_every_1_january_first() -> None:
    dates = calendar_days(2011, 3)
    place = np.arange(float(dates.size))[:, np.newaxis]
    padded = daily_axis(dates, dates.size).padded_years(place)
    assert list(padded[:, 0, 0]) == [0.0, 365.0, 731.0]
    assert np.isnan(padded[[0, 2], 365, 0]).all()
    assert padded[1, 365, 0] == 730.0


@pytest.mark.parametrize(
    ("dates", "why"),
    [
        (["2011-01-02", "2011-01-01", "2011-01-03"], "2011-01-01 follows no earlier day"),
        (["2011-01-01", "2011-01-01", "2011-01-02"], "2011-01-01 follows no earlier day"),
        (["2011-01-01", "2011-02-01", "2011-03-01"], "wrong cadence"),
        (["2011-01-01", "2011-01-02"], "one date a row"),
        (["2011-01-01", "NaT", "2011-01-03"], "a date is missing"),
        (["2011-01-01", "2011-02-30", "2011-03-01"], "dates"),
        ([1.0, 2.0, 3.0], "float64 given"),
    ],
)
def test_dates_that_are_no_daily_record_are_refused_by_name(dates: list[object], why: str) -> None:
    with pytest.raises(BadInput, match=why) as refused:
        daily_axis(dates, 3)
    assert str(refused.value).startswith("dates:")


def test_hours_are_refused_as_doubled_days() -> None:
    hours = np.arange("2011-01-01T00", "2011-01-01T03", dtype="datetime64[h]")
    with pytest.raises(BadInput, match="follows no earlier day"):
        daily_axis(hours, 3)


def test_no_dates_are_refused() -> None:
    with pytest.raises(BadInput, match="at least one day"):
        daily_axis(np.array([], dtype="datetime64[D]"), 0)
