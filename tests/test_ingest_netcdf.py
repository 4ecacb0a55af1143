"""NetCDF files go in and come out as they were."""

from __future__ import annotations

import numpy as np
import pytest
from gridded import LATITUDES, LONGITUDES, dataset, days_since, some_days, write_netcdf

from aiops.climate import Series
from aiops.db.climate import read_series, write_series
from aiops.grid import grid_id_of
from aiops.ingest.grids import load as grid_load
from aiops.ingest.grids.load import load_grids
from aiops.ingest.grids.options import grid_options


@pytest.fixture
def loading(connect):
    return connect(autocommit=True)


@pytest.fixture
def load(loading):
    def load(*paths, kind="netcdf", **options):
        options = {"scenario": "ssp585"} | options
        return load_grids(loading, paths, grid_options(kind, **options))

    return load


def series_at(
    connection, row, column, variable="tasmax", scenario="ssp585", latitudes=LATITUDES, longitudes=LONGITUDES
):
    cell = grid_id_of(latitudes[row], longitudes[column])
    found = read_series(connection, [variable], [cell], [scenario])
    return found[0] if found else None


def test_every_cell_comes_back_as_it_was_in_the_file(load, loading, tmp_path):
    days = some_days(365)
    (report,) = load(write_netcdf(tmp_path / "a.nc", days))
    for row in range(3):
        for column in range(4):
            one = series_at(loading, row, column)
            assert one.first_year == 2021
            np.testing.assert_array_equal(one.values, days[:, row, column])
    assert (report.variable, report.scenario, report.cadence) == ("tasmax", "ssp585", "daily")
    assert (report.steps, report.cells, report.points, report.series_inserted) == (365, 12, 12, 12)
    assert (report.first_date, report.last_date, report.steps_absent) == ("2021-01-01", "2021-12-31", 0)
    assert (report.values_accepted, report.values_missing, report.values_refused) == (365 * 12, 0, 0)
    assert report.farthest_km < 0.001
    assert report.next_command == "aiops run indicators"


def test_the_sql_function_gives_the_dates_and_values(load, loading, tmp_path):
    days = some_days(3)
    days[1] = np.nan
    load(write_netcdf(tmp_path / "a.nc", days, first="2020-02-28"))
    cell = grid_id_of(35.01, 127.02)
    rows = loading.execute(
        "SELECT date::text, value FROM climate_series(%s, 'tasmax', 'ssp585') "
        "WHERE date BETWEEN '2020-02-27' AND '2020-03-02'",
        [cell],
    ).fetchall()
    assert [date for date, _ in rows] == ["2020-02-27", "2020-02-28", "2020-02-29", "2020-03-01", "2020-03-02"]
    assert [value for _, value in rows] == [
        None,
        float(f"{days[0, 1, 2]:.6g}"),
        None,
        float(f"{days[2, 1, 2]:.6g}"),
        None,
    ]


def test_kelvin_and_fluxes_are_converted_in_double_precision(load, loading, tmp_path):
    kelvin = some_days(low=260, high=310)
    (report,) = load(write_netcdf(tmp_path / "a.nc", kelvin, units="K"))
    expected = (kelvin.astype(np.float64) - 273.15).round(4).astype(np.float32)
    np.testing.assert_array_equal(series_at(loading, 1, 1).values[:5], expected[:, 1, 1])
    assert report.conversions == ("K → °C: − 273.15",)
    flux = (some_days(low=0, high=50) / 86_400).astype(np.float32)
    load(
        write_netcdf(
            tmp_path / "b.nc", flux, name="pr", units="kg m-2 s-1", attrs={"standard_name": "precipitation_flux"}
        )
    )
    expected = (flux.astype(np.float64) * 86_400).astype(np.float32)
    np.testing.assert_array_equal(series_at(loading, 2, 3, "pr").values[:5], expected[:, 2, 3])


