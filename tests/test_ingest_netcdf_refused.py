"""What a NetCDF file must not be: each refused in one line that names the file, the field and what is allowed."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from gridded import LATITUDES, LONGITUDES, dataset, days_since, some_days, write_netcdf

from aiops.errors import BadInput, FileRefused
from aiops.ingest.grids import extra
from aiops.ingest.grids.load import load_grids
from aiops.ingest.grids.options import grid_options


def load(*paths, **options):
    """Refusals come before the database is asked for anything."""
    load_grids(None, paths, grid_options("netcdf", **({"scenario": "ssp585"} | options)))


def refusal(*paths, **options):
    with pytest.raises(FileRefused) as refused:
        load(*paths, **options)
    said = str(refused.value)
    assert "\n" not in said
    assert said.startswith(str(paths[-1]))
    return said


JAN = days_since("2021-01-01", 1)[0] - 0.5
DAILY = JAN + np.arange(5) + 0.5


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"units": None}, "tasmax: has no units; allowed: a units attribute, or --units; allowed for tasmax: degC K"),
        ({"units": " "}, "tasmax: has no units"),
        ({"units": "furlongs"}, "tasmax: units 'furlongs' cannot become °C; allowed for tasmax: degC K"),
        ({"units": "mm/day"}, "tasmax: units 'mm/day' cannot become °C"),
        ({"units": "9**9**9**9"}, "tasmax: units '9**9**9**9' cannot become °C"),
        ({"units": "kg m-2 month-1", "name": "pr"}, "pr: units 'kg m-2 month-1' cannot become mm"),
        ({"units": "W m-2", "name": "pr"}, "pr: units 'W m-2' cannot become mm"),
        ({"units": "K", "name": "mystery", "attrs": {"standard_name": None}}, "mystery: is not known as a climate"),
        (
            {"units": "K", "low": 0, "high": 10},
            "100% of the values looked at are implausible, such as a.nc, 2021-01-01",
        ),
        ({"low": 250, "high": 300}, "(Kelvin? subtract 273.15); are the units (degC) right?"),
        ({"attrs": {"scale_factor": 0.0}}, "tasmax: scale_factor 0, add_offset 0; allowed: finite, and not 0"),
        ({"attrs": {"missing_value": "none"}}, "tasmax: missing_value is none; allowed: a number"),
    ],
)
def test_units_and_values_that_cannot_be_trusted_are_refused(tmp_path, given, message):
    days = some_days(low=given.pop("low", -5), high=given.pop("high", 30))
    assert message in refusal(write_netcdf(tmp_path / "a.nc", days, **given))


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (DAILY[[0, 1, 1, 3, 4]], "time: step 3, 2021-01-02, stands twice; allowed: times that increase"),
        (DAILY[[0, 1, 3, 2, 4]], "time: step 4, 2021-01-03, comes after 2021-01-04; allowed: times that increase"),
        (DAILY[::-1], "time: step 2, 2021-01-04, comes after 2021-01-05"),
        (JAN + np.arange(5) / 4, "time: times are apart 0.25 days; allowed: 1 (daily), 28 to 31 (monthly)"),
        (JAN + np.array([0.1, 0.9, 1.9, 2.9, 3.9]), "time: times are apart 0.8 to 1 days"),
        (JAN + np.arange(5) * 7, "time: times are apart 7 days"),
        ([DAILY[0], np.nan, *DAILY[2:]], "time: step 2 has no time; allowed: a number for each step"),
        (DAILY - 100_000, "time: 1747-03-19; allowed: years 1850 to 2300"),
    ],
)
def test_times_that_are_no_series_are_refused(tmp_path, times, message):
    assert message in refusal(write_netcdf(tmp_path / "a.nc", some_days(), times=times))


@pytest.mark.parametrize("zone", ["9:00", "Asia/Seoul", "+9:0", "PM", "-00:00:00", "−09:00"])
def test_an_offset_from_utc_that_cannot_be_read_is_refused(tmp_path, zone):
    made = dataset(some_days(), times=np.arange(5))
    made["time"].attrs["units"] = f"days since 2021-01-01 00:00:00 {zone}"
    made.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    said = refusal(tmp_path / "a.nc")
    assert f"00:00:00 {zone}': '{zone}' is no offset from UTC; allowed: none, or such as UTC, +9, +09:00" in said


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"calendar": "360_day"}, "calendar 360_day with daily steps: its 30 February is no day"),
        ({"calendar": "julian"}, "calendar 'julian' with daily steps; allowed: standard gregorian"),
        ({"bounds": np.stack([DAILY, DAILY], axis=1)}, "time bounds: of step 1: the end is not after the beginning"),
        ({"frequency": "mon"}, "frequency: monthly, but its times are daily"),
        ({"latitudes": [91.0, 92.0, 93.0]}, "latitude: 93; allowed: degrees, -90 to 90"),
        ({"latitudes": [35.0, 35.0, 35.1]}, "latitude: a value stands twice"),
        ({"longitudes": [127.0, np.nan, 127.1, 127.2]}, "longitude: has no values, or some that are not finite"),
        (
            {"latitudes": LATITUDES + 20},
            "the grid covers 55.00 to 55.02 °N, 127.00 to 127.03 °E; allowed: a grid that ",
        ),
        ({"longitudes": LONGITUDES + 20}, "into the frame, 33.00 to 39.00 °N, 124.50 to 132.00 °E (within "),
    ],
)
def test_calendars_bounds_and_places_that_cannot_be_used_are_refused(tmp_path, given, message):
    assert message in refusal(write_netcdf(tmp_path / "a.nc", some_days(), **given))


def test_a_file_of_months_is_not_a_daily_variable(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", some_days(3), times=JAN + np.array([15.0, 45.0, 74.0]))
    assert refusal(path, variable="tasmax").endswith("time: has monthly steps; tasmax is daily")
    yearly = write_netcdf(tmp_path / "b.nc", some_days(3), times=JAN + np.arange(3) * 365)
    assert "has yearly steps; allowed for tasmax: daily or monthly" in refusal(yearly)


def test_a_single_step_that_does_not_say_how_long_it_lasts_is_refused(tmp_path):
    assert "a single step without bounds" in refusal(write_netcdf(tmp_path / "a.nc", some_days(1)))


def test_files_without_what_is_needed_are_refused(tmp_path):
    made = dataset(some_days())
    for name, changed, message in (
        ("space", made.isel(lat=0), "latitude: no coordinate of it; allowed: 1-D or 2-D latitude in degrees"),
        ("time", made.isel(time=0, drop=True), "time: no dimension of it"),
        ("units", made.assign_coords(time=("time", DAILY, {"units": "days"})), "time: units 'days'"),
        ("none", made.drop_vars("tasmax"), "has no variable over time and two dimensions of space"),
        (
            "two",
            made.assign(tasmin=made["tasmax"] - 5),
            "has 2 variables, tasmax tasmin; allowed: one of them (--source-name)",
        ),
        ("member", made.expand_dims(member=[1, 2]), "tasmax: has 2 along member; allowed: time and two of space"),
        (
            "climate",
            made.assign_coords(time=("time", DAILY, {**made["time"].attrs, "climatology": "x"})),
            "is a climatology",
        ),
    ):
        path = tmp_path / f"{name}.nc"
        changed.to_netcdf(path, engine="h5netcdf")
        assert message in refusal(path), name
    assert "variable tas is missing; the file has: " in refusal(tmp_path / "two.nc", source_name="tas")


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path, engine):
    whole = write_netcdf(tmp_path / "whole.nc", some_days(300), engine=engine).read_bytes()
    for part in (0.999, 0.9, 0.5, 0.1, 0.01):
        path = tmp_path / "a.nc"
        path.write_bytes(whole[: int(len(whole) * part)])
        assert "cut off or damaged" in refusal(path)


def test_a_chunk_that_is_damaged_is_refused(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", some_days(300), encoding={"zlib": True, "chunksizes": (300, 3, 4)})
    data = bytearray(path.read_bytes())
    start = data.index(b"\x78\x5e") if b"\x78\x5e" in data else data.index(b"\x78\x9c")
    data[start + 100 : start + 2000] = bytes(1900)
    path.write_bytes(data)
    assert "cut off or damaged" in refusal(path)


def test_what_is_no_netcdf_file_is_refused(tmp_path):
    text, empty = tmp_path / "a.nc", tmp_path / "b.nc"
    text.write_text("variable,scenario\n")
    empty.write_bytes(b"")
    assert "is no NetCDF file; allowed: NetCDF-4 (HDF5), NetCDF-3" in refusal(text)
    assert "is empty" in refusal(empty)
    assert "no such file" in refusal(tmp_path / "none.nc")
    folder = tmp_path / "folder"
    folder.mkdir()
    assert "the folder has no file ending in .nc" in refusal(folder)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        (
            "AR6_SSP585_5ENSMN_skorea_TAMIN_gridraw_daily_2021.nc",
            {},
            "variable: the name says tasmin, its variable tasmax says tasmax",
        ),
        (
            "AR6_SSP585_5ENSMN_skorea_TAMAX_gridraw_daily_2021.nc",
            {"experiment_id": "ssp245"},
            "scenario: the name says ssp585, its attributes say ssp245",
        ),
        (
            "AR6_SSP585_5ENSMN_skorea_TAMAX_gridraw_daily_2022.nc",
            {},
            "year: the name says 2022, its times 2021 to 2021",
        ),
        (
            "AR6_SSP585_5ENSMN_skorea_TAMAX_gridraw_monthly_2021.nc",
            {},
            "cadence: the name says monthly, its times say daily",
        ),
        (
            "AR6_SSP245_5ENSMN_skorea_TAMAX_gridraw_daily_2021.nc",
            {},
            "scenario: the name says ssp245, --scenario says ssp585",
        ),
        ("a.nc", {"scenario": "SSP2-4.5"}, "scenario: its attributes say ssp245, --scenario says ssp585"),
    ],
)
def test_a_name_that_the_file_contradicts_is_refused(tmp_path, name, given, message):
    assert message in refusal(write_netcdf(tmp_path / name, some_days(), **given))


def test_a_scenario_that_nobody_says_is_asked_for(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", some_days())
    assert "scenario: neither the name nor the file says it; allowed: --scenario historical|ssp126" in refusal(
        path, scenario=None
    )


def test_a_day_in_two_files_and_another_grid_are_refused(tmp_path):
    first = write_netcdf(tmp_path / "a.nc", some_days())
    again = write_netcdf(tmp_path / "b.nc", some_days(), first="2021-01-05")
    assert f"time: 2021-01-05 stands in {first}, too; allowed: each day once" in refusal(first, again)
    moved = write_netcdf(tmp_path / "c.nc", some_days(), first="2021-02-01", longitudes=LONGITUDES + 0.001)
    assert f"the grid is another than that of {first}" in refusal(first, moved)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variable": "heat"}, "--variable: 'heat' is not known; allowed: tas"),
        ({"scenario": "rcp85"}, "--scenario: 'rcp85' is not known; allowed: historical"),
        ({"max_distance_km": -1.0}, "--max-distance: -1; allowed: kilometres"),
        ({"memory_mb": 0.0}, "--memory: 0; allowed: megabytes"),
        ({"units": "K"}, "units 'degC' in the file, --units 'K'; allowed: --units for files without units"),
    ],
)
def test_options_that_cannot_be_are_refused_by_name(tmp_path, options, message):
    path = write_netcdf(tmp_path / "a.nc", some_days())
    with pytest.raises(BadInput) as refused:
        load(path, **options)
    assert message in str(refused.value)


def test_without_the_extra_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(extra, "NEEDED", ("xarray", "no_such_library"))
    with pytest.raises(BadInput, match=r"gridded files need no_such_library.*pip install 'aiops\[netcdf\]'"):
        load(tmp_path / "a.nc")


def test_the_program_starts_without_the_libraries_for_grids():
    import subprocess
    import sys

    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import workers.cli, sys; print({'xarray', 'pint', 'h5py', 'cftime'} & set(sys.modules))",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert said.stdout.strip() == "set()"


def test_a_variable_is_chosen_by_what_is_asked_for(tmp_path):
    made = dataset(some_days(), units="mm")
    made.assign(pr=made["tasmax"]).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "a.nc", decode_times=False) as written:
        assert "pr" in written
    assert "tasmax: units 'mm' cannot become °C" in refusal(tmp_path / "a.nc", variable="tasmax")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"name": "tas", "attrs": {"cell_methods": "time: maximum"}},
            "variable: its variable tas says tas, its cell_methods 'time: maximum' say tasmax; allowed: one",
        ),
        (
            {"name": "hurs", "units": "%", "attrs": {"cell_methods": "time: range", "standard_name": None}},
            "variable: its variable hurs says hurs, its cell_methods say 'time: range'; allowed: one of them",
        ),
        (
            {
                "name": "pr",
                "units": "kg m-2 s-1",
                "attrs": {"cell_methods": "area: mean time: maximum", "standard_name": "precipitation_flux"},
            },
            "its variable pr says pr, its cell_methods 'area: mean time: maximum' say prhmax",
        ),
    ],
)
def test_cell_methods_that_contradict_the_variables_name_are_refused(tmp_path, given, message):
    assert message in refusal(write_netcdf(tmp_path / "a.nc", some_days(), **given))


@pytest.mark.parametrize(
    ("units", "cell_methods", "message"),
    [
        ("mm", "area: time: mean", "the mean of shorter sums, or the sum of the step; allowed: the units of what they"),
        ("mm", "time: sum within days time: mean over days", "the mean of shorter sums, or the sum of the step"),
        ("mm/day", "time: sum", "a sum of rates is no rate; allowed: the units of what they are"),
    ],
)
def test_months_of_rain_that_could_be_sums_or_means_are_refused(tmp_path, units, cell_methods, message):
    path = write_netcdf(
        tmp_path / "a.nc",
        some_days(3, low=0),
        times=JAN + np.array([15.5, 45.0, 74.5]),
        name="pr",
        units=units,
        attrs={"standard_name": None, "cell_methods": cell_methods},
    )
    said = refusal(path)
    assert f"pr: units {units!r} with cell_methods {cell_methods!r}: {message}" in said
    assert "--variable pr_month" in said
