"""`aiops ingest buildings` and `aiops ingest population`, as people and scripts see them."""

from __future__ import annotations

import json

import pytest

FILES = {
    "buildings": "building_id,latitude,longitude,structure,use\na,37.4,126.6,벽돌구조,공장\n",
    "population": "admin_code,name_ko,population,population_year\n11140,중구,121314,2023\n",
}


@pytest.mark.parametrize("command", FILES)
def test_the_command_has_help_that_shows_an_example_and_the_columns(aiops, command):
    code, text, _ = aiops("ingest", command, "--help")
    assert (code, f"aiops ingest {command} {command}.csv" in text, "Columns:" in text) == (0, True, True)


@pytest.mark.parametrize("command", FILES)
def test_a_file_is_loaded_and_reported(aiops, command, tmp_path):
    path = tmp_path / "input.csv"
    path.write_text(FILES[command], encoding="utf-8")
    code, text, _ = aiops("ingest", command, str(path), "--json")
    report = json.loads(text)
    assert (code, report["kind"], report["rows_read"], report["refused"]) == (0, command, 1, [])
    assert [table["inserted"] for table in report["tables"].values()] == [1]
    code, text, _ = aiops("ingest", command, str(path))
    assert (code, text.splitlines()[0].startswith(f"{path}: 1 of 1 rows used")) == (0, True)
    assert "0 new, 0 changed, 1 as they were" in text


def test_a_term_that_is_not_known_is_said_and_the_building_loaded(aiops, connection, tmp_path):
    path = tmp_path / "input.csv"
    path.write_text("building_id,latitude,longitude,use\na,37.4,126.6,성\n", encoding="utf-8")
    code, text, _ = aiops("ingest", "buildings", str(path))
    assert code == 0
    assert "refused: 1 × value, use: not known: 성" in text
    assert "line 2: use: '성'; allowed: office retail" in text
    assert connection.execute("SELECT building_id, use FROM api_buildings").fetchall() == [("a", None)]


@pytest.mark.parametrize("command", FILES)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(aiops, command, tmp_path):
    code, text, complaint = aiops("ingest", command, str(tmp_path / "none.csv"))
    assert (code, text) == (2, "")
    assert "none.csv" in complaint
    assert complaint.count("\n") == 1
