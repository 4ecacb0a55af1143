"""`aiops report`: pages of a place, a portfolio and a batch, as files and in a real browser."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pytest
from asking import AT_SEA, NINE, SEOUL, copied_database
from browser import look_at, needs_browser
from daemons import environment
from places import one_site

from aiops.assess.loss import BaseLoss, rates_of_use, scale_loss
from aiops.climate import PROJECTIONS
from aiops.db.batches import JOB_TYPES
from aiops.db.reports import Area, read_measure, read_speaking_run
from aiops.db.results import fetch_probability_results
from aiops.errors import BadInput
from aiops.ingest.load_sample import load_sample
from aiops.report.batch import batch_page
from aiops.report.charts import numbers_of
from aiops.report.decades import decades_chart
from aiops.report.exceedance import curve_of, exceedance_chart
from aiops.report.kinds import batch_named
from aiops.report.layers import Squares, aal_codes, hazard_codes, side_of
from aiops.report.numbers import interval, number, percent, seconds, signed, won
from aiops.report.page import render
from aiops.report.place import place_page
from aiops.report.place_parts import curves_of, scaled_bounds
from aiops.report.place_table import gaps_of, totals_of
from aiops.report.portfolio import portfolio_page
from aiops.risks import find_risk
from workers.cli.demo import CITIES
from workers.ondemand.base_loss import PartLoss
from workers.ondemand.rows import aal_row

pytestmark = pytest.mark.daemon

BUILD = Path(__file__).parent.parent / "build" / "screenshots"
ASKED = {"scenario": "ssp245", "target_year": 2050}
"""What the request asked for; the portfolio, which came later, speaks for the place in another decade."""
EVIL = "<script>alert('x')</script>"


@dataclass(frozen=True, slots=True)
class Made:
    """The sample of the whole country with a yearly batch, a request and a portfolio, all answered."""

    database: str
    batch_id: str
    portfolio_id: str


def aiops(database, *arguments, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", *map(str, arguments)],
        env=environment(database),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def made(migrated_server, server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    with copied_database(migrated_server, server, "reported") as database:
        with psycopg.connect(database) as connection:
            load_sample(connection)
        sites = folder / "sites.csv"
        with sites.open("w", encoding="utf-8", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["site_id", "latitude", "longitude", "asset_value", "use"])
            for number, where in enumerate(CITIES.values(), 1):
                rows.writerow([EVIL if number == 1 else f"공장 {number}", *where, number * 1e9, "factory"])
            rows.writerow(["ship", *AT_SEA, 1e9, "factory"])
        aiops(database, "run", "assessment")
        aiops(database, "request", *SEOUL, "--asset-value", "5e10", "--building", "floors=12")
        aiops(database, "portfolio", sites, "--scenario", "ssp585", "--year", "2090")
        with psycopg.connect(database) as connection:
            rows = connection.execute("SELECT job_type, batch_id::text FROM batch_jobs").fetchall()
            by_type = dict(rows)
        yield Made(database, by_type["assessment"], by_type["portfolio_risk_calculation"])


@pytest.fixture
def reading(made):
    with psycopg.connect(made.database, autocommit=True) as connection:
        yield connection


class Page(HTMLParser):
    """What a test wants to know of a page."""

    VOID = frozenset({"meta", "link", "input", "br", "path", "circle", "rect", "use"})

    def __init__(self, text):
        super().__init__()
        self.open, self.loaded, self.ids, self.captions, self.tables, self.texts = [], [], [], 0, 0, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids += [given["id"]] if "id" in given else []
        self.loaded += [value for name, value in attributes if name in ("src", "href", "srcset") and value]
        self.tables += tag == "table"
        self.captions += tag == "caption"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.loaded += [value for name, value in attributes if name in ("src", "href") and value]

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open, f"</{tag}> closes nothing"
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def test_the_page_of_a_place_says_what_the_answer_says(made, reading):
    page = Page(place_page(reading, *SEOUL, **ASKED))
    answer = reading.execute("SELECT results FROM batch_jobs WHERE job_type = 'ondemand_risk_calculation'").fetchone()[
        0
    ]
    whole = answer["integrated_risk"]
    for told in (
        "Seoul", "서울", "37.5665", f"{whole['total_risk_score']:.1f}", f"{whole['expected_loss']:,.0f}",
        answer["batch_id"], "calibrated", "Synthetic data", "합성 자료", "shrunk kernels", "1991-2020",
        *answer["warnings"],
    ):  # fmt: skip
        assert told in page.text, told
    for risk_type in NINE:
        one = answer["integrated_risk"]["risk_breakdown"][risk_type]
        loss = answer["aal"][risk_type]
        for value in (number(one["hazard_score_100"]), percent(loss["final_aal"]), signed(loss["aal_change"])):
            assert value in page.text, (risk_type, value)
        if loss["final_aal_low"] is not None:
            assert interval(loss["final_aal_low"], loss["final_aal_high"]) in page.text
    assert page.text.count("default") > 3
    assert page.captions == page.tables > 10


def test_totals_by_decade_are_those_of_the_answer(made, reading):
    (answer,) = reading.execute(
        "SELECT results FROM batch_jobs WHERE job_type = 'ondemand_risk_calculation'"
    ).fetchone()
    of_risks = reading.execute(
        "SELECT r.risk_score_by_projection, a.final_aal_by_projection, a.status_by_projection"
        " FROM risk_results_runs AS r JOIN aal_scaled_results_runs AS a USING (batch_id, site_no, risk_type)"
        " WHERE batch_id = %s",
        (answer["batch_id"],),
    ).fetchall()
    scores, losses = (np.array([[np.nan if x is None else x for x in row[k]] for row in of_risks]) for k in (0, 1))
    total_score, total_aal = totals_of(scores, losses, np.array([row[2] for row in of_risks]) == 4)
    at = {(one.scenario, one.horizon): number for number, one in enumerate(PROJECTIONS)}
    for row in answer["projection_table"]:
        here = at[row["scenario"], row["horizon"]]
        assert total_score[here] == pytest.approx(row["total_risk_score"], rel=1e-12)
        assert total_aal[here] == pytest.approx(row["total_aal"]["all"]["sum"], rel=1e-12)


def test_the_interval_by_decade_is_the_answers_own_where_the_answer_has_one(made, reading):
    run = read_speaking_run(reading, *SEOUL, *ASKED.values())
    for row in reading.execute(
        "SELECT risk_type, final_aal_low, final_aal_high, final_aal_by_projection FROM aal_scaled_results_runs"
        " WHERE batch_id = %s AND final_aal_low IS NOT NULL",
        (run["batch_id"],),
    ).fetchall():
        cell = {
            at: one
            for one in fetch_probability_results(reading, *SEOUL, [row[0]])
            for at, named in enumerate(PROJECTIONS)
            if (named.scenario, named.horizon) == (one["scenario"], one["horizon"])
        }
        low, high = scaled_bounds(cell, numbers_of(row[3], len(PROJECTIONS)))
        at = run["projection_id"] - 1
        assert (low[at], high[at]) == pytest.approx(row[1:3], rel=1e-9)


def test_of_several_runs_the_latest_is_shown_where_none_is_asked_for(made, reading):
    page = Page(place_page(reading, *SEOUL))
    assert made.portfolio_id in page.text
    assert EVIL in page.text.replace("&lt;", "<")  # the site's name, as text
    assert "SSP5-8.5" in page.text


def test_a_place_without_an_answer_is_one_line_that_says_what_does_it(made, tmp_path):
    said = aiops(made.database, "report", "place", 36, 128, "-o", tmp_path / "x.html", code=2)
    assert "aiops request 36 128 does it" in said
    assert said.count("\n") == 1
    said = aiops(
        made.database, "report", "place", *SEOUL, "--scenario", "ssp126", "--year", "2095", "-o", tmp_path / "x", code=2
    )
    assert "--scenario ssp126 --year 2090 does it" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["place", "39.5", "127"], "latitude: 39.5"),
        (["place", "x", "127"], "'x' is no number"),
        (["place", *map(str, SEOUL), "--scenario", "rcp85"], "ssp585"),
        (["place", *map(str, SEOUL), "--year", "1999"], "2020 to 2100"),
        (["place", *map(str, SEOUL), "--language", "fr"], "allowed: en, ko"),
        (["place", *map(str, SEOUL), "-o", "/nowhere/x.html"], "no place for a file"),
        (["batch", "00000000-0000-0000-0000-000000000000"], "there is none of that number"),
        (["portfolio", "00000000-0000-0000-0000-000000000000"], "there is none of that number"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(made, arguments, told):
    said = aiops(made.database, "report", *arguments, code=2)
    assert told in said
    assert said.count("\n") == 1


def test_batches_of_another_kind_are_sent_to_their_own_report(made, reading):
    with pytest.raises(BadInput, match=f"is a portfolio, .*; see aiops report portfolio {made.portfolio_id}"):
        batch_page(reading, made.portfolio_id)
    with pytest.raises(BadInput, match=f"is an assessment batch, .*; see aiops report batch {made.batch_id}"):
        portfolio_page(reading, made.batch_id)
    (asked,) = reading.execute(
        "SELECT batch_id FROM batch_jobs WHERE job_type = 'ondemand_risk_calculation'"
    ).fetchone()
    with pytest.raises(BadInput, match=r"is a request, .*; see aiops report place 37\.5665 126\.978"):
        batch_page(reading, asked)
    with reading.transaction(force_rollback=True):
        (other,) = reading.execute(
            "INSERT INTO batch_jobs (job_type, input_params) VALUES ('indicators', '{}') RETURNING batch_id"
        ).fetchone()
        with pytest.raises(BadInput, match=f"is an indicators batch, .*; see aiops logs {other}"):
            batch_page(reading, other)
    assert {batch_named(job_type).split()[0] for job_type in JOB_TYPES} == {"a", "an"}


def test_a_batch_of_p_h_alone_opens_on_its_losses(made, reading):
    checked = re.compile(r'value="(\w+)" checked')
    assert checked.findall(batch_page(reading, made.batch_id)) == ["hazard"]
    with reading.transaction(force_rollback=True):
        reading.execute("UPDATE batch_jobs SET job_type = 'probability' WHERE batch_id = %s", (made.batch_id,))
        assert checked.findall(batch_page(reading, made.batch_id)) == ["aal"]


def test_times_are_those_of_the_zone_that_is_asked_for_and_name_it(made, reading):
    (at,) = reading.execute("SELECT completed_at FROM batch_jobs WHERE batch_id = %s", (made.portfolio_id,)).fetchone()
    for zone in (UTC, ZoneInfo("Asia/Seoul")):
        text = Page(portfolio_page(reading, made.portfolio_id, zone=zone)).text
        assert f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}" in text
        other = "KST" if zone is UTC else "UTC"
        assert not re.search(rf"\d {other}\b", text)


def test_the_command_shows_times_in_the_schedules_zone(made, tmp_path):
    out = tmp_path / "page.html"
    aiops(made.database, "report", "place", *SEOUL, "-o", out)
    text = Page(out.read_text(encoding="utf-8")).text
    assert re.search(r"computed 산출 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d KST", text)
    assert not re.search(r"\d UTC", text)


def test_a_place_says_its_building_in_both_languages_and_its_insurance_as_given(made, reading):
    with reading.transaction(force_rollback=True):
        reading.execute("UPDATE risk_run SET insurance_rate = 0.125")
        text = Page(place_page(reading, *SEOUL, **ASKED)).text
    for told in ("office 업무시설", "reinforced concrete 철근콘크리트", "12.5 %", "age (years) 경과 연수(년)"):
        assert told in text, told


def test_the_map_of_a_portfolio_names_cities_in_both_languages(made, reading):
    drawn = portfolio_page(reading, made.portfolio_id).split('id="h-where"')[1].split("</section>")[0]
    assert '<tspan class="t" lang="en">Seoul</tspan><tspan class="t" lang="ko">서울</tspan>' in drawn
    assert ">Seoul</text>" not in drawn


def test_a_file_is_not_overwritten_unless_forced_and_written_whole(made, tmp_path):
    out = tmp_path / "page.html"
    out.write_text("mine")
    assert "--force" in aiops(made.database, "report", "place", *SEOUL, "-o", out, code=2)
    assert out.read_text() == "mine"
    assert f"Written: {out}" in aiops(made.database, "report", "place", *SEOUL, "-o", out, "--force").replace("\n", "")
    assert out.read_text(encoding="utf-8").endswith("</html>")
    assert out.stat().st_mode & 0o077 == 0o044
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_nothing_that_a_user_gave_becomes_markup(made, reading):
    page = portfolio_page(reading, made.portfolio_id)
    assert EVIL not in page
    assert "&lt;script&gt;alert(" in page
    assert "공장 2" in page


def test_the_page_of_a_portfolio_says_what_its_results_say(made, reading):
    page = Page(portfolio_page(reading, made.portfolio_id))
    results = json.loads(
        reading.execute("SELECT results::text FROM batch_jobs WHERE batch_id = %s", (made.portfolio_id,)).fetchone()[0]
    )
    losses = results["totals"]["losses"]
    for told in (
        won(losses["sum"]["all"]["expected_loss"]), won(losses["union"]["all"]["expected_loss"]), "ship",
        "no climate data",
        *(percent(losses["by_risk"][risk]["aal"]) for risk in NINE),
    ):  # fmt: skip
        assert told in page.text, told


def test_the_page_of_a_batch_says_what_it_did(made, reading):
    page = Page(batch_page(reading, made.batch_id))
    assert made.batch_id in page.text
    assert "cells a second" in page.text
    assert "every risk, scenario and cell with data" in page.text
    assert "median" in page.text


def test_a_failed_chunk_and_a_batch_without_results_are_reported(made, reading):
    with reading.transaction(force_rollback=True):
        reading.execute("DELETE FROM probability_packed")
        reading.execute("DELETE FROM hazard_packed")
        reading.execute(
            "UPDATE batch_chunks SET state = 'failed', error = 'ValueError: <b>no</b> water' WHERE batch_id = %s",
            (made.batch_id,),
        )
        text = batch_page(reading, made.batch_id)
    assert "No result is stored" in text
    assert "ValueError: &lt;b&gt;no&lt;/b&gt; water" in text
    assert "<canvas" not in text


def test_bins_of_the_baseline_that_are_others_stand_beside_those_of_the_decade(made, reading):
    rows = {
        (row["risk_type"], row["horizon"]): row
        for row in fetch_probability_results(reading, *SEOUL, ["typhoon", "drought"])
        if (row["scenario"], row["horizon"]) in {("historical", "baseline"), ("ssp245", "2050s")}
    }
    typhoon, later = rows["typhoon", "baseline"], rows["typhoon", "2050s"]
    assert typhoon["bin_base_damage_rates"] != later["bin_base_damage_rates"]
    table = bins_table(place_page(reading, *SEOUL, **ASKED), "Typhoon")
    assert "Damage rate baseline, %" in table
    assert "Bin, baseline" not in table
    for row in (typhoon, later):
        assert all(percent(rate, 3) in table for rate in row["bin_base_damage_rates"])
    assert rows["drought", "baseline"]["bin_edges"] == rows["drought", "2050s"]["bin_edges"]
    assert "baseline, %" in bins_table(place_page(reading, *SEOUL, **ASKED), "Drought")
    assert "Damage rate baseline" not in bins_table(place_page(reading, *SEOUL, **ASKED), "Drought")
    with reading.transaction(force_rollback=True):
        of_all = [-7.125, 1.5, 2.0, *[1.0, 1.5, 2.0] * (len(PROJECTIONS) - 1)]
        reading.execute("UPDATE probability_packed SET bin_edges = %s WHERE risk_type = 'drought'", (of_all,))
        table = bins_table(place_page(reading, *SEOUL, **ASKED), "Drought")
    assert "Bin, baseline" in table
    assert "−7.125" in table


def bins_table(text, name):
    """The words of a risk's table of bins."""
    section = text.split('id="h-bins"')[1].split("</section>")[0]
    return Page(section.split(f">{name}<")[1].split('<table class="bins">')[1].split("</table>")[0]).text


