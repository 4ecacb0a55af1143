"""The catalogue of climate variables."""

from __future__ import annotations

import pytest

from aiops.climate import Cadence
from aiops.errors import BadInput
from aiops.ingest.variables import VARIABLES, find_variable, names_allowed, variable_of


def test_the_catalogue_and_the_table_climate_variable_hold_the_same_rows(connection):
    rows = connection.execute(
        "SELECT variable, cadence, unit, valid_min, valid_max, description, description_ko, aliases "
        "FROM climate_variable"
    ).fetchall()
    catalogue = {
        v.name: (v.cadence.value, v.unit, v.minimum, v.maximum, v.description, v.description_ko, list(v.aliases))
        for v in VARIABLES
    }
    assert {name: rest for name, *rest in rows} == {name: list(rest) for name, rest in catalogue.items()}


def test_no_name_or_alias_means_two_variables_even_without_regard_to_case():
    words = [word.casefold() for v in VARIABLES for word in (v.name, *v.aliases)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("TAMAX", "tasmax"),
        ("TAMIN", "tasmin"),
        ("TA", "tas"),
        ("RN", "pr"),
        ("RHM", "hurs"),
        ("WS", "sfcWind"),
        ("SI", "rsds"),
        ("WSDI", "wsdi"),
        ("RAIN80", "rain80"),
        (" sfcwind ", "sfcWind"),
    ],
)
def test_the_names_of_the_korea_meteorological_administration_are_understood(word, name):
    assert variable_of(word).name == name


def test_an_unknown_variable_is_refused_with_the_names_that_are_allowed():
    with pytest.raises(BadInput, match=r"^variable: 'heat' is not known; allowed: tas tasmax .* s_tc$"):
        variable_of("heat")
    assert find_variable("heat") is None


def test_the_names_of_one_cadence_can_be_listed():
    assert names_allowed(Cadence.MONTHLY).split()[:2] == ["spei12", "pr_month"]


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda v: v.name)
def test_each_variable_accepts_its_bounds_and_nothing_beyond_them(variable):
    assert variable.accepts(variable.minimum)
    assert variable.accepts(variable.maximum)
    assert not variable.accepts(variable.maximum + 0.01)
    assert not variable.accepts(variable.minimum - 0.01)
    assert not variable.accepts(float("nan"))
