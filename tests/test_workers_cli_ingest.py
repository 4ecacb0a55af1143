"""`aiops ingest`, as people and scripts see it."""

from __future__ import annotations

import json

import pytest

FILES = {
    "attributes": "grid_id,elevation_m\n5,12\n",
    "gauges": "gauge_id,latitude,longitude,datum_offset_m,year,level_m\na,37.4,126.6,-4.6,2001,9.6\n",
    "sea-level": "gauge_id,scenario,year,rise_m\na,ssp245,2050,0.3\n",
    "water": "basin_id,mean_flow_million_m3\nhan,18000\n",
    "warming": "scenario,year,warming_k\nssp585,2050,1.5\n",
    "tracks": (
        "66666 1501  001 0001 1501 0 6             MEKKHALA              20150217\n"
        "15011318 002 3 092 1407 1002     035     00000 0000 80210 0150\n"
    ),
}


@pytest.mark.parametrize("command", FILES)
def test_each_kind_of_input_has_a_command_with_help_that_shows_an_example_and_the_columns(aiops, command, tmp_path):
    code, text, _ = aiops("ingest", command, "--help")
    assert (code, f"aiops ingest {command}" in text) == (0, True)
    assert "Columns:" in text or command == "tracks"


@pytest.mark.parametrize("command", FILES)
def test_each_kind_of_input_is_loaded_and_reported(aiops, command, tmp_path):
    path = tmp_path / "input"
    path.write_text(FILES[command], encoding="ascii")
    code, text, _ = aiops("ingest", command, str(path), "--json")
    report = json.loads(text)
    assert (code, report["kind"], report["rows_read"]) == (0, command, 1)
    assert sum(table["inserted"] for table in report["tables"].values()) >= 1
    code, text, _ = aiops("ingest", command, str(path))
    assert (code, text.splitlines()[0].startswith(f"{path}: 1 of 1 rows used")) == (0, True)
    assert "1 as they were" in text


@pytest.mark.parametrize("command", FILES)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(aiops, command, tmp_path):
    code, text, complaint = aiops("ingest", command, str(tmp_path / "none.csv"))
    assert (code, text) == (2, "")
    assert "none.csv" in complaint
    assert complaint.count("\n") == 1


def test_korean_warming_is_loaded_as_such(aiops, connection, tmp_path):
    path = tmp_path / "korea.csv"
    path.write_text(FILES["warming"], encoding="ascii")
    assert aiops("ingest", "warming", str(path), "--regional")[0] == 0
    assert connection.execute("SELECT regional FROM warming_level").fetchall() == [(True,)]