def test_p_h_that_was_computed_again_since_is_said_and_not_mixed_in(made, reading):
    with reading.transaction(force_rollback=True):
        reading.execute("UPDATE probability_packed SET batch_id = gen_random_uuid()")
        text = place_page(reading, *SEOUL, **ASKED)
    assert "computed again after this answer" in text
    assert "shrunk kernels" not in text


@pytest.mark.parametrize("kind", ["place", "portfolio", "batch"])
def test_a_page_is_well_formed_and_loads_nothing(made, reading, kind):
    text = page_of(kind, made, reading)
    page = Page(text)
    assert page.open == []
    assert [one for one in page.loaded if not one.startswith(("#", "data:,"))] == []
    assert not re.search(r"url\((?!#)|@import|fetch\(|XMLHttpRequest|WebSocket", text)
    assert len(page.ids) == len(set(page.ids))
    assert "#fe01" not in text  # every stand-in became a colour of the page


def page_of(kind, made, connection, language="en"):
    if kind == "place":
        return place_page(connection, *SEOUL, **ASKED, language=language)
    if kind == "portfolio":
        return portfolio_page(connection, made.portfolio_id, language=language)
    return batch_page(connection, made.batch_id, language=language)


@needs_browser
@pytest.mark.parametrize(
    ("kind", "name", "options"),
    [
        ("place", "place-light", {"height": 3600}),
        ("place", "place-dark", {"height": 2000, "dark": True}),
        ("place", "place-phone-korean", {"height": 2400, "width": 390, "language": "ko"}),
        ("batch", "batch-light", {"height": 1800}),
        ("batch", "batch-dark-korean", {"height": 1800, "dark": True, "language": "ko"}),
        ("batch", "batch-phone", {"height": 2400, "width": 390}),
        ("portfolio", "portfolio-light", {"height": 2400}),
        ("portfolio", "portfolio-phone", {"height": 2400, "width": 390}),
    ],
)
def test_a_browser_shows_the_page_without_a_word_on_its_console(made, reading, tmp_path, kind, name, options):
    language = options.pop("language", "en")
    page = tmp_path / f"{name}.html"
    page.write_text(page_of(kind, made, reading, language), encoding="utf-8")
    seen = look_at(page, BUILD / f"{name}.png", **options)
    assert seen.console == []
    if "width" in options:
        assert 'data-inner="390"' in seen.dom  # nothing sticks out: no scrolling sideways
    else:
        assert f'<html lang="{language}"' in seen.dom
        if kind == "batch":
            assert 'data-map="drawn"' in seen.dom
            assert "37.57° N, 126.98° E" in seen.dom


