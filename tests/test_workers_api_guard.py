"""Keys, origins, limits, headers: who gets in, and how much."""

from __future__ import annotations

import pytest
from daemons import run
from serving import running_api
from starlette.datastructures import Headers

from aiops.errors import SettingsError
from workers.api.guard import HEADERS
from workers.api.keys import COOKIE, SESSION_SECONDS, Keys, keys_of_settings
from workers.api.limits import BURST_SECONDS, TokenBuckets

KEY = "a key of this test, long"
ORIGIN = "https://app.example.org"


@pytest.fixture(scope="module")
def locked(migrated_server, server, tmp_path_factory):
    from asking import copied_database

    folder = tmp_path_factory.mktemp("locked")
    with (
        copied_database(migrated_server, server, "api_locked") as database,
        running_api(
            database, folder / "api.log", API_KEY=KEY, API_CORS_ORIGINS=ORIGIN, API_BODY_LIMIT_MB="1", LOG_LEVEL="info"
        ) as api,
    ):
        yield api


def test_without_a_key_nothing_but_health_is_answered(locked):
    with locked.client() as client:
        for path in ("/api/batches", "/api/overview", "/metrics", "/openapi.json", "/nothing"):
            answer = client.get(path)
            assert answer.status_code == 401, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
        assert client.post("/api/risk/calculate", json={}).status_code == 401


