"""The dashboard in a real browser: a place is asked for, the bar reaches 100, the result is opened."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import psycopg
import pytest
from asking import AT_SEA, answer, place, served_places
from browser import needs_browser
from devtools import browser
from serving import running_api

from aiops.db.batches import complete_batch_job

pytestmark = [pytest.mark.daemon, needs_browser]


@pytest.fixture(scope="module")
def served(migrated_server, server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    with served_places(migrated_server, server, folder, "api_browser", computed=30) as one:
        yield one


@pytest.fixture(scope="module")
def api(served):
    with running_api(served.database, served.log.with_name("api.log")) as one:
        yield one


@pytest.fixture(scope="module")
def tab():
    with browser() as one:
        yield one


@pytest.fixture
def page(tab):
    tab.said.clear()
    tab.shape()
    yield tab
    # A page that breaks our own Content-Security-Policy, or a script that fails, says so here.
    assert tab.said == []


def test_a_place_is_asked_for_the_bar_reaches_100_and_the_result_is_opened(page, api, served):
    latitude, longitude = next(served.places)
    page.open(f"{api.url}/?lang=en")
    # Every value that the bar takes, from before the question on.
    page.get(
        "window.seen = []; new MutationObserver(() => seen.push(document.getElementById('ask-percent').textContent))"
        ".observe(document.getElementById('ask-percent'), {childList: true, characterData: true, subtree: true})"
    )
    page.type("#latitude", str(latitude))
    page.type("#longitude", str(longitude))
    page.type("#asset_value", "50000000000")
    page.click("#ask button[type=submit]")
    page.wait("document.getElementById('ask-bar').value === 100")
    page.wait("!document.getElementById('ask-open').hidden")
    seen = [int(one.split()[0]) for one in page.get("seen")]
    assert seen[0] == 0
    assert seen[-1] == 100
    assert seen == sorted(seen)
    page.get("new Promise((done) => setTimeout(done, 400))")  # for the picture only: the bar glides
    page.picture("asked")
    assert page.get("document.activeElement.id") == "ask-open"
    page.press("Enter")
    page.wait("location.pathname === '/place' && document.getElementById('total')")
    text = page.get("document.querySelector('main').innerText")
    assert "Extreme heat" in text
    assert "50,000,000,000" in text
    assert page.get("document.querySelectorAll('.lines').length") >= 5
    page.picture("place")
    # Each drawing in numbers, too; the chosen scenario's line has a pattern of its own, as in the legend.
    drawn = page.get("document.querySelectorAll('figure .lines').length")
    assert page.get("document.querySelectorAll('figure details tbody tr').length") == 9 * drawn
    page.get("document.querySelector('figure details').open = true")
    numbers = page.get("document.querySelector('figure details table').innerText")
    assert "SSP5-8.5" in numbers
    assert page.get("[document.querySelector('figure .scroll')].every((one) => one.scrollWidth <= one.clientWidth)")
    assert "2090s" in numbers
    patterns = page.get(
        "[...document.querySelectorAll('figure .lines')[0].querySelectorAll('.line')]"
        ".map((one) => getComputedStyle(one).strokeDasharray)"
    )
    assert len(set(patterns)) == len(patterns) == 5
    chosen = "(() => { const s = getComputedStyle(document.querySelector('{} .chosen'));"
    chosen += " return [s.strokeDasharray, s.strokeWidth, s.stroke]; })()"
    assert page.get(chosen.replace("{}", ".lines")) == page.get(chosen.replace("{}", ".legend"))
    page.picture("place-values")


def test_an_answer_does_not_take_the_focus_from_who_types_elsewhere(page, api, served):
    latitude, longitude = next(served.places)
    page.open(f"{api.url}/?lang=en")
    page.type("#latitude", str(latitude))
    page.type("#longitude", str(longitude))
    page.get("document.querySelector('#ask button[type=submit]').click(); document.getElementById('use').focus()")
    page.wait("!document.getElementById('ask-open').hidden")
    assert page.get("document.activeElement.id") == "use"


def test_what_is_refused_is_said_where_it_was_asked(page, api):
    page.open(f"{api.url}/?lang=en")
    page.type("#use", "spaceport")
    page.click("#ask button[type=submit]")
    said = page.wait("!document.getElementById('ask-error').hidden && document.getElementById('ask-error').textContent")
    assert "building.use" in said
    marked = "[...document.querySelectorAll('[aria-invalid=true]')].map((one) => one.id).join()"
    assert page.get(marked) == "use"
    assert page.get("document.activeElement.id") == "use"
    assert page.get("document.activeElement.getAttribute('aria-describedby')") == "ask-error"
    page.said.clear()  # the browser tells of the 422 itself


def test_without_the_script_the_form_leads_to_the_batch(page, api, served):
    latitude, longitude = next(served.places)
    page.open(f"{api.url}/?lang=en")
    page.type("#latitude", str(latitude))
    page.type("#longitude", str(longitude))
    page.get("HTMLFormElement.prototype.submit.call(document.getElementById('ask'))")
    page.wait("location.pathname.startsWith('/batch/')")
    # The batch's own script fills the page when it has ended.
    page.wait("document.querySelector('.actions .primary')")
    assert page.get("document.getElementById('bar').value") == 100
    page.picture("batch")


def test_what_moves_on_a_korean_page_is_said_in_korean(page, api):
    page.open(f"{api.url}/?lang=ko")
    page.wait("document.getElementById('roles').innerText.includes('지점 요청 1')")
    # After the script has written it itself, too.
    page.get("document.getElementById('roles').textContent = ''")
    page.wait("document.getElementById('roles').innerText.includes('산출 1, 제어 1, 지점 요청 1')")
    page.type("#latitude", str(AT_SEA[0]))
    page.type("#longitude", str(AT_SEA[1]))
    page.click("#ask button[type=submit]")
    page.wait("document.getElementById('ask-error').innerText.includes('기후 자료가 없습니다')")
    steps = "['chunk 3', 'aal typhoon', 'computing', 'new']"
    said = page.get(f"import('/static/follow.js').then((one) => {steps}.map(one.stepInWords))")
    assert said == ["청크 3", "연평균 손실: 태풍", "산출 중", "new"]
    page.picture("home-korean")
    page.get("document.cookie = 'lang=; path=/; max-age=0'")


def test_the_map_is_gone_over_by_keyboard(page, api):
    page.open(f"{api.url}/map?lang=en")
    page.wait("document.getElementById('map-title').textContent.includes('Extreme heat')")
    page.get("document.getElementById('map').focus()")
    page.press("ArrowRight")
    first = page.wait("document.querySelector('#readout a') && document.getElementById('readout').innerText")
    page.press("ArrowRight")
    page.wait(f"document.getElementById('readout').innerText !== {first!r}")
    page.get("document.getElementById('decade').focus()")
    page.press("ArrowRight")
    page.wait("document.getElementById('map-title').textContent.includes('2060s')")
    page.picture("map")
    page.get("document.getElementById('map').focus()")
    page.press("Enter")
    page.wait("location.pathname === '/place'")


CHOOSE_RISK = """(risk) => { const list = document.getElementById('risk'); list.value = risk;
    list.dispatchEvent(new Event('change')); }"""
MAP_SAYS = """['map-title', 'ticks', 'readout'].map((id) => document.getElementById(id).innerText).join('')"""


def point_of_map(page, across, down):
    """A point of the window, by its part of the map's width and height."""
    rim = page.get(
        "(() => { const c = document.getElementById('map'); c.scrollIntoView({block: 'center'});"
        " const r = c.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()"
    )
    return rim[0] + across * rim[2], rim[1] + down * rim[3]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("Promise.reject(new TypeError('no network'))", "cannot be reached"),
        ('Promise.resolve(new Response(\'{"detail": "no cell has a result"}\', {status: 404}))', "no cell has"),
        ("Promise.resolve(new Response('<h1>a proxy</h1>', {status: 502}))", "502"),
    ],
)
def test_no_number_of_the_map_stays_beside_another_risks_name(page, api, reply, said):
    page.open(f"{api.url}/map?lang=en")
    page.wait("document.getElementById('map-title').innerText.includes('Extreme heat')")
    page.get("document.getElementById('map').focus()")
    page.press("ArrowRight")
    before = page.wait("document.querySelector('#readout a') && document.getElementById('readout').innerText")
    # While it is loading; the answer comes when the test says so.
    page.get(
        "window.really = window.fetch; window.asks = [];"
        "window.fetch = (...given) => new Promise((done) => asks.push(() => done(really(...given)))); 0"
    )
    page.get(f"({CHOOSE_RISK})('typhoon')")
    page.wait(f"({MAP_SAYS}) === ''")
    page.get("asks.pop()()")
    page.wait("document.getElementById('map-title').innerText.includes('Typhoon')")
    assert page.wait("document.querySelector('#readout a') && document.getElementById('readout').innerText") != before
    # When nothing comes.
    page.get(f"window.fetch = () => {reply}; 0")
    page.get(f"({CHOOSE_RISK})('drought')")
    page.wait(f"document.getElementById('map-error').innerText.includes({said!r})")
    assert page.get(MAP_SAYS) == ""
    # And when it comes again, the same cell is chosen.
    page.get("window.fetch = really; 0")
    page.get(f"({CHOOSE_RISK})('extreme_heat')")
    page.wait("document.getElementById('map-title').innerText.includes('Extreme heat')")
    page.wait(f"document.getElementById('readout').innerText === {before!r}")
    assert page.get("document.getElementById('map-error').hidden")


