"""Days become months."""

from __future__ import annotations

import numpy as np

from aiops.climate import calendar_days
from aiops.ingest.months import days_in_month, monthly_mean, monthly_sum, months_of, whole_years

DAYS = calendar_days(2000, 1)


def test_a_month_of_rain_needs_all_its_days():
    rain = np.ones((366, 2))
    rain[40, 0] = np.nan
    sums = monthly_sum(rain, DAYS)
    assert sums[:, 1].tolist() == [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert np.flatnonzero(np.isnan(sums[:, 0])).tolist() == [1]


def test_a_29_february_that_the_calendar_has_not_is_no_missing_day():
    days = calendar_days(2000, 9)
    leap = np.flatnonzero(np.isin(days, np.array(["2000-02-29", "2004-02-29", "2008-02-29"], dtype="datetime64[D]")))
    rain = np.ones((days.size, 5))
    rain[leap] = np.nan
    rain[leap[0], 1] = 1  # a calendar with the day, which lost two of them
    rain[leap[1] - 1, 2] = np.nan
    rain[leap[1] + 1, 3] = np.nan
    rain[:, 4] = np.nan
    sums = monthly_sum(rain, days)
    assert sums[[1, 49, 97], 0].tolist() == [28, 28, 28]
    assert sums[1, 1] == 29
    assert [np.flatnonzero(np.isnan(sums[:, cell])).tolist() for cell in range(4)] == [[], [49, 97], [49], [49, 50]]
    assert np.isnan(sums[:, 4]).all()
    assert monthly_sum(rain[:60], days[:60])[:, 1].tolist() == [31, 29]


def test_a_monthly_mean_stands_on_the_days_there_are_while_at_most_ten_are_missing():
    values = np.tile(np.arange(366.0)[:, None], 2)
    values[0:20:2, 0] = np.nan
    values[0:22:2, 1] = np.nan
    means = monthly_mean(values, DAYS)
    assert means[0, 0] == np.nanmean(values[:31, 0])
    assert np.isnan(means[0, 1])
    assert means[1].tolist() == [45, 45]


def test_a_monthly_mean_is_missing_where_five_days_on_end_are():
    values = np.tile(np.arange(366.0)[:, None], 5)
    values[3:7, 0] = np.nan  # four days
    values[3:8, 1] = np.nan  # five
    values[26:31, 2] = np.nan  # the last five of January
    values[29:34, 3] = np.nan  # five, but two of January and three of February
    values[361:, 4] = np.nan  # the last five of the record
    missing = np.isnan(monthly_mean(values, DAYS))
    assert [np.flatnonzero(missing[:, cell]).tolist() for cell in range(5)] == [[], [0], [0], [], [11]]


def test_months_know_their_days_and_years_their_months():
    assert months_of(DAYS).astype(str).tolist() == [f"2000-{month:02d}" for month in range(1, 13)]
    assert days_in_month(DAYS).sum() == 366
    months = np.ones((24, 2))
    months[23, 1] = np.nan
    assert whole_years(months).tolist() == [[True, True], [True, False]]