def test_packed_values_and_codes_for_missing_are_decoded(load, loading, tmp_path):
    packed = np.arange(60, dtype=np.int16).reshape(5, 3, 4) * 10
    packed[2, 0, 0], packed[3, 0, 0] = -32768, -999
    attrs = {"scale_factor": 0.01, "add_offset": 20.0, "missing_value": np.int16(-999), "_FillValue": np.int16(-32768)}
    (report,) = load(write_netcdf(tmp_path / "a.nc", packed, attrs=attrs))
    values = series_at(loading, 0, 0).values[:5]
    assert np.isnan(values[[2, 3]]).all()
    np.testing.assert_array_equal(values[[0, 1, 4]], (packed[[0, 1, 4], 0, 0] * 0.01 + 20.0).astype(np.float32))
    assert report.values_missing == 2


def test_tenths_of_a_degree_that_were_kelvin_in_single_precision_are_tenths_again(load, loading, tmp_path):
    tenths = np.arange(-200, 400).reshape(50, 3, 4) / 10
    (report,) = load(write_netcdf(tmp_path / "a.nc", (tenths + 273.15).astype(np.float32), units="K"))
    stored = np.stack([[series_at(loading, row, column).values[:50] for column in range(4)] for row in range(3)])
    np.testing.assert_array_equal(np.moveaxis(stored, -1, 0), tenths.astype(np.float32))
    assert report.values_refused == 0
    # Whoever has more digits keeps them.
    fine = np.full((5, 3, 4), 300.1234567)
    load(write_netcdf(tmp_path / "b.nc", fine, units="K"), scenario="ssp126")
    assert series_at(loading, 1, 1, scenario="ssp126").values[0] == np.float32(300.1234567 - 273.15)


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
@pytest.mark.parametrize(("signed", "unsigned"), [(np.int8, np.uint8), (np.int16, np.uint16)])
def test_codes_of_unsigned_values_are_known_by_their_signed_form(load, loading, tmp_path, engine, signed, unsigned):
    largest = np.iinfo(unsigned).max
    packed = (np.arange(60).reshape(5, 3, 4) * (largest // 64)).astype(unsigned)
    packed[2, 0, 0], packed[3, 0, 0] = largest, largest - 1
    attrs = {
        "standard_name": "precipitation_amount",
        "_Unsigned": "true",
        "scale_factor": 0.01,
        "missing_value": np.array(-2, signed),
    }
    path = write_netcdf(
        tmp_path / "a.nc",
        packed.view(signed),
        name="pr",
        units="mm",
        attrs=attrs,
        engine=engine,
        encoding={"_FillValue": signed(-1)},
    )
    (report,) = load(path)
    values = series_at(loading, 0, 0, "pr").values[:5]
    assert np.isnan(values[[2, 3]]).all()
    np.testing.assert_array_equal(values[[0, 1, 4]], (packed[[0, 1, 4], 0, 0] * 0.01).astype(np.float32))
    assert (report.values_missing, report.values_refused) == (2, 0)
    np.testing.assert_array_equal(
        series_at(loading, 2, 3, "pr").values[:5], (packed[:, 2, 3] * 0.01).astype(np.float32)
    )


def test_a_negative_zero_is_stored_as_zero_and_rounding_beyond_the_range_as_its_edge(load, loading, tmp_path):
    share = np.full((2, 3, 4), np.float32(1.0000001))
    share[1] = -0.0
    load(write_netcdf(tmp_path / "a.nc", share, name="hurs", units="1", attrs={"standard_name": "relative_humidity"}))
    values = series_at(loading, 0, 0, "hurs").values[:2]
    assert values.tobytes() == np.array([100, 0], dtype=np.float32).tobytes()


def test_infinite_and_implausible_values_are_missing_and_counted_with_an_example(load, loading, tmp_path):
    days = some_days(100)
    days[3, 1, 1], days[4, 1, 1] = np.inf, 99.0
    (report,) = load(write_netcdf(tmp_path / "a.nc", days))
    assert np.isnan(series_at(loading, 1, 1).values[[3, 4]]).all()
    assert {group.reason: group.count for group in report.refused} == {"infinite": 1, "implausible": 1}
    (example,) = report.refused[1].examples
    assert example == "a.nc, 2021-01-05, 35.01 °N 127.01 °E: 99; allowed: -60 to 60 °C"


def test_rows_from_north_to_south_and_longitudes_to_360_and_other_orders_are_understood(load, loading, tmp_path):
    days = some_days()
    made = write_netcdf(tmp_path / "a.nc", days[:, ::-1], latitudes=LATITUDES[::-1], longitudes=LONGITUDES - 360)
    load(made)
    np.testing.assert_array_equal(series_at(loading, 2, 1).values[:5], days[:, 2, 1])
    import xarray as xr

    with xr.open_dataset(made, decode_times=False) as dataset:
        dataset.transpose("lat", "lon", "time").expand_dims(height=[2.0], axis=0).to_netcdf(
            tmp_path / "b.nc", engine="h5netcdf"
        )
    (report,) = load(tmp_path / "b.nc")
    assert (report.series_inserted, report.series_unchanged) == (0, 12)


def test_a_classic_file_is_read_too(load, loading, tmp_path):
    days = some_days()
    load(write_netcdf(tmp_path / "a.nc", days, engine="scipy"))
    np.testing.assert_array_equal(series_at(loading, 0, 3).values[:5], days[:, 0, 3])


def test_a_curvilinear_grid_gives_each_cell_the_nearest_of_its_points(load, loading, tmp_path):
    # A grid that is turned by 10 degrees, as a projected one is.
    angle = np.radians(10)
    across, up = np.meshgrid(np.arange(30) * 0.01, np.arange(20) * 0.01)
    latitudes = 35.0 + up * np.cos(angle) + across * np.sin(angle)
    longitudes = 127.0 + across * np.cos(angle) - up * np.sin(angle)
    latitudes[0, 0] = longitudes[0, 0] = np.nan
    days = some_days(2, 20, 30)
    (report,) = load(write_netcdf(tmp_path / "a.nc", days, latitudes=latitudes, longitudes=longitudes))
    assert report.points <= 599
    for row, column in ((0, 5), (7, 11), (19, 29)):
        cell = grid_id_of(latitudes[row, column], longitudes[row, column])
        north, east = (round(x, 2) for x in (latitudes[row, column], longitudes[row, column]))
        apart = np.hypot(latitudes - north, (longitudes - east) * np.cos(np.radians(35)))
        nearest = np.unravel_index(np.nanargmin(apart), apart.shape)
        (one,) = read_series(loading, ["tasmax"], [cell], ["ssp585"])
        np.testing.assert_array_equal(one.values[:2], days[(slice(None), *nearest)])
    assert report.farthest_km <= report.reach_km


def test_a_point_of_a_coarser_grid_serves_all_cells_around_it(load, loading, tmp_path):
    days = some_days(4, 2, 2)
    (report,) = load(write_netcdf(tmp_path / "a.nc", days, latitudes=[35.0, 35.1], longitudes=[127.0, 127.1]))
    assert report.points == 4
    assert report.cells > 4 * 90
    for cell, point in ((grid_id_of(35.03, 127.04), (0, 0)), (grid_id_of(35.06, 127.04), (1, 0))):
        (one,) = read_series(loading, ["tasmax"], [cell], ["ssp585"])
        np.testing.assert_array_equal(one.values[:4], days[(slice(None), *point)])


def test_of_a_finer_grid_each_cell_takes_the_nearest_point(load, loading, tmp_path):
    latitudes, longitudes = 35.0 + np.arange(21) * 0.001, 127.0 + np.arange(31) * 0.001
    days = some_days(2, 21, 31)
    (report,) = load(write_netcdf(tmp_path / "a.nc", days, latitudes=latitudes, longitudes=longitudes))
    assert (report.cells, report.points) == (12, 12)
    (one,) = read_series(loading, ["tasmax"], [grid_id_of(35.01, 127.02)], ["ssp585"])
    np.testing.assert_array_equal(one.values[:2], days[:, 10, 20])


def test_a_cell_farther_than_allowed_gets_nothing_and_what_lies_outside_is_counted(load, loading, tmp_path):
    path = write_netcdf(tmp_path / "a.nc", some_days(2, 2, 2), latitudes=[32.0, 33.0], longitudes=[124.5, 125.5])
    (report,) = load(path, max_distance_km=2)
    assert report.points == 2
    assert report.points_outside == 2
    assert report.cells == 5 + 8  # around the corner of the frame, and around a place on its edge
    assert report.farthest_km < 2


def test_a_point_without_any_value_writes_no_cell(load, loading, tmp_path):
    days = some_days()
    days[:, 0, 0] = np.nan
    (report,) = load(write_netcdf(tmp_path / "a.nc", days, attrs={"missing_value": np.float32(1e20)}))
    assert series_at(loading, 0, 0) is None
    assert (report.cells, report.cells_without_data, report.series_inserted) == (12, 1, 11)


def test_yearly_files_are_one_load_and_gaps_are_missing(load, loading, tmp_path):
    first, last = some_days(365, seed=1), some_days(365, seed=2)
    write_netcdf(tmp_path / "b_2021.nc", first)
    write_netcdf(tmp_path / "a_2023.nc", last, first="2023-01-01")
    (report,) = load(tmp_path)
    one = series_at(loading, 1, 2)
    assert (one.first_year, one.values.size) == (2021, 3 * 365)
    np.testing.assert_array_equal(one.values[:365], first[:, 1, 2])
    assert np.isnan(one.values[365:730]).all()
    np.testing.assert_array_equal(one.values[730:], last[:, 1, 2])
    assert (len(report.files), report.steps_absent, report.steps) == (2, 365, 730)
    assert any("365 days" in warning for warning in report.warnings)
    assert loading.execute("SELECT count(*) FROM dataset").fetchone() == (1,)


def test_a_calendar_without_leap_days_leaves_29_february_missing(load, loading, tmp_path):
    days = some_days(365)
    (report,) = load(write_netcdf(tmp_path / "a.nc", days, first="2020-01-01", calendar="noleap"))
    values = series_at(loading, 0, 1).values
    assert values.size == 366
    assert np.isnan(values[59])
    np.testing.assert_array_equal(np.delete(values, 59), days[:, 0, 1])
    assert (report.leap_days_absent, report.steps_absent) == (1, 0)
    assert any("29 February" in warning for warning in report.warnings)


def test_monthly_means_of_a_360_day_calendar_are_months_and_the_middle_of_bounds_says_which(load, loading, tmp_path):
    days = some_days(12)
    edges = days_since("2021-01-01", 13, "360_day")[0] - 0.5 + np.arange(13) * 30
    path = write_netcdf(
        tmp_path / "a.nc",
        days,
        times=edges[1:],  # labelled at the end: the first of the next month
        bounds=np.stack([edges[:-1], edges[1:]], axis=1),
        calendar="360_day",
    )
    (report,) = load(path)
    assert (report.variable, report.cadence) == ("tasmax_month", "monthly")
    one = series_at(loading, 1, 1, "tasmax_month")
    assert one.first_year == 2021
    np.testing.assert_array_equal(one.values, days[:, 1, 1])


@pytest.mark.parametrize(
    "written",
    [
        " 00:00:00 +09:00",
        " 00:00 +0900",
        "T00:00:00+09:00",
        " +09",
        "+09:00",
        " 00:00:00 +9",
        " 0:0:0.0 -9:30",
        " 00:00:00 UTC+09:00",
        " 00:00:00 UTC",
        "T00:00:00Z",
        "T00Z",
        " 00:00:00",
    ],
)
def test_the_days_of_times_with_an_offset_from_utc_are_those_of_their_clock(load, loading, tmp_path, written):
    days, months = some_days(3), some_days(3, seed=2)
    for name, values, times in (("a.nc", days, [0, 1, 2]), ("b.nc", months, [0, 31, 59])):
        made = dataset(values, times=times)
        made["time"].attrs["units"] = f"days since 2021-01-01{written}"
        made.to_netcdf(tmp_path / name, engine="h5netcdf")
        load(tmp_path / name)
    for variable, values in (("tasmax", days), ("tasmax_month", months)):
        one = series_at(loading, 1, 1, variable)
        assert one.first_year == 2021
        np.testing.assert_array_equal(one.values[:3], values[:, 1, 1])


def test_a_calendar_of_its_own_may_have_an_offset_from_utc_and_hours_without_minutes_count(load, loading, tmp_path):
    days = some_days(3)
    made = dataset(days, times=[0, 24, 48], calendar="noleap")
    made["time"].attrs["units"] = "hours since 2020-02-27 12 +09:00"
    made.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    load(tmp_path / "a.nc")
    values = series_at(loading, 0, 1).values[57:61]
    np.testing.assert_array_equal(values[[0, 1, 3]], days[:, 0, 1])


def test_a_monthly_flux_becomes_the_sum_of_a_month_as_long_as_its_calendar_says(load, loading, tmp_path):
    middles = np.array([15.5, 45.0, 74.5])
    path = write_netcdf(
        tmp_path / "a.nc",
        np.full((3, 3, 4), 1 / 86_400),
        times=days_since("2021-01-01", 1)[0] - 0.5 + middles,
        name="pr",
        units="kg m-2 s-1",
        attrs={"standard_name": None},
    )
    load(path)
    np.testing.assert_allclose(series_at(loading, 1, 1, "pr_month").values[:3], [31, 28, 31], rtol=1e-6)


def test_files_of_one_day_each_are_daily_together(load, loading, tmp_path):
    days = some_days(4)
    for day in range(4):
        write_netcdf(tmp_path / f"{day}.nc", days[day : day + 1], first=f"2021-03-0{day + 1}")
    (report,) = load(str(tmp_path / "*.nc"))
    assert (report.cadence, len(report.files)) == ("daily", 4)
    np.testing.assert_array_equal(series_at(loading, 2, 2).values[59:63], days[:, 2, 2])


def test_names_of_the_korea_meteorological_administration_say_variable_and_scenario(load, loading, tmp_path):
    for name in ("AR6_SSP245_5ENSMN_skorea_TAMAX_gridraw_daily_2021.nc", "MKPRISM_TAMIN_gridraw_daily_2021.nc"):
        write_netcdf(tmp_path / name, some_days(365), name="data", attrs={"standard_name": None})
    reports = load(tmp_path, scenario=None)
    assert [(one.variable, one.scenario) for one in reports] == [("tasmax", "ssp245"), ("tasmin", "historical")]


def test_the_same_load_again_says_so_and_writes_nothing(load, loading, tmp_path):
    path = write_netcdf(tmp_path / "a.nc", some_days())
    load(path)
    rows = loading.execute("SELECT xmin::text, * FROM climate_data ORDER BY grid_id").fetchall()
    (report,) = load(path)
    assert report.already_loaded
    assert any("already loaded" in line for line in report.lines())
    assert not any("series:" in line for line in report.lines())
    assert loading.execute("SELECT xmin::text, * FROM climate_data ORDER BY grid_id").fetchall() == rows
    assert loading.execute("SELECT count(*) FROM dataset").fetchone() == (1,)
    (again,) = load(path, max_distance_km=0.5)
    assert not again.already_loaded


def test_a_finished_load_is_loaded_anew_when_that_is_asked_for(load, loading, tmp_path):
    right, wrong = (write_netcdf(tmp_path / f"{n}.nc", np.full((365, 3, 4), n, np.float32)) for n in (1, 2))
    load(right)
    load(wrong)
    (report,) = load(right)
    assert report.already_loaded
    assert any("--again" in line for line in report.lines())
    assert series_at(loading, 1, 1).values[0] == 2
    (report,) = load(right, again=True)
    assert (report.already_loaded, report.series_updated, report.blocks, report.blocks_before) == (False, 12, 1, 0)
    assert report.next_command == "aiops run indicators"
    assert series_at(loading, 1, 1).values[0] == 1
    loading.execute("DELETE FROM climate_data")
    (report,) = load(right, again=True)
    assert (report.series_inserted, series_at(loading, 1, 1).values[0]) == (12, 1)
    assert load(right)[0].already_loaded
    assert loading.execute("SELECT count(*) FROM dataset").fetchone() == (2,)


def test_a_reader_that_gives_other_values_loads_the_same_files_anew(load, tmp_path, monkeypatch):
    path = write_netcdf(tmp_path / "a.nc", some_days())
    load(path)
    assert load(path)[0].already_loaded
    monkeypatch.setattr(grid_load, "READER_VERSION", "next")
    (report,) = load(path)
    assert (report.already_loaded, report.series_unchanged) == (False, 12)


def test_what_other_files_brought_before_stays(load, loading, tmp_path):
    cell = grid_id_of(LATITUDES[0], LONGITUDES[0])
    with loading.transaction():
        write_series(loading, [Series("tasmax", "ssp585", cell, 2020, np.full(366, 7, np.float32))], 1)
    days = some_days(365)
    (report,) = load(write_netcdf(tmp_path / "a.nc", days))
    one = series_at(loading, 0, 0)
    assert (one.first_year, one.values.size) == (2020, 731)
    np.testing.assert_array_equal(one.values[366:], days[:, 0, 0])
    assert (report.series_inserted, report.series_updated) == (11, 1)


def with_methods(path, methods, name="tas", n=365, **given):
    return write_netcdf(path, some_days(n), name=name, attrs={"cell_methods": methods}, **given)


def test_a_files_name_settles_what_field_and_cell_methods_disagree_on(load, tmp_path):
    names = "tasmax_day_M_ssp585_r1_gn_20210101-20211231.nc", "tas_day_M_ssp126_r1_gn_20210101-20211231.nc"
    (highest,) = load(with_methods(tmp_path / names[0], "area: mean time: maximum"))
    assert (highest.variable, highest.warnings) == ("tasmax", ())
    (mean,) = load(with_methods(tmp_path / names[1], "time: maximum"), scenario=None)
    assert mean.variable == "tas"
    assert mean.warnings == (f"{names[1]}: the name says tas, its cell_methods 'time: maximum' say tasmax",)


@pytest.mark.parametrize(
    ("field", "methods", "warnings"),
    [
        ("tas", "time: maximum", []),
        ("tasmax", "time: maximum", []),
        ("data", "time: maximum", []),
        ("tasmin", "time: minimum", ["its variable tasmin says tasmin", "its cell_methods 'time: minimum' say tasmin"]),
        ("tasmax", "time: minimum", ["its cell_methods 'time: minimum' say tasmin"]),
    ],
)
def test_what_is_asked_for_wins_and_what_the_files_say_against_it_is_named(load, tmp_path, field, methods, warnings):
    with_methods(tmp_path / "2021.nc", methods, name=field)
    with_methods(tmp_path / "2022.nc", methods, name=field, first="2022-01-01")
    (report,) = load(tmp_path, variable="tasmax")
    assert report.variable == "tasmax"
    assert list(report.warnings) == [
        f"2021.nc and 1 more files: --variable says tasmax, {warning}" for warning in warnings
    ]


MIDDLES = days_since("2021-01-01", 1)[0] - 0.5 + np.array([15.5, 45.0, 74.5])


def test_months_of_rain_are_what_is_asked_for_where_units_and_cell_methods_disagree(load, loading, tmp_path):
    attrs = {"standard_name": "precipitation_amount", "cell_methods": "time: mean"}
    path = write_netcdf(tmp_path / "a.nc", np.full((3, 3, 4), 120.0), times=MIDDLES, name="pr", units="mm", attrs=attrs)
    (report,) = load(path, variable="pr_month")
    np.testing.assert_array_equal(series_at(loading, 1, 1, "pr_month").values[:3], [120, 120, 120])
    (warning,) = report.warnings
    assert warning.startswith("a.nc: units 'mm' with cell_methods 'time: mean': the mean of shorter sums")
    assert warning.endswith("; the units count: mm taken as mm")
    # A mean of a rate is one, and so is a sum of amounts.
    for units, methods in (("mm/day", "area: time: mean"), ("mm", "time: mean within days time: sum over days")):
        attrs["cell_methods"] = methods
        path = write_netcdf(
            tmp_path / "b.nc", np.full((3, 3, 4), 4.0), times=MIDDLES, name="pr", units=units, attrs=attrs
        )
        assert load(path, scenario="ssp126")[0].warnings == ()


def test_a_months_maximum_of_days_maxima_is_told_from_their_mean(load, tmp_path):
    (mean,) = load(with_methods(tmp_path / "a.nc", "time: mean", "tasmax", n=3, times=MIDDLES))
    assert (mean.variable, mean.warnings) == ("tasmax_month", ())
    (highest,) = load(with_methods(tmp_path / "b.nc", "time: maximum", "tasmax", n=3, times=MIDDLES))
    (warning,) = highest.warnings
    assert warning.startswith("b.nc: its cell_methods say 'time: maximum'; taken for the mean of the days' values")