def test_what_the_mouse_has_chosen_on_the_map_stays_chosen_and_is_what_is_opened(page, api, served):
    # A place that was asked for, in the middle of the row of cells.
    with psycopg.connect(served.database, autocommit=True) as connection:
        answer(connection, place(15), target_year=2050, scenario="ssp585")
    page.open(f"{api.url}/map?lang=en")
    page.wait("document.getElementById('map-title').innerText.includes('Extreme heat')")
    readout = "document.getElementById('readout').innerText"
    west, east, sea = (point_of_map(page, *at) for at in ((0.4, 0.5), (0.6, 0.5), (0.02, 0.02)))
    page.point_at(*west)
    first = page.wait(f"document.querySelector('#readout a') && {readout}")
    page.point_at(*east)
    second = page.wait(f"{readout} !== {first!r} && {readout}")
    page.press_at(*east)
    page.point_at(*west)
    page.get("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert page.get(readout) == second
    page.press("Escape")
    page.point_at(west[0] + 1, west[1])
    page.wait(f"{readout} === {first!r}")
    page.press_at(*west)
    page.press_at(*sea)
    page.point_at(*east)
    page.wait(f"{readout} === {second!r}")
    # The address: where it was asked for, and for what.
    page.get("(() => { const s = document.getElementById('scenario'); s.value = 'ssp585';"
             " s.dispatchEvent(new Event('input')); })()")  # fmt: skip
    page.press_at(*point_of_map(page, 0.34, 0.5))
    page.get("document.getElementById('map').focus()")
    latitude, longitude = place(15)
    for _ in range(30):
        link = dict(parse_qsl(urlsplit(page.get("document.querySelector('#readout a').href")).query))
        if float(link["longitude"]) >= longitude - 0.005:
            break
        page.press("ArrowRight")
    expected = {"latitude": str(latitude), "longitude": str(longitude), "scenario": "ssp585", "target_year": "2050"}
    assert link == expected
    page.click("#readout a")
    page.wait("location.pathname === '/place' && document.getElementById('total')")


def test_every_page_has_landmarks_labels_and_a_way_past_them(page, api):
    for path in ("/", "/batches", "/places", "/map", "/place?latitude=36&longitude=128"):
        page.open(api.url + path)
        names = page.names()
        roles = {role for role, _ in names}
        assert {"main", "navigation", "banner", "contentinfo"} <= roles, path
        for role, name in names:
            if role in ("button", "link", "textbox", "spinbutton", "combobox", "slider", "progressbar"):
                assert name.strip(), (path, role)
        page.press("Tab")
        assert page.get("document.activeElement.className") == "skip"
        assert page.get("document.querySelectorAll('h1').length") == 1


def test_korean_dark_and_a_phones_width(page, api):
    page.shape(390, 844, dark=True)
    for path in ("/", "/batches", "/places", "/map"):
        page.open(f"{api.url}{path}?lang=ko")
        assert page.get("document.documentElement.lang") == "ko"
        assert page.get("document.documentElement.scrollWidth") <= 390, path
        background = page.get("getComputedStyle(document.body).backgroundColor")
        assert background == "rgb(16, 22, 29)"
        page.picture(f"phone-{path.strip('/') or 'home'}")
    page.shape(1200, 1000)
    page.open(f"{api.url}/")
    assert page.get("document.documentElement.lang") == "ko"  # it is remembered
    page.click("#theme")
    assert page.get("document.documentElement.dataset.theme") == "dark"
    page.open(f"{api.url}/batches?lang=en")
    assert page.get("document.documentElement.dataset.theme") == "dark"
    page.picture("batches-dark")
    page.get("document.cookie = 'theme=; path=/; max-age=0'")


def test_a_narrow_window_scrolls_a_table_and_does_not_break_its_words(page, api):
    with api.client() as client:
        asked = client.post("/api/risk/calculate", json={"latitude": 37.5665, "longitude": 126.978})
        assert asked.status_code == 202
    for width in (1200, 900, 600, 390, 320):
        page.shape(width, 900)
        page.open(f"{api.url}/batches?lang=ko")
        page.wait("document.querySelectorAll('tbody tr').length > 0")
        assert page.get("document.documentElement.scrollWidth") <= width, width
        heights = page.get("[...document.querySelectorAll('tbody tr')].map((one) => one.offsetHeight)")
        assert max(heights) < 110, width
        page.picture(f"batches-{width}")
    page.get("document.cookie = 'lang=; path=/; max-age=0'")


def test_a_session_that_has_ended_leads_to_the_key_and_is_no_lost_database(page, served, tmp_path):
    asked = "fetch('/logout', {method: 'POST', redirect: 'manual'})"
    ways = {
        "/": "0",  # it looks by itself
        "/place?latitude=36&longitude=128": "document.querySelector('#ask button[type=submit]').click()",
        "/map": f"({CHOOSE_RISK})('typhoon')",
        "/batches": "follow(batch, () => {}); 0",
    }
    with running_api(served.database, tmp_path / "api.log", API_KEY="a-key-of-the-test") as api:
        with api.client(headers={"X-API-Key": "a-key-of-the-test"}) as client:
            batch_id = client.post("/api/risk/calculate", json={"latitude": 37.5665, "longitude": 126.978}).json()
        for path, what in ways.items():
            page.open(f"{api.url}/login")
            page.type("#key", "a-key-of-the-test")
            page.press("Enter")
            page.wait("location.pathname === '/' && document.readyState === 'complete'")
            page.open(f"{api.url}{path}")
            page.get(
                f"window.batch = {batch_id['batch_id']!r};"
                "import('/static/follow.js')"
                f".then((one) => {{ window.follow = one.follow; return {asked}; }}).then(() => 0)"
            )
            page.get(what)
            page.wait("location.pathname === '/login'")
    # The browser tells of each 401 itself.
    assert all("401" in one for one in page.said), page.said
    page.said.clear()


def test_that_too_much_was_asked_is_no_lost_database(page, api):
    page.open(f"{api.url}/?lang=en")
    page.get(
        "window.really = window.fetch; window.asked = 0; window.answers = 429;"
        "window.fetch = async () => { asked += 1; return new Response('{}', {status: answers}); }; 0"
    )
    page.wait("asked >= 2")
    assert page.get("document.getElementById('away').hidden")
    page.get("answers = 503")
    page.wait("!document.getElementById('away').hidden")
    page.get("window.fetch = really; 0")
    page.wait("document.getElementById('away').hidden")


def test_the_tables_of_the_overview_live_on_while_the_reader_is_in_them(page, api, served):
    with psycopg.connect(served.database, autocommit=True) as connection:
        made = (
            "INSERT INTO batch_jobs (job_type, status, started_at) VALUES ('test', 'running', now()) RETURNING batch_id"
        )
        still, ends = (str(connection.execute(made).fetchone()[0]) for _ in range(2))
        page.open(f"{api.url}/?lang=en")
        row = "document.querySelector('#active tr[data-id=\"{}\"]')".format
        page.wait(f"{row(still)} && {row(ends)}")
        page.get(f"window.still = {row(still)}; {row(ends)}.querySelector('a').focus()")
        connection.execute("UPDATE batch_jobs SET progress = 40, current_step = 'read' WHERE batch_id = %s", (still,))
        # What is beside the focused row goes on, in the same element.
        page.wait(f"{row(still)}.innerText.includes('40 %') && {row(still)}.querySelector('progress').value === 40")
        assert page.get(f"{row(still)} === still")
        # A batch that ends goes over to the other table, and the focus with it.
        complete_batch_job(connection, ends, {})
        page.wait(f"!{row(ends)} && document.querySelector('#recent tr').dataset.id === '{ends}'")
        page.wait(f"document.activeElement.closest('#recent tr')?.dataset.id === '{ends}'")
        assert page.get(f"{row(still)} === still")
        page.picture("overview")
        # What is equal is not touched: the server's own rows least of all.
        page.open(f"{api.url}/?lang=en")
        page.get(
            "window.changes = [];"
            "new MutationObserver((found) => changes.push(...found.map((one) => one.target.outerHTML)))"
            ".observe(document.getElementById('recent'),"
            " {childList: true, characterData: true, attributes: true, subtree: true});"
            "window.really = window.fetch; window.looks = 0;"
            "window.fetch = async (...given) => { const found = await really(...given); looks += 1; return found; }; 0"
        )
        page.wait("looks >= 3")
        assert page.get("changes") == []
        complete_batch_job(connection, still, {})


def test_what_runs_is_seen_live(page, api):
    page.open(f"{api.url}/?lang=en")
    page.picture("home")
    with api.client() as client:
        started = client.post("/api/batch/hazard", json={"force": True}).json()["batch_id"]
    page.open(f"{api.url}/batch/{started}")
    page.wait("document.querySelector('.s-completed') && document.getElementById('bar').value === 100")
    assert "Chunks" in page.get("document.querySelector('main').innerText")
    page.picture("batch-yearly")


def test_a_batchs_page_is_filled_while_it_runs_and_at_its_end_without_being_fetched_anew(page, api, served):
    with psycopg.connect(served.database, autocommit=True) as connection:
        (batch_id,) = connection.execute(
            "INSERT INTO batch_jobs (job_type, status, started_at, current_step)"
            " VALUES ('test', 'running', now(), 'read') RETURNING batch_id"
        ).fetchone()
        page.open(f"{api.url}/batch/{batch_id}?lang=en")
        text = "document.querySelector('main').innerText"
        assert "Chunks" not in page.get(text)
        page.get(
            "window.same = true; window.heard = [];"
            "new MutationObserver(() => heard.push(document.getElementById('said').innerText.trim()))"
            ".observe(document.getElementById('said'), {childList: true, characterData: true, subtree: true});"
            "document.querySelector('.actions button').focus()"
        )
        # Chunks, a failure and the log come while it runs, and the number of items with them.
        connection.execute(
            "INSERT INTO batch_chunks"
            " (batch_id, chunk_no, first_grid_id, last_grid_id, n_cells, state, error, lease_until) VALUES"
            " (%(id)s, 1, 1, 5, 5, 'done', NULL, NULL),"
            " (%(id)s, 2, 6, 10, 5, 'failed', 'a first failure', NULL)",
            {"id": batch_id},
        )
        connection.execute(
            "INSERT INTO batch_job_logs (batch_id, job_type, step, status) VALUES (%s, 'test', 'plan', 'running')",
            (batch_id,),
        )
        connection.execute(
            "UPDATE batch_jobs SET progress = 50, total_items = 10, completed_items = 5 WHERE batch_id = %s",
            (batch_id,),
        )
        page.wait(f"{text}.includes('Chunks') && {text}.includes('a first failure') && {text}.includes('Log')")
        page.wait("document.getElementById('facts').innerText.includes('5 / 10')")
        assert page.get("document.getElementById('bar').value") == 50
        assert page.get("document.activeElement.matches('.actions button')")
        page.get("document.querySelector('#trouble details').open = true")
        # A change that comes while the page is being asked for is not lost.
        for done in (6, 7, 8):
            connection.execute(
                "UPDATE batch_jobs SET progress = 10 * %(n)s, completed_items = %(n)s WHERE batch_id = %(id)s",
                {"n": done, "id": batch_id},
            )
        page.wait("document.getElementById('facts').innerText.includes('8 / 10')")
        assert page.get("document.querySelector('#trouble details').open")
        page.picture("batch-running")
        connection.execute("UPDATE batch_chunks SET state = 'done' WHERE batch_id = %s", (batch_id,))
        connection.execute("UPDATE batch_jobs SET completed_items = 10 WHERE batch_id = %s", (batch_id,))
        complete_batch_job(connection, batch_id, {})
        page.wait("document.querySelector('#said .s-completed') && !document.querySelector('.actions button')")
        page.wait("document.getElementById('facts').innerText.includes('10 / 10')")
        assert page.get("window.same")  # it is the same page
        assert page.get("document.activeElement.matches('.actions a')")
        assert "completed" in page.get("heard.at(-1)")
        page.picture("batch-ended")