MEASURED = """<script>
for (const one of document.querySelectorAll("details")) one.open = true;
const right = (one) => one.getBoundingClientRect().right;
const wide = [...document.querySelectorAll("table")].filter((one) => right(one) > right(one.parentElement) + 1);
const split = [...document.querySelectorAll("table.bins tbody th")].filter((one) => one.offsetHeight > 44);
document.documentElement.dataset.wide = wide.map((one) => one.caption.textContent).join("|");
document.documentElement.dataset.split = split.map((one) => one.textContent).join("|");
</script></body>"""
PRINTED = 703
"""What an A4 sheet has between its margins, in pixels."""


@needs_browser
@pytest.mark.parametrize(("kind", "language"), [("place", "en"), ("place", "ko"), ("portfolio", "ko"), ("batch", "en")])
@pytest.mark.parametrize("width", [1200, PRINTED])
def test_tables_stay_in_their_columns_on_screen_and_on_paper(made, reading, tmp_path, kind, width, language):
    text = page_of(kind, made, reading, language).replace("</body>", MEASURED)
    if width == PRINTED:
        text = text.replace("@media print", "@media all").replace("@media screen", "@media not all")
    page = tmp_path / "measured.html"
    page.write_text(text, encoding="utf-8")
    seen = look_at(page, BUILD / f"measured-{kind}-{language}-{width}.png", width=width)
    assert 'data-wide=""' in seen.dom
    assert 'data-split=""' in seen.dom