@pytest.mark.parametrize("headers", [{"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}])
def test_a_key_lets_in(locked, headers):
    with locked.client(headers=headers) as client:
        assert client.get("/api/batches").status_code == 200


@pytest.mark.parametrize("given", ["", KEY[:-1], KEY + " x", "ü" * 20])
def test_another_key_does_not(locked, given):
    with locked.client() as client:
        assert client.get("/api/batches", headers={"X-API-Key": given.encode()}).status_code == 401


def test_a_browser_gives_its_key_once(locked):
    headers = {"Accept": "text/html", "Origin": locked.url, "Sec-Fetch-Site": "same-origin"}
    with locked.client(headers=headers) as client:
        assert client.get("/").headers["location"] == "/login"
        assert client.post("/login", data={"key": "wrong, and long enough"}).status_code == 401
        entered = client.post("/login", data={"key": KEY})
        assert entered.status_code == 303
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert KEY not in cookie
        assert client.get("/").status_code == 200
        client.post("/logout")
        assert client.get("/").status_code == 303


def test_a_page_of_somebody_else_may_neither_act_nor_read(locked):
    with locked.client(headers={"X-API-Key": KEY}) as client:
        body = {"latitude": 37, "longitude": 127}
        for strange in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            assert client.post("/api/risk/calculate", json=body, headers=strange).status_code == 403
        read = client.get("/api/batches", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in read.headers
        ours = client.post("/api/risk/calculate", json=body, headers={"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"})
        assert ours.status_code == 202
        assert ours.headers["access-control-allow-origin"] == ORIGIN
        preflight = client.options(
            "/api/risk/calculate",
            headers={
                "Origin": ORIGIN,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "X-API-Key",
            },
        )
        assert preflight.status_code == 200


def test_a_body_that_is_too_long_is_refused_also_without_a_length(locked):
    long = b"[" + b" " * (1 << 20) + b"]"
    with locked.client(headers={"X-API-Key": KEY}) as client:
        assert client.post("/api/portfolio", content=long).status_code == 413
        parts = (long[at : at + 65536] for at in range(0, len(long), 65536))
        assert client.post("/api/portfolio", content=parts).status_code == 413


def test_every_answer_has_a_number_that_the_log_has_and_headers_that_keep_pages_to_themselves(locked):
    with locked.client(headers={"X-API-Key": KEY, "X-Request-ID": "mine-1"}) as client:
        answer = client.get("/api/batches")
        assert answer.headers["x-request-id"] == "mine-1"
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        strange = client.get("/api/batches", headers={"X-Request-ID": "a\tb" * 30})
        assert strange.headers["x-request-id"] != "mine-1"
        assert "unsafe" not in answer.headers["content-security-policy"]
    said = locked.log.read_text()
    assert '"request_id": "mine-1"' in said
    assert KEY not in said


def test_a_client_that_asks_too_often_is_told_when_to_ask_again(database, tmp_path):
    with running_api(database, tmp_path / "api.log", API_RATE_LIMIT="5") as api, api.client() as client:
        answers = [client.get("/healthz") for _ in range(30)]
        assert answers[0].status_code == 200
        refused = next(one for one in answers if one.status_code == 429)
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["status"] == 429


def test_a_bucket_fills_again_and_asking_for_work_costs_more():
    now = [100.0]
    buckets = TokenBuckets(10, lambda: now[0])
    for _ in range(int(10 * BURST_SECONDS)):
        assert buckets.take("a", 1) == 0
    assert buckets.take("a", 1) == pytest.approx(0.1)
    assert buckets.take("b", 10) == 0
    now[0] += 1
    assert buckets.take("a", 10) == 0
    assert buckets.take("a", 1) > 0
    assert TokenBuckets(0).take("a", 1e9) == 0


def test_who_guesses_keys_owes_what_is_not_there():
    now = [100.0]
    buckets = TokenBuckets(100, lambda: now[0])
    for _ in range(3):
        buckets.charge("a", 90)
    assert buckets.take("a", 1) == pytest.approx((70 + 1) / 100)
    for _ in range(100):
        buckets.charge("a", 90)
    assert buckets.take("a", 1) == pytest.approx((200 + 1) / 100), "no more than a bucket holds"
    assert buckets.take("b", 1) == 0


@pytest.fixture
def slow(database, tmp_path):
    """A bucket of forty, and twenty a second."""
    with running_api(database, tmp_path / "api.log", API_KEY=KEY, API_RATE_LIMIT="20") as api:
        yield api


@pytest.mark.parametrize("way", ["header", "form"])
def test_guessing_keys_is_slow_by_every_way(slow, way):
    """A guess costs fifty: after the first, the next is seconds away; probes are answered all the same."""
    with slow.client(headers={"Origin": slow.url}) as client:
        wrong = {"X-API-Key": "wrong, and long enough"}
        guess = {
            "header": lambda: client.get("/api/batches", headers=wrong),
            "form": lambda: client.post("/login", data={"key": "wrong, and long enough"}),
        }[way]
        assert guess().status_code == 401
        assert guess().status_code == 429
        assert client.get("/healthz").status_code == 200


def test_who_brings_no_key_is_not_taken_for_a_guesser(slow):
    with slow.client() as client:
        assert [client.get("/api/batches").status_code for _ in range(5)] == [401] * 5


def test_a_key_has_one_bucket_however_it_is_sent(slow):
    """Each costs ten: with a bucket for each way, twelve would be let through at once."""
    ways = [{"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bEARER   {KEY}"}]
    with slow.client() as client:
        found = [
            client.post("/api/portfolio", content=b"[", headers=ways[number % len(ways)]).status_code
            for number in range(12)
        ]
        assert found[0] == 400
        assert 429 in found


@pytest.fixture(scope="module")
def keyless(migrated_server, server, tmp_path_factory):
    from asking import copied_database

    folder = tmp_path_factory.mktemp("keyless")
    with (
        copied_database(migrated_server, server, "api_keyless") as database,
        running_api(
            database,
            folder / "api.log",
            API_ALLOWED_HOSTS="climate.example.org",
            LOG_FORMAT="console",
            LOG_LEVEL="info",
        ) as api,
    ):
        yield api


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("localhost", 200),
        ("aiops:8000", 200),
        ("Climate.Example.org.", 200),
        ("climate.example.org:443", 200),
        ("evil.example", 421),
        ("evil.example:8000", 421),
        ("127.0.0.1.evil.example", 421),
    ],
)
def test_without_a_key_a_name_of_somebody_else_leads_nowhere(keyless, host, status):
    with keyless.client(headers={"Host": host, "Origin": f"http://{host}"}) as client:
        answer = client.get("/api/batches")
        assert answer.status_code == status
        if status == 421:
            assert "API_ALLOWED_HOSTS" in answer.json()["detail"]
        assert client.get("/healthz").status_code == 200


def test_what_is_asked_for_gives_no_orders_to_a_terminal(keyless):
    with keyless.client() as client:
        assert client.get("/%1b]0;owned%07%1b[2J%c2%9b").status_code == 404
    said = keyless.log.read_bytes().lower()
    assert b"%1b" in said
    assert b"%c2%9b" in said
    assert b"\x1b" not in said
    assert "\x9b".encode() not in said


def test_a_session_ends_and_cannot_be_made_by_others():
    keys, others = Keys((KEY,)), Keys(("another key, just as long",))

    def admitted(cookie, by=keys):
        return by.admits(Headers({"cookie": f"{COOKIE}={cookie}"}))

    good = keys.session()
    assert admitted(good) == "session"
    assert admitted(good, others) is None
    assert admitted(keys.session(now=0)) is None
    ends, _, proof = good.partition(".")
    assert admitted(f"{int(ends) + SESSION_SECONDS}.{proof}") is None
    for broken in ("", "x", ".", f"{ends}.", f"{ends}.é", "²²².x"):
        assert admitted(broken) is None


def test_keys_come_from_a_file_one_a_line(monkeypatch, tmp_path):
    file = tmp_path / "keys"
    file.write_text("the first of two keys\n".replace(" ", "-") + "the-second-of-two-keys\n")
    monkeypatch.setenv("API_KEY_FILE", str(file))
    keys = keys_of_settings()
    assert keys.find("the-second-of-two-keys") == 1
    assert keys.find("the-third-of-two-keys") is None
    file.write_text("short\n")
    with pytest.raises(SettingsError, match="API_KEY_FILE"):
        keys_of_settings()


def test_serve_refuses_a_bad_setting_and_an_address_that_is_not_ours(database):
    said = run(database, "workers.cli", "serve", code=2, API_CORS_ORIGINS="everybody")
    assert "API_CORS_ORIGINS" in said
    said = run(database, "workers.cli", "serve", "--host", "203.0.113.7", code=2)
    assert "203.0.113.7" in said
