"""Input tables: what can be used of a CSV file, and what is said of the rest."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops.db.inputs import Basin, Gauge, GaugeMaximum, SeaLevelRise, Warming, WaterUse
from aiops.errors import AiopsError, FileRefused
from aiops.grid import grid_id_of
from aiops.ingest.attributes import read_attributes
from aiops.ingest.basins import read_water
from aiops.ingest.sea import read_gauges, read_sea_level
from aiops.ingest.warming import read_warming

SEOUL = grid_id_of(37.57, 126.97)


@pytest.fixture
def write(tmp_path):
    def write(*lines):
        path = tmp_path / "input.csv"
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return path

    return write


def refused(inputs):
    return [
        (group.what, group.field, group.reason, [str(one) for one in group.examples])
        for group in inputs.facts.refusals.groups()
    ]


# --- attributes ---------------------------------------------------------------------------------------------


def test_attributes_are_of_a_cell_by_its_number_or_by_a_place_in_it(write):
    inputs = read_attributes(
        write(
            "grid_id,lat,lon,elevation_m,impervious_ratio,basin_id,name_ko",
            f"{SEOUL},37.57,126.97,38.5,0.8,han,서울",
            ",35.18,129.08,2,,,부산",
        )
    )
    assert inputs.cells == (
        {"grid_id": SEOUL, "elevation_m": 38.5, "impervious_ratio": 0.8, "basin_id": "han", "name_ko": "서울"},
        {
            "grid_id": grid_id_of(35.18, 129.08),
            "elevation_m": 2,
            "impervious_ratio": None,
            "basin_id": None,
            "name_ko": "부산",
        },
    )
    assert refused(inputs) == []


def test_an_attribute_that_cannot_be_is_left_out_and_the_others_used(write):
    inputs = read_attributes(write("grid_id,elevation_m,impervious_ratio", f"{SEOUL},high,80", "5,3,0.5"))
    assert inputs.cells == ({"grid_id": 5, "elevation_m": 3, "impervious_ratio": 0.5},)
    assert (
        "value",
        "elevation_m",
        "not a number",
        ["line 2: elevation_m: 'high'; allowed: -20 to 3000 m"],
    ) in refused(inputs)
    assert (
        "value",
        "impervious_ratio",
        "implausible",
        ["line 2: impervious_ratio: '80'; allowed: 0 to 1 (per cent?)"],
    ) in refused(inputs)
    assert (
        "row",
        "row",
        "no value in any column",
        [f"line 2: row: '{SEOUL}'; allowed: at least one value"],
    ) in refused(inputs)


@pytest.mark.parametrize("column", ["elevation_m", "river_elevation_m", "crest_m"])
@pytest.mark.parametrize("code", ["-99", "-99.9", "-99.99", "-999", " -9999 ", "1e20"])
def test_a_code_for_missing_is_no_height(write, column, code):
    inputs = read_attributes(write(f"grid_id,{column},slope", f"5,{code},2", "6,-20,2", "7,-20.1,2"))
    heights = [cell[column] for cell in inputs.cells]
    assert heights == [None, -20, None]
    ((_, field, reason, examples),) = refused(inputs)
    assert (field, reason) == (column, "implausible")
    assert [example.split("; ")[1] for example in examples] == [
        "allowed: -20 to 3000 m (a code for missing? leave the field empty)",
        "allowed: -20 to 3000 m",
    ]


def test_a_row_without_a_place_or_with_two_is_refused(write):
    inputs = read_attributes(
        write(
            "grid_id,latitude,longitude,slope",
            ",37.57,,1",
            "0,,,1",
            f"{SEOUL + 1},37.57,126.97,1",
            ",50,126.97,1",
            f"{SEOUL},,,2",
        )
    )
    assert [cell["grid_id"] for cell in inputs.cells] == [SEOUL]
    assert [entry[:3] for entry in refused(inputs) if entry[0] == "row"] == [
        ("row", "grid_id", "no place"),
        ("row", "grid_id", "not the cell of the coordinates"),
    ]


def test_a_cell_that_stands_twice_is_used_once_and_not_at_all_when_the_rows_contradict_each_other(write):
    inputs = read_attributes(write("grid_id,slope", "1,2", "1,2", "2,3", "2,4", "3,5"))
    assert [cell["grid_id"] for cell in inputs.cells] == [1, 3]
    assert [(what, reason, len(examples)) for what, _, reason, examples in refused(inputs)] == [
        ("row", "different values for the same key", 2),
        ("row", "the same row again", 1),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("grid_id,height", "1,2"), "has no column with an attribute; allowed: elevation_m slope .* name_ko"),
        (("latitude,slope", "35,1"), "column grid_id is missing, and latitude with longitude; allowed: either"),
        (("grid_id,slope", "1,91"), "none of 1 rows can be used; line 2: row: '1'"),
        (("grid_id,slope",), "has no rows below the header"),
    ],
)
def test_a_file_without_attributes_is_refused(write, lines, message):
    with pytest.raises(FileRefused, match=message):
        read_attributes(write(*lines))


# --- the sea ------------------------------------------------------------------------------------------------


def test_gauges_stand_on_the_rows_of_their_maxima(write):
    inputs = read_gauges(
        write(
            "gauge_id,name,latitude,longitude,datum_offset_m,year,level_m",
            "DT_0001,인천,37.452,126.592,-4.635,2001,9.62",
            "DT_0001,,37.452,126.592,-4.635,2002,9.55",
            "DT_0005,부산,35.096,129.035,,2001,1.45",
        )
    )
    assert inputs.gauges == (
        Gauge("DT_0001", "인천", 37.452, 126.592, -4.635),
        Gauge("DT_0005", "부산", 35.096, 129.035, 0.0),
    )
    assert inputs.maxima == (
        GaugeMaximum("DT_0001", 2001, 9.62),
        GaugeMaximum("DT_0001", 2002, 9.55),
        GaugeMaximum("DT_0005", 2001, 1.45),
    )
    assert (inputs.years, inputs.notes) == ((2001, 2002), ())


def test_levels_in_centimetres_and_a_gauge_in_two_places_are_refused(write):
    inputs = read_gauges(
        write(
            "gauge_id,latitude,longitude,year,level_m",
            "a,37.4,126.6,2001,9.6",
            "a,37.4,126.6,2002,962",
            "a,37.5,126.6,2003,9.6",
            "a,37.4,126.6,2001.5,9.6",
            "a,37.4,126.6,2004,",
        )
    )
    assert inputs.maxima == (GaugeMaximum("a", 2001, 9.6),)
    assert {example for _, _, _, examples in refused(inputs) for example in examples} == {
        "line 3: level_m: '962'; allowed: -20 to 20 m (cm?)",
        "line 4: latitude: '37.5'; allowed: 37.4, as on the first row of gauge a",
        "line 5: year: '2001.5'; allowed: a whole number, 1850 to 2300",
        "line 6: level_m: ''; allowed: -20 to 20 m",
    }
    assert "no column datum_offset_m" in inputs.notes[0]


def test_the_rise_between_decades_lies_on_a_straight_line_and_long_gaps_stay(write):
    inputs = read_sea_level(
        write(
            "gauge_id,scenario,year,rise_m",
            "a,SSP245,2030,0.1",
            "a,ssp2,2020,0.05",
            "a,ssp245,2050,0.25",
            "a,ssp585,2040,0.2",
        )
    )
    assert inputs.rise[:3] == (
        SeaLevelRise("a", "ssp245", 2020, 0.05),
        SeaLevelRise("a", "ssp245", 2021, pytest.approx(0.055)),
        SeaLevelRise("a", "ssp245", 2022, pytest.approx(0.06)),
    )
    assert [(one.scenario, one.year) for one in inputs.rise[10:]] == [
        ("ssp245", 2030),
        ("ssp245", 2050),
        ("ssp585", 2040),
    ]
    assert inputs.notes == ("9 values of years between given ones (at most 10 apart) lie on straight lines",)


def test_a_rise_in_centimetres_or_of_an_unknown_scenario_is_refused_by_name(write):
    inputs = read_sea_level(
        write("gauge_id,scenario,year,rise_m", "a,ssp245,2050,25", "a,rcp85,2050,0.2", "a,ssp245,2060,.3")
    )
    assert len(inputs.rise) == 1
    assert {example for _, _, _, examples in refused(inputs) for example in examples} == {
        "line 2: rise_m: '25'; allowed: -2 to 5 m (cm or mm?)",
        "line 3: scenario: 'rcp85'; allowed: historical ssp126 ssp245 ssp370 ssp585",
    }


# --- water and warming --------------------------------------------------------------------------------------


def test_flow_and_use_may_stand_in_one_file_or_in_two(write):
    both = read_water(
        write(
            "basin_id,name,mean_flow_million_m3,scenario,year,withdrawal_million_m3",
            "han,한강,18000,historical,2010,4000",
            "han,,18000,ssp245,2050,4500",
            "geum,금강,6000,,,",
        )
    )
    assert both.basins == (Basin("han", "한강", 18000), Basin("geum", "금강", 6000))
    assert both.uses == (WaterUse("han", "historical", 2010, 4000), WaterUse("han", "ssp245", 2050, 4500))
    flow = read_water(write("basin_id,mean_flow_million_m3", "han,18000"))
    assert (flow.basins, flow.uses) == ((Basin("han", None, 18000),), ())
    use = read_water(write("basin_id,scenario,year,withdrawal_million_m3", "han,historical,2010,0"))
    assert (use.basins, use.uses) == ((), (WaterUse("han", "historical", 2010, 0),))


def test_half_a_use_another_flow_and_cubic_metres_are_refused(write):
    inputs = read_water(
        write(
            "basin_id,mean_flow_million_m3,scenario,year,withdrawal_million_m3",
            "han,18000,historical,2010,4000",
            "han,17000,historical,2011,4000",
            "han,18000,historical,2012,",
            "geum,6e9,historical,2010,-1",
            "geum,,,,",
        )
    )
    assert inputs.uses == (WaterUse("han", "historical", 2010, 4000), WaterUse("han", "historical", 2011, 4000))
    assert {example for _, _, _, examples in refused(inputs) for example in examples} == {
        "line 3: mean_flow_million_m3: '17000.0'; allowed: 18000.0, as on the first row of han",
        "line 4: withdrawal_million_m3: ''; allowed: all of scenario, year, withdrawal_million_m3, or none",
        "line 6: row: 'geum'; allowed: a flow, or a scenario, year and withdrawal",
        "line 5: mean_flow_million_m3: '6e9'; allowed: 1e-06 to 1e+06 million m³ a year (m³ a year?)",
        "line 5: withdrawal_million_m3: '-1'; allowed: 0 to 1e+06 million m³ a year (m³ a year?)",
        "line 5: withdrawal_million_m3: ''; allowed: all of scenario, year, withdrawal_million_m3, or none",
    }
    with pytest.raises(FileRefused, match="column mean_flow_million_m3 is missing, and scenario, year and"):
        read_water(write("basin_id,scenario,year", "han,historical,2010"))


def test_warming_is_of_a_scenario_and_year(write):
    inputs = read_warming(
        write("scenario,year,warming_k", "historical,2014,0.2", "ssp585,2050,1.5", "ssp585,2060,14.5")
    )
    assert inputs.warming == (Warming("historical", 2014, 0.2), Warming("ssp585", 2050, 1.5))
    assert refused(inputs)[0][3] == ["line 4: warming_k: '14.5'; allowed: -3 to 12 K (a temperature, not a change?)"]
    with pytest.raises(FileRefused, match="column warming_k is missing; the file has: scenario, year"):
        read_warming(write("scenario,year", "ssp585,2050"))


READERS = {
    read_attributes: "grid_id,latitude,longitude,elevation_m,impervious_ratio,basin_id",
    read_gauges: "gauge_id,name,latitude,longitude,datum_offset_m,year,level_m",
    read_sea_level: "gauge_id,scenario,year,rise_m",
    read_water: "basin_id,mean_flow_million_m3,scenario,year,withdrawal_million_m3",
    read_warming: "scenario,year,warming_k",
}
FIELDS = st.one_of(
    st.sampled_from(
        ["", "1", "2050", "ssp245", "historical", "37.5", "126.9", "nan", "inf", "-9999", "1e400", "0x1", "1_0", "가"]
    ),
    st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=8),
)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_a_file_every_row_is_used_or_refused_by_name(read, data, tmp_path):
    header = READERS[read]
    width = header.count(",") + 1
    rows = data.draw(st.lists(st.lists(FIELDS, min_size=width, max_size=width), max_size=6))
    path = tmp_path / "fuzz.csv"
    quoted = [",".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows]
    path.write_text("\n".join([header, *quoted, ""]), encoding="utf-8", newline="")
    message = None
    try:
        inputs = read(path)
    except AiopsError as error:
        message = str(error)
    if message is not None:
        assert message.startswith(str(path))
        assert "\n" not in message
        return
    refusals = inputs.facts.refusals
    assert refusals.rows_refused <= refusals.rows_read == len(rows)
    assert [*inputs.cells, *inputs.maxima, *inputs.rise, *inputs.basins, *inputs.uses, *inputs.warming]