@needs_browser
def test_a_browser_shows_a_batch_without_results(made, reading, tmp_path):
    with reading.transaction(force_rollback=True):
        reading.execute("DELETE FROM probability_packed")
        reading.execute("DELETE FROM hazard_packed")
        text = batch_page(reading, made.batch_id)
    page = tmp_path / "empty.html"
    page.write_text(text, encoding="utf-8")
    seen = look_at(page, BUILD / "batch-without-results.png", height=900)
    assert seen.console == []
    assert "No result is stored" in seen.dom


@needs_browser
def test_the_map_answers_to_keys_and_controls(made, reading, tmp_path):
    text = batch_page(reading, made.batch_id)
    script = """<script>
    const wait = setInterval(() => {
      if (document.documentElement.dataset.map !== "drawn") return;
      clearInterval(wait);
      const said = () => document.getElementById("readout").textContent;
      const before = said();
      document.getElementById("map").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
      document.documentElement.dataset.moved = String(said() !== before);
      document.querySelector("input[value=aal]").click();
      document.getElementById("risk").value = "typhoon";
      document.getElementById("risk").dispatchEvent(new Event("input"));
      document.querySelector("[data-language=ko]").click();
      const title = document.getElementById("map-title");
      setTimeout(() => { document.documentElement.dataset.said = title.textContent + "|" + said(); }, 500);
    }, 50);
    </script></body>"""
    page = tmp_path / "keys.html"
    page.write_text(text.replace("</body>", script), encoding="utf-8")
    seen = look_at(page, BUILD / "batch-keys.png")
    assert seen.console == []
    assert 'data-moved="true"' in seen.dom
    assert re.search(r'data-said="태풍, AAL, SSP2-4.5 2050년대\|3\d\.\d\d° N, 12[78]\.\d\d° E[^"]*%', seen.dom)


