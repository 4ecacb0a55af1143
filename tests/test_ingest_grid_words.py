"""What gridded files say in words: units, names, standard names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aiops.climate import Cadence
from aiops.errors import FileRefused
from aiops.ingest.grids.cell_methods import methods_over_time
from aiops.ingest.grids.conversion import conversion_of
from aiops.ingest.grids.judge import Judge
from aiops.ingest.grids.names import NameFacts, facts_of_name
from aiops.ingest.grids.quantities import other_than, quantity_of, quantity_of_standard_name
from aiops.ingest.variables import variable_of


@pytest.mark.parametrize(
    ("variable", "units", "given", "stored"),
    [
        ("tas", "degC", 21.5, 21.5),
        ("tas", "℃", 21.5, 21.5),
        ("tas", "C", 21.5, 21.5),
        ("tas", "Celsius", 21.5, 21.5),
        ("tas", "degrees_celsius", 21.5, 21.5),
        ("tas", "K", 300.0, 26.85),
        ("tas", "0.1 K", 3000.0, 26.85),
        ("tas", "degF", 86.0, 30.0),
        ("pr", "mm", 12.5, 12.5),
        ("pr", "mm/day", 12.5, 12.5),
        ("pr", "mm d-1", 12.5, 12.5),
        ("pr", "kg m-2", 12.5, 12.5),
        ("pr", "kg m-2 s-1", 0.001, 86.4),
        ("pr", "kg m**-2 s**-1", 0.001, 86.4),
        ("pr", "kg/m2/s", 0.001, 86.4),
        ("pr", "kg m⁻² s⁻¹", 0.001, 86.4),
        ("pr", "m", 0.0125, 12.5),
        ("pr", "m s-1", 1e-6, 86.4),
        ("prhmax", "mm h-1", 30.0, 30.0),
        ("prhmax", "kg m-2 s-1", 0.01, 36.0),
        ("pr_month", "mm month-1", 80.0, 80.0),
        ("prcptot", "mm/year", 1300.0, 1300.0),
        ("hurs", "%", 65.0, 65.0),
        ("hurs", "percent", 65.0, 65.0),
        ("hurs", "1", 0.65, 65.0),
        ("hurs", "fraction", 0.65, 65.0),
        ("sfcWind", "m s-1", 3.0, 3.0),
        ("sfcWind", "m.s-1", 3.0, 3.0),
        ("sfcWind", "km h-1", 36.0, 10.0),
        ("sfcWind", "knot", 10.0, 5.144444),
        ("rsds", "W m-2", 200.0, 200.0),
        ("rsds", "MJ m-2 day-1", 17.28, 200.0),
        ("ps", "Pa", 101_325.0, 1013.25),
        ("ps", "mb", 1013.25, 1013.25),
        ("sund", "s", 7200.0, 2.0),
        ("snd", "m", 0.12, 12.0),
        ("wsdi", "days", 12.0, 12.0),
        ("spei12", "1", -1.5, -1.5),
    ],
)
def test_units_become_the_stored_one(variable, units, given, stored):
    variable = variable_of(variable)
    conversion = conversion_of(variable, units, Path("a.nc"), "x")
    values = Judge(variable).values(np.array([[given]]), conversion, np.array([30.0]), lambda _, __: "")
    assert values[0, 0] == pytest.approx(stored, rel=1e-6)


@pytest.mark.parametrize(
    ("variable", "units"),
    [
        ("tas", "m"),
        ("tas", ""),
        ("tas", "kelvinish"),
        ("pr", "K"),
        ("pr", "mm month-1"),
        ("pr", "mm/month"),
        ("pr", "W m-2"),
        ("pr", "0 mm"),
        ("pr_month", "mm year-1"),
        ("rx5day", "mm/day"),
        ("hurs", "g kg-1 K"),
        ("rsds", "J m-2"),
        ("sfcWind", "C"),
        ("wsdi", "1"),
        ("snd", "kg m-2"),
        ("tas", "("),
        ("tas", "__import__('os')"),
        ("tas", "K**99999"),
    ],
)
def test_units_that_are_another_thing_are_refused(variable, units):
    with pytest.raises(FileRefused, match=r"a\.nc: x: .*allowed"):
        conversion_of(variable_of(variable), units, Path("a.nc"), "x")


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        (
            "AR6_SSP585_5ENSMN_skorea_TAMAX_gridraw_daily_2021.nc",
            NameFacts("TAMAX", "ssp585", Cadence.DAILY, 2021, 2021, "2021"),
        ),
        ("MKPRISM_TA_gridraw_daily_2010.nc", NameFacts("TA", "historical", Cadence.DAILY, 2010, 2010, "2010")),
        (
            "AR6_SSP126_5ENSMN_skorea_RN_gridraw_monthly_2021_2100.nc",
            NameFacts("RN", "ssp126", Cadence.MONTHLY, 2021, 2100, "2021"),
        ),
        (
            "AR6_SSP245_5ENSMN_skorea_TA_gridraw_daily_20210307.asc.gz",
            NameFacts("TA", "ssp245", Cadence.DAILY, 2021, 2021, "20210307"),
        ),
        (
            "tasmax_day_UKESM1-0-LL_ssp585_r1i1p1f2_gn_20150101-20491230.nc",
            NameFacts("tasmax", "ssp585", Cadence.DAILY, 2015, 2049, "20150101"),
        ),
        (
            "pr_Amon_ACCESS-CM2_historical_r1i1p1f1_gn_185001-201412.nc",
            NameFacts("pr", "historical", Cadence.MONTHLY, 1850, 2014, "185001"),
        ),
        ("temperature.nc", NameFacts()),
        ("report_2021-2022.nc", NameFacts()),
    ],
)
def test_names_say_what_they_say(name, facts):
    assert facts_of_name(Path(name)) == facts


def test_a_standard_name_needs_its_cell_method_where_it_could_be_several():
    assert quantity_of_standard_name("air_temperature", "time: maximum within days") == "tasmax"
    assert quantity_of_standard_name("air_temperature", "area: mean time: minimum") == "tasmin"
    assert quantity_of_standard_name("air_temperature", "") is None
    assert quantity_of_standard_name("surface_air_pressure", "") == "ps"
    assert quantity_of_standard_name("air_temperature", "time: mid_range") is None
    assert quantity_of_standard_name("ocean_depth", "time: mean") is None
    assert quantity_of("TAMAX") == quantity_of("tasmax_month") == "tasmax"


@pytest.mark.parametrize(
    ("text", "methods"),
    [
        ("", []),
        ("time: mean", [("mean", "")]),
        ("time:mean", [("mean", "")]),
        ("area: time: mean", [("mean", "")]),
        ("time: area: maximum", [("maximum", "")]),
        ("area: mean time: maximum (interval: 10 minutes)", [("maximum", "")]),
        ("area: mean where land time: mean (interval: 1 hour comment: of time: maximum)", [("mean", "")]),
        ("time: max", [("maximum", "")]),
        ("time: point time: maximum", [("maximum", "")]),
        ("time: maximum within days time: mean over days", [("maximum", "within days"), ("mean", "over days")]),
        ("lat: lon: mean realization: mean", []),
    ],
)
def test_cell_methods_over_time_are_read_in_their_order(text, methods):
    assert [(one.method, one.span) for one in methods_over_time(text)] == methods


DAILY, MONTHLY = Cadence.DAILY, Cadence.MONTHLY


@pytest.mark.parametrize(
    ("quantity", "standard_name", "cell_methods", "cadence"),
    [
        # As CMIP, CORDEX, the national grids and what tools make of them have it.
        ("tas", "air_temperature", "area: time: mean", DAILY),
        ("tas", "air_temperature", "time: point", DAILY),
        ("tas", "air_temperature", "time: mid_range", DAILY),
        ("tas", "air_temperature", "area: mean time: point time: mean", DAILY),
        ("tasmax", "air_temperature", "area: mean time: maximum (interval: 5 minutes)", DAILY),
        ("tasmax", "air_temperature", "time: point time: maximum realization: mean", DAILY),
        ("tasmax", "air_temperature", "time: maximum within days", DAILY),
        ("tasmax", "air_temperature", "time: maximum within days time: mean over days", MONTHLY),
        ("tasmax", "air_temperature", "time: maximum time: mean", MONTHLY),
        ("tasmax", "air_temperature", "time: mean", MONTHLY),
        ("tasmin", "air_temperature", "time: mean", None),
        ("tasmin", "", "time: minimum", DAILY),
        ("pr", "precipitation_flux", "area: time: mean", MONTHLY),
        ("pr", "precipitation_flux", "time: sum", DAILY),
        ("pr", "precipitation_amount", "time: mean", DAILY),
        ("prhmax", "precipitation_flux", "time: mean within hours time: maximum over hours", DAILY),
        ("prhmax", "precipitation_amount", "", DAILY),
        ("hursmin", "relative_humidity", "area: mean time: minimum", DAILY),
        ("wsgsmax", "wind_speed_of_gust", "time: maximum", DAILY),
        ("rx1day", "precipitation_flux", "time: maximum", Cadence.YEARLY),
        ("txx", "air_temperature", "time: maximum", Cadence.YEARLY),
        ("snd", "surface_snow_thickness", "area: mean where land time: mean", DAILY),
    ],
)
def test_ordinary_cell_methods_say_nothing_against_a_variable(quantity, standard_name, cell_methods, cadence):
    assert other_than(quantity, standard_name, cell_methods, cadence) is None


@pytest.mark.parametrize(
    ("quantity", "standard_name", "cell_methods", "cadence", "other"),
    [
        ("tas", "air_temperature", "time: maximum", DAILY, "tasmax"),
        ("tas", "air_temperature", "time: maximum", None, "tasmax"),
        ("tas", "", "time: minimum", DAILY, "tasmin"),
        ("tas", "air_temperature", "area: mean time: point time: maximum", DAILY, "tasmax"),
        ("tas", "air_temperature", "time: maximum within days time: mean over days", MONTHLY, "tasmax"),
        ("tas", "air_temperature", "time: mean time: maximum", MONTHLY, ""),
        ("tas", "air_temperature", "time: standard_deviation", DAILY, ""),
        ("tasmax", "air_temperature", "time: mean", DAILY, "tas"),
        ("tasmax", "air_temperature", "time: minimum", MONTHLY, "tasmin"),
        ("pr", "precipitation_flux", "time: maximum", DAILY, "prhmax"),
        ("pr", "precipitation_amount", "time: maximum", DAILY, "prhmax"),
        ("hurs", "relative_humidity", "time: maximum", DAILY, ""),
    ],
)
def test_cell_methods_that_make_another_variable_of_it_are_known(quantity, standard_name, cell_methods, cadence, other):
    assert other_than(quantity, standard_name, cell_methods, cadence) == other
