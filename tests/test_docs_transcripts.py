"""Every command block of README, README.ko and the tutorial works, in order; both READMEs say the same."""

from __future__ import annotations

import asyncio
import gzip
import re
import shlex
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pytest
from climate import write_climate
from gridded import write_netcdf
from transcripts import RUN, Reader, blocks, clear_environment, commands, statements

from aiops.grid import grid_id_of

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "README.ko.md", ROOT / "docs" / "tutorial.md")


@pytest.fixture
def reader(connection, database, capsys, monkeypatch, tmp_path):
    connection.commit()
    clear_environment(monkeypatch, tmp_path, ROOT, database)
    reader = Reader(database, capsys, tmp_path)
    yield reader
    reader.close()


PLACES = ((37.5665, 126.9780), (35.8714, 128.6014), (35.1796, 129.0756))
"""That the READMEs ask about."""


@pytest.fixture
def files_of_the_reader(connection, reader):
    """What somebody has who opens the README: a folder of grids, station data; and indicators of some cities."""
    years = {"historical": (1991, 30), "ssp245": (2021, 80), "ssp585": (2021, 80)}
    write_climate(connection, [grid_id_of(*place) for place in PLACES], periods=years)
    folder = reader.folder / "kma"
    folder.mkdir()
    days = 20 + 10 * np.random.default_rng(1).random((365, 3, 4), dtype=np.float32)
    write_netcdf(folder / "AR6_SSP585_5ENSMN_skorea_TAMAX_gridraw_daily_2021.nc", days)
    (reader.folder / "asos_stations.csv").write_text("station_id,name,latitude,longitude\n146,Jeonju,35.841,127.117\n")
    rows = ["stnId,tm,avgTa,minTa,maxTa,sumRn,avgWs,minRhm,avgRhm,sumSsHr"]
    dates = np.arange("2001-01-01", "2003-01-01", dtype="datetime64[D]")
    rows += [f"146,{day},{20 - n % 30},{15 - n % 30},{26 - n % 30},,2.3,34,51.9,8.4" for n, day in enumerate(dates)]
    with gzip.open(reader.folder / "asos_daily.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join([*rows, ""]))


@pytest.mark.daemon
@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_a_readme(name, reader, files_of_the_reader):
    reader.follow(ROOT / name)
    assert "<html" in (reader.folder / "seoul.html").read_text(encoding="utf-8")


@pytest.mark.daemon
def test_how_to_ask_and_how_to_schedule(reader, files_of_the_reader):
    pytest.importorskip("fastapi")
    reader.run(["aiops", "worker"])
    reader.run(["aiops", "run", "assessment"])
    for name in ("request-from-sql.md", "request-from-python.md", "schedule.md"):
        reader.follow(ROOT / "docs" / "howto" / name)
    asyncio.run(ask_the_application(reader))


async def ask_the_application(reader):
    """The application of the page, whose routes are only defined when its block is run, does what it says."""
    page = (ROOT / "docs" / "howto" / "request-from-python.md").read_text(encoding="utf-8")
    (text,) = [block.text for block in blocks(page) if "FastAPI()" in block.text]
    application = {}
    exec(compile(text, "request-from-python.md", "exec"), application)
    transport = httpx.ASGITransport(app=application["api"])
    async with httpx.AsyncClient(transport=transport, base_url="http://application") as client:
        latitude, longitude = PLACES[0]
        asked = await client.post("/risk", params={"latitude": latitude, "longitude": longitude})
        assert asked.status_code == 202, asked.text
        await asyncio.to_thread(reader.wait_for_the_daemon)
        found = await client.get(f"/risk/{asked.json()['batch_id']}")
        assert (found.status_code, found.json()["status"], found.json()["progress"]) == (200, "completed", 100)
        assert found.json()["results"]["integrated_risk"]["risk_breakdown"]
        unknown = await client.get(f"/risk/{uuid4()}")
        assert (unknown.status_code, unknown.json()) == (404, {"detail": "there is no such request"})
        for params, field in (({"scenario": "rcp85"}, "scenario"), ({"latitude": 12}, "latitude")):
            asked = await client.post("/risk", params={"latitude": latitude, "longitude": longitude, **params})
            assert (asked.status_code, field in asked.json()["detail"]) == (422, True), asked.text


# --- the two languages ------------------------------------------------------------------------------------------


def _without_comments(block):
    if block.language == "console":
        return [shlex.join(words) for words in commands(block)]
    if block.language == "sql":
        return [" ".join(statement.split()) for statement in statements(block.text)]
    return block.text if block.language == "python" else None


def test_both_readmes_have_the_same_commands_headings_and_links():
    english, korean = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md"))
    of_english, of_korean = ([_without_comments(block) for block in blocks(text)] for text in (english, korean))
    assert of_english == of_korean
    assert [block.reason is None for block in blocks(english)] == [block.reason is None for block in blocks(korean)]
    levels, targets = r"^(#+) ", r"\]\(((?!README)[^)]+)\)"
    for pattern in (levels, targets, r"^\|"):
        counts = [sorted(re.findall(pattern, text, flags=re.MULTILINE)) for text in (english, korean)]
        assert counts[0] == counts[1]


# --- the tutorial -----------------------------------------------------------------------------------------------


@pytest.mark.daemon
def test_the_tutorial(reader):
    reader.follow(ROOT / "docs" / "tutorial.md")
    for page in ("daegu.html", "batch.html"):
        assert "<html" in (reader.folder / page).read_text(encoding="utf-8")


# --- what the test leaves out -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_block_that_is_not_run_says_why(page):
    text = page.read_text(encoding="utf-8")
    left_out = [block for block in blocks(text) if block.reason is not None]
    assert text.count("<!-- not run") == len(left_out), "a note stands directly before its block"
    for block in left_out:
        assert len(block.reason.split()) >= 3, f"{page.name}, line {block.line}: no reason"
    run = [block for block in blocks(text) if block.language in RUN and block.reason is None]
    assert len(run) > len(left_out)


def test_every_command_block_has_a_language():
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8")):
            assert block.language in {*RUN, "text", "mermaid"}, f"{page.name}, line {block.line}"


# --- the rules themselves ---------------------------------------------------------------------------------------


def test_statements_are_split_outside_quotes_and_comments():
    text = "SELECT ';' AS a; -- not; here\nSELECT 2 - 1;\n\nSELECT 'it''s;'"
    assert statements(text) == ["SELECT ';' AS a", "SELECT 2 - 1", "SELECT 'it''s;'"]


def test_blocks_know_their_line_and_their_reason():
    text = "a\n\n<!-- not run: it is a reason -->\n```console\n$ aiops x   # why\nsaid\n```\n\n```sql\nSELECT 1;\n```\n"
    first, second = blocks(text)
    assert (first.line, first.reason, commands(first)) == (4, "it is a reason", [["aiops", "x"]])
    assert (second.line, second.reason, second.language) == (9, None, "sql")