# --- layers -------------------------------------------------------------------------------------------------


def test_what_is_stored_is_read_with_gaps_and_only_within_the_box(made, reading):
    everything = read_measure(reading, "hazard", "typhoon", made.batch_id, Area())
    (cells,) = reading.execute("SELECT count(*) FROM location_grid WHERE has_climate").fetchone()
    assert everything.grid_ids.size == everything.written == cells > 300
    (score,) = reading.execute(
        "SELECT hazard_score_100 FROM hazard_results WHERE risk_type = 'typhoon' AND scenario = 'ssp585'"
        " AND horizon = '2090s' AND grid_id = %s",
        (int(everything.grid_ids[2]),),
    ).fetchone()
    assert everything.values[2, -1] == pytest.approx(score, rel=1e-6)
    east = read_measure(reading, "hazard", "typhoon", made.batch_id, Area(west=129.08, south=35, north=36))
    inside = reading.execute(
        "SELECT grid_id FROM location_grid WHERE has_climate AND longitude >= 129.08 AND latitude BETWEEN 35 AND 36"
        " ORDER BY grid_id"
    ).fetchall()
    assert east.grid_ids.tolist() == [cell for (cell,) in inside] != []
    two = read_measure(reading, "probability", "typhoon", made.batch_id, Area(cells=everything.grid_ids.tolist()[:2]))
    assert two.values.shape == (2, len(PROJECTIONS))
    none = read_measure(reading, "hazard", "typhoon", made.batch_id, Area(south=38.9))
    assert none.values.shape == (0, len(PROJECTIONS))


