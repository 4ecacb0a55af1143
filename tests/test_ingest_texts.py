"""Texts become numbers, dates and scenarios."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.climate import SCENARIOS, Cadence
from aiops.errors import BadInput
from aiops.ingest.texts import DateForm, Dates, dates_fit, find_scenario, numbers_of, scenario_of


@pytest.mark.parametrize(
    ("text", "day", "form"),
    [
        ("2021", "2021-01-01", DateForm.YEAR),
        ("2021-03", "2021-03-01", DateForm.MONTH),
        ("2021-3", "2021-03-01", DateForm.MONTH),
        ("2021-03-09", "2021-03-09", DateForm.DAY),
        ("2021/3/9", "2021-03-09", DateForm.DAY),
        ("2021.03.09", "2021-03-09", DateForm.DAY),
        ("20210309", "2021-03-09", DateForm.DAY),
        (" 2021-03-09 00:00:00 ", "2021-03-09", DateForm.DAY),
        ("2021-03-09T00:00Z", "2021-03-09", DateForm.DAY),
        ("2020-02-29", "2020-02-29", DateForm.DAY),
        ("1850-01-01", "1850-01-01", DateForm.DAY),
        ("1969-12-31", "1969-12-31", DateForm.DAY),
    ],
)
def test_a_date_is_read_with_how_much_of_it_was_written(text, day, form):
    days, forms = Dates().read([text])
    assert (str(days[0]), forms[0]) == (day, form)


@pytest.mark.parametrize(
    "text",
    ["", "2021-02-29", "2021-13", "2021-00-10", "2021-3/9", "21-03-09", "1849-12-31", "2301", "2021-03-09 13:00",
     "2021-03-09x", "９９９９", "٢٠٢١-01-01", "2021-W03", "-2021"],
)  # fmt: skip
def test_what_is_no_day_of_the_calendar_is_no_date(text):
    days, forms = Dates().read(["2021-01-01", text])
    assert np.isnat(days[1])
    assert forms.tolist() == [DateForm.DAY, -1]


@given(st.dates(min_value=dt.date(1850, 1, 1), max_value=dt.date(2300, 12, 31)))
def test_every_day_of_the_allowed_years_is_read_as_itself(day):
    days, forms = Dates().read([day.isoformat(), day.strftime("%Y%m%d")])
    assert days.tolist() == [day, day]
    assert forms.tolist() == [DateForm.DAY, DateForm.DAY]


@pytest.mark.parametrize(
    ("cadence", "fitting"),
    [
        (Cadence.DAILY, ["2021-01-01", "2021-03-01", "2021-03-09"]),
        (Cadence.MONTHLY, ["2021-03", "2021-01-01", "2021-03-01"]),
        (Cadence.YEARLY, ["2021", "2021-01-01"]),
    ],
)
def test_a_date_must_name_a_period_of_the_cadence(cadence, fitting):
    texts = ["2021", "2021-03", "2021-01-01", "2021-03-01", "2021-03-09", "no date"]
    days, forms = Dates().read(texts)
    fits = dates_fit(cadence, days, forms)
    assert [text for text, fit in zip(texts, fits, strict=True) if fit] == sorted(fitting, key=texts.index)


def test_numbers_are_read_and_words_for_missing_are_missing():
    values, bad = numbers_of(["1", " -2.5 ", "1e2", "", " ", "NaN", "NA", "null"])
    np.testing.assert_array_equal(values, [1, -2.5, 100, np.nan, np.nan, np.nan, np.nan, np.nan])
    assert not bad.any()


@pytest.mark.parametrize("text", ["inf", "-Infinity", "1e400", "abc", "1,5", "1_000", "0x10", "--1", "1 2"])
def test_what_is_no_finite_number_is_marked(text):
    values, bad = numbers_of(["3", text])
    np.testing.assert_array_equal(values, [3, np.nan])
    assert bad.tolist() == [False, True]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_every_finite_float_survives_being_written_and_read(floats):
    values, bad = numbers_of([repr(x) for x in floats])
    np.testing.assert_array_equal(values, floats)
    assert not bad.any()


@pytest.mark.parametrize(
    ("word", "scenario"),
    [("SSP245", "ssp245"), ("ssp2", "ssp245"), ("SSP2-4.5", "ssp245"), ("ssp5_8.5", "ssp585"),
     ("Historical", "historical"), ("hist", "historical"), ("observed", "historical")],
)  # fmt: skip
def test_a_scenario_has_aliases(word, scenario):
    assert scenario_of(word) == scenario


def test_the_aliases_of_the_database_are_understood(connection):
    for scenario, aliases in connection.execute("SELECT scenario, aliases FROM scenario").fetchall():
        assert {find_scenario(word) for word in (scenario, *aliases)} == {scenario}


@pytest.mark.parametrize("word", ["ssp119", "rcp85", "ssp", ""])
def test_an_unknown_scenario_is_refused_with_the_names_that_are_allowed(word):
    assert find_scenario(word) is None
    with pytest.raises(BadInput, match=" ".join(SCENARIOS)):
        scenario_of(word)