def test_codes_keep_none_apart_from_zero():
    values = np.array([[np.nan, 0, 50, 100]], dtype=np.float32)
    assert hazard_codes(values)[0].tolist() == [[0, 1, 128, 255]]
    codes, low, high = aal_codes(np.array([[np.nan, 0, 1e-9, 1e-4, 0.01]], dtype=np.float32))
    assert codes.tolist() == [[0, 1, 1, 128, 255]]
    assert (low, high) == pytest.approx((1e-6, 0.01))
    assert aal_codes(np.full((1, 2), np.nan, np.float32))[0].tolist() == [[0, 0]]
    assert aal_codes(np.zeros((1, 2), np.float32))[0].tolist() == [[1, 1]]


def test_many_cells_are_drawn_together_as_means_of_what_is_known():
    cells = np.array([1, 2, 752, 753, 5], dtype=np.int32)
    cells.sort()
    squares = Squares.of(cells, 2)
    assert squares.rows.size == 2
    values = np.full((5, len(PROJECTIONS)), np.nan, dtype=np.float32)
    values[:2] = [[10], [20]]
    mean = squares.mean(values, squares.of_cell)
    assert mean[0, 0] == 15
    assert np.isnan(mean[:, 1]).all()
    assert side_of(np.arange(1, 100_001, dtype=np.int32), 18) == 2
    assert side_of(np.arange(1, 362, dtype=np.int32), 18) == 1


# --- small ones ---------------------------------------------------------------------------------------------


def test_a_chart_names_the_baseline_in_both_languages_and_no_years_that_it_may_not_be_of():
    chart = decades_chart("one", "One", np.linspace(0, 50, len(PROJECTIONS)))
    assert '<tspan class="t" lang="en">baseline</tspan><tspan class="t" lang="ko">기준</tspan></text>' in chart
    assert "1991" not in chart


def test_totals_by_decade_are_unknown_where_a_risk_is_left_out_and_the_others_cannot_be():
    scores = np.array([[0.0, 0.0, 0.0], [np.nan, 30.0, 0.0]])
    losses = np.array([[np.nan] * 3, [np.nan, 0.02, np.nan]])
    total_score, total_aal = totals_of(scores, losses, np.array([[True] * 3, [False, False, True]]))
    assert total_score == pytest.approx([np.nan, 30 / np.sqrt(2), 0], nan_ok=True)
    assert total_aal == pytest.approx([np.nan, 0.02, 0], nan_ok=True)


def test_totals_that_leave_a_risk_out_in_some_decades_say_which():
    counted = np.full((2, len(PROJECTIONS)), 5)
    at = {(one.scenario, one.horizon): place for place, one in enumerate(PROJECTIONS)}
    counted[1, at["ssp126", "2090s"]] = 0
    counted[1, at["ssp585", "2090s"]] = 4
    counted[:, at["ssp370", "2050s"]] = 0  # nothing is known there, and no total either
    assert gaps_of(counted) == [(1, (("2090s", ("ssp126", "ssp585")),))]
    assert gaps_of(counted[:1]) == []
    assert gaps_of(counted[:0]) == []


def test_pages_say_where_their_totals_leave_a_risk_out(made, reading):
    note = "these totals hold less"
    assert note not in Page(place_page(reading, *SEOUL, **ASKED)).text
    assert note not in Page(portfolio_page(reading, made.portfolio_id)).text
    with reading.transaction(force_rollback=True):
        reading.execute(
            "UPDATE aal_scaled_results_runs SET final_aal_by_projection[33] = NULL WHERE risk_type = 'typhoon'"
        )
        text = Page(place_page(reading, *SEOUL, **ASKED)).text
        assert note in text
        assert "Typhoon 태풍 : 2090s" in text
        assert "Extreme heat 폭염 : " not in text
    with reading.transaction(force_rollback=True):
        reading.execute(
            "UPDATE batch_jobs SET results = jsonb_set(results, %s, '1') WHERE batch_id = %s",
            (["projection_table", "32", "losses", "by_risk", "drought", "sites"], made.portfolio_id),
        )
        text = Page(portfolio_page(reading, made.portfolio_id)).text
        assert note in text
        assert "Drought 가뭄 : 2090s" in text


def test_the_exceedance_of_bins_is_the_sum_of_those_that_cost_more():
    curve = curve_of([0.5, 0.3, 0.2], [0, 0.01, 0.1], 0.5)
    assert curve.losses.tolist() == [0, 0.005, 0.05]
    assert curve.exceedance == pytest.approx([0.5, 0.2, 0])
    assert curve_of([None, 0.5], [0, 1], 1) is None
    assert curve_of([], [], 1) is None


def test_a_chart_of_losses_that_every_year_has_says_so():
    told = [
        exceedance_chart("one", "One", [("historical", curve_of([0.5, 0.3, 0.2], rates, 1))])
        for rates in ([0.01, 0.02, 0.1], [0, 0.02, 0.1], [0, 0, 0.1])
    ]
    assert "any loss in 100 % of years, at most 10 %" in told[0]
    assert "any loss in 50 % of years" in told[1]
    assert "any loss in 20 % of years" in told[2]


@pytest.mark.parametrize("use", ["office", "residential", None])
def test_the_exceedance_of_sea_level_is_by_the_curve_of_the_buildings_use_as_its_losses_are(use):
    sea, at, n = find_risk("sea_level_rise"), 12, len(PROJECTIONS)
    p, rates = (np.tile(np.array(row, float), (1, n, 1)) for row in ((0.9, 0.06, 0.04), (0, 0.327, 0.494)))
    rates[:, at] = (0, 0.35, 0.6)
    aal = (p * rates).sum(axis=-1)
    base = BaseLoss.of((aal, aal, aal), np.full((1, n), 1), p, rates, at)
    found = scale_loss(sea, base, one_site(use=use, insurance_rate=0.2), np.array([80.0]))
    part = PartLoss(base, np.full(n, 1, np.int16), None, is_default=False, damage_set="calibrated")
    run = {"scenario": "ssp245", "insurance_rate": 0.2, "building": {"use": use} if use else {}}
    (_, now), (_, then) = curves_of(run, aal_row(sea.name, part, found, 0.2, at), at, rates_of_use)
    for place, curve in enumerate((now, then)):
        assert curve.losses == pytest.approx(found.exceedance.losses[0, place])
        assert curve.exceedance == pytest.approx(found.exceedance.exceedance[0, place])


def test_the_page_of_a_place_asks_for_the_curve_of_what_is_known_to_stand_there(made, reading):
    asked = []
    place_page(reading, *SEOUL, rates_of_use=lambda *one: asked.append(one))
    assert ("typhoon", "calibrated", "factory") in asked
    asked.clear()
    place_page(reading, *SEOUL, **ASKED, rates_of_use=lambda *one: asked.append(one))
    assert ("typhoon", "calibrated", None) in asked


def test_missing_numbers_are_dashes_and_zero_is_zero():
    assert [f(None) for f in (number, percent, signed, won, seconds)] == ["–"] * 5
    assert (percent(0.0), percent(1e-9), percent(0.012345)) == ("0", "<0.0001", "1.2345")
    assert (signed(-0.001), seconds(3), seconds(180), seconds(7320)) == ("−0.1000", "3.0 s", "3 min 00 s", "2 h 02 min")
    assert interval(None, 1) == "–"


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    from aiops.report import page

    page._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(BadInput, match=r"aiops\[report\]"):
        render("place.html", "en", made_at=datetime.now(UTC))
    page._environment.cache_clear()
