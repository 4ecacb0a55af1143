"""Webhooks: signed, to the address that was judged, within a deadline, tried again, told once."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import psutil
import psycopg
import pytest
import trustme
from daemons import running_daemon, wait_for
from psycopg_pool import AsyncConnectionPool
from receivers import (
    body_that_never_ends,
    flood,
    headers_that_never_end,
    mail_server,
    redirect_to,
    silent_server,
    webhook_receiver,
)

from aiops.errors import DeliveryFailed
from aiops.settings import settings
from workers.notify import webhook
from workers.notify.notice import Notice
from workers.notify.tasks import DELIVERY
from workers.queue import app
from workers.retention import Retention
from workers.retry import is_hopeless

SECRET = "a secret of the test"
NOTICE = Notice(
    batch_id=UUID("8f14e45f-ceea-467f-a8dd-0123456789ab"),
    job_type="ondemand_risk_calculation",
    status="completed",
    progress=100,
    error_message=None,
    warnings=["가뭄: 자료 부족"],
    completed_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
)
PATIENCE = 10.0
"""Seconds that a slow machine is granted on top of a deadline."""


def deliver(url, **options):
    options = {"secret": SECRET, "allow_private": True, **options}
    asyncio.run(webhook.deliver_webhook(url, NOTICE, **options))


def failure_of(url, **options):
    with pytest.raises(DeliveryFailed) as failure:
        deliver(url, **options)
    return failure.value


EXAMPLE = re.search(
    r"```python\n(.*?)```",
    (Path(__file__).parent.parent / "docs" / "notifications.md").read_text(encoding="utf-8"),
    re.DOTALL,
)[1]


def is_genuine(header, body, secret=SECRET):
    """What the example of docs/notifications.md says."""
    names = {"header": header, "body": body, "secret": secret}
    exec(EXAMPLE, names)
    return names["genuine"]


def check_signature(request):
    assert is_genuine(request.headers["Aiops-Signature"], request.body)


# --- what is sent -------------------------------------------------------------------------------------------


def test_what_is_sent_is_the_end_of_the_request_signed():
    with webhook_receiver() as receiver:
        deliver(receiver.url())
    (request,) = receiver.requests
    check_signature(request)
    assert request.path == "/done?of=aiops"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Idempotency-Key"] == f"{NOTICE.batch_id}:2026-03-01T09:30:00Z"
    assert request.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert json.loads(request.body) == {
        "batch_id": "8f14e45f-ceea-467f-a8dd-0123456789ab",
        "job_type": "ondemand_risk_calculation",
        "status": "completed",
        "progress": 100,
        "error_message": None,
        "warnings": ["가뭄: 자료 부족"],
        "completed_at": "2026-03-01T09:30:00Z",
    }


def test_the_signature_is_the_hmac_of_time_and_body():
    # The digest was computed by another program: printf '1767225600.{"a":1}' | openssl dgst -sha256 -hmac key
    assert webhook.signature("key", 1767225600, b'{"a":1}') == (
        "t=1767225600,v1=80f7b75f8618b9b24d72673996a625f1a43f7387a26b6739d667431724fe4d23"
    )


def test_the_example_of_the_documentation_tells_a_forged_and_an_old_notice_from_a_genuine_one():
    now, body = int(time.time()), b'{"a":1}'
    assert is_genuine(webhook.signature(SECRET, now, body), body)
    assert not is_genuine(webhook.signature(SECRET, now, body), body + b" ")
    assert not is_genuine(webhook.signature("another secret", now, body), body)
    assert not is_genuine(webhook.signature(SECRET, now - 3600, body), body)
    assert not is_genuine(webhook.signature(SECRET, now - 3600, body).replace(str(now - 3600), str(now)), body)


def test_without_a_secret_nothing_is_sent():
    with webhook_receiver() as receiver:
        failure = failure_of(receiver.url(), secret=None)
    assert is_hopeless(failure)
    assert "WEBHOOK_SECRET" in str(failure)
    assert receiver.requests == []


# --- where to -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433", "127.1"])
def test_a_private_address_is_refused_by_default(host):
    with webhook_receiver() as receiver:
        failure = failure_of(receiver.url(host), allow_private=False)
    assert is_hopeless(failure)
    assert "not public" in str(failure)
    assert receiver.requests == []


@pytest.mark.parametrize(
    "url", ["ftp://example.org", "https://", "https://u:p@example.org", "nonsense", "http://[::1", ""]
)
def test_what_is_no_plain_url_is_refused(url):
    assert is_hopeless(failure_of(url))


@pytest.fixture
def asked(monkeypatch):
    """A name server of the test's own for *.test; the list of the names that were asked for."""
    names = []
    real = socket.getaddrinfo
    addresses = {
        "receiver.test": ["127.0.0.1"],
        "receiver.test.": ["127.0.0.1"],
        "two.test": ["127.0.0.9", "127.0.0.1"],
    }

    def getaddrinfo(host, port, *args, **options):
        if host not in addresses:
            return real(host, port, *args, **options)
        names.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


def test_the_connection_goes_to_the_address_that_was_judged_and_the_name_is_not_resolved_again(asked):
    with webhook_receiver() as receiver:
        deliver(receiver.url("receiver.test"))
    assert asked == ["receiver.test"]
    assert receiver.requests[0].headers["Host"] == f"receiver.test:{receiver.port}"


def test_an_address_that_takes_no_connections_is_followed_by_the_next(asked):
    with webhook_receiver() as receiver:
        deliver(receiver.url("two.test"))
    assert len(receiver.requests) == 1


def test_a_redirect_is_not_followed():
    with webhook_receiver() as elsewhere, webhook_receiver(redirect_to(elsewhere.url())) as receiver:
        failure = failure_of(receiver.url())
    assert str(failure) == "the receiver answered 307"
    assert len(receiver.requests) == 1
    assert elsewhere.requests == []


def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    with webhook_receiver() as proxy, webhook_receiver() as receiver:
        monkeypatch.setenv("HTTP_PROXY", proxy.url(path=""))
        monkeypatch.setenv("http_proxy", proxy.url(path=""))
        deliver(receiver.url())
    assert proxy.requests == []
    assert len(receiver.requests) == 1


# --- answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_answer_of_the_2xx_kind_is_taken(status):
    with webhook_receiver(status) as receiver:
        deliver(receiver.url())


@pytest.mark.parametrize(
    ("status", "hopeless"),
    [
        *((status, True) for status in (400, 401, 404, 410, 422)),
        *((status, False) for status in (300, 304, 408, 425, 429, 500, 503, 599)),
    ],
)
def test_a_refusal_ends_it_and_trouble_does_not(status, hopeless):
    with webhook_receiver(status) as receiver:
        failure = failure_of(receiver.url())
    assert str(failure) == f"the receiver answered {status}"
    assert is_hopeless(failure) == hopeless


def test_a_port_where_nobody_listens_is_trouble():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    failure = failure_of(f"http://127.0.0.1:{port}/")
    assert not is_hopeless(failure)
    assert str(failure) == "the receiver does not take connections"


# --- slow ones ----------------------------------------------------------------------------------------------


def test_headers_that_never_end_are_cut_off_at_the_deadline():
    with webhook_receiver(headers_that_never_end) as receiver:
        started = time.monotonic()
        failure = failure_of(receiver.url(), deadline=1)
        assert 1 <= time.monotonic() - started < 1 + PATIENCE
        assert "within 1 s" in str(failure)
        assert not is_hopeless(failure)
        assert receiver.let_go.wait(PATIENCE)


@pytest.mark.parametrize(("scheme", "reason"), [("http", "did not answer within 1 s"), ("https", "in time")])
def test_a_peer_that_never_says_a_word_is_left_within_the_deadline(scheme, reason):
    with silent_server() as port:
        started = time.monotonic()
        failure = failure_of(f"{scheme}://127.0.0.1:{port}/", deadline=1)
        assert time.monotonic() - started < 1 + PATIENCE
    assert reason in str(failure)
    assert not is_hopeless(failure)


def test_a_name_server_that_does_not_answer_is_left_at_the_deadline(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2) or [])
    started = time.monotonic()
    assert "within 0.5 s" in str(failure_of("http://receiver.test/", deadline=0.5))
    assert time.monotonic() - started < 2 + PATIENCE


def test_an_answer_is_taken_without_its_body_however_slow(monkeypatch):
    with webhook_receiver(body_that_never_ends) as receiver:
        started = time.monotonic()
        deliver(receiver.url())
        assert time.monotonic() - started < 1 + PATIENCE
        assert receiver.let_go.wait(PATIENCE)


def test_an_answer_is_taken_without_its_body_however_large():
    with webhook_receiver(flood) as receiver:
        deliver(receiver.url())
        assert receiver.let_go.wait(PATIENCE)
    # What was under way when the sender hung up: the buffers of two sockets.
    assert receiver.sent_bytes < 64 << 20


# --- TLS ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trusted(authority, tmp_path, monkeypatch):
    """The test's own authority is trusted."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    webhook._context.cache_clear()
    yield
    webhook._context.cache_clear()


def server_side(authority, *names):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


def test_the_certificate_is_checked_against_the_host_of_the_url_not_the_address(authority, trusted, asked):
    with webhook_receiver(tls=server_side(authority, "receiver.test")) as receiver:
        deliver(receiver.url("receiver.test", "https"))
        deliver(receiver.url("receiver.test.", "https"))
    assert len(receiver.requests) == 2


def test_a_certificate_for_an_address_counts_for_a_url_with_that_address(authority, trusted):
    with webhook_receiver(tls=server_side(authority, "127.0.0.1")) as receiver:
        deliver(receiver.url(scheme="https"))
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("of_certificate", ["other.test", "127.0.0.1"])
def test_a_certificate_for_another_host_ends_the_connection_before_anything_is_sent(
    authority, trusted, asked, of_certificate
):
    with webhook_receiver(tls=server_side(authority, of_certificate)) as receiver:
        failure = failure_of(receiver.url("receiver.test", "https"))
    assert str(failure) == "the receiver's certificate is for another host"
    assert receiver.requests == []


def test_a_certificate_of_an_unknown_authority_ends_the_connection(trusted, asked):
    with webhook_receiver(tls=server_side(trustme.CA(), "receiver.test")) as receiver:
        failure = failure_of(receiver.url("receiver.test", "https"))
    assert "certificate is not trusted" in str(failure)
    assert "receiver.test" not in str(failure)
    assert receiver.requests == []


def test_a_port_that_does_not_speak_tls_is_trouble(asked):
    with webhook_receiver() as receiver:
        failure = failure_of(receiver.url("receiver.test", "https"))
    assert "no TLS with the receiver" in str(failure)
    assert not is_hopeless(failure)


# --- the queue ----------------------------------------------------------------------------------------------

EMAIL = "asker@example.org"


@pytest.fixture
def ended(connection):
    """Make a request that has ended, and whom to tell; committed, with its jobs on the queue."""

    def ended(webhook_url=None, email=None, status="completed"):
        (batch_id,) = connection.execute(
            "INSERT INTO batch_jobs (job_type) VALUES ('test') RETURNING batch_id"
        ).fetchone()
        insert = "INSERT INTO request_notification (batch_id, webhook, email) VALUES (%s, %s, %s)"
        connection.execute(insert, (batch_id, webhook_url, email))
        update = (
            "UPDATE batch_jobs SET status = %s, progress = CASE %s WHEN 'completed' THEN 100 ELSE 50 END,"
            " started_at = clock_timestamp(), completed_at = clock_timestamp() WHERE batch_id = %s"
        )
        connection.execute(update, (status, status, batch_id))
        connection.execute("SELECT queue_notifications(%s)", (batch_id,))
        connection.commit()
        return batch_id

    return ended


def logged(connection, batch_id):
    query = "SELECT step, status, error_message FROM batch_job_logs WHERE batch_id = %s ORDER BY log_id"
    rows = connection.execute(query, (batch_id,)).fetchall()
    connection.rollback()
    return rows


def queued(connection):
    query = "SELECT task_name, queue_name, status::text, attempts, args FROM procrastinate_jobs ORDER BY id"
    rows = connection.execute(query).fetchall()
    connection.rollback()
    return rows


@pytest.fixture
def work(database, monkeypatch):
    """Take the jobs that are due, in this process, until there are none."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("WEBHOOK_ALLOW_PRIVATE", "true")
    settings.cache_clear()

    async def worker():
        async with app.open_async():
            await app.run_worker_async(
                queues=["control"], wait=False, listen_notify=False, install_signal_handlers=False
            )

    return lambda: asyncio.run(worker())


def test_a_job_is_queued_for_each_way_that_is_wanted_and_none_holds_an_address(connection, ended):
    both = ended("http://example.org/", EMAIL)
    one = ended(email=EMAIL)
    ended()
    assert queued(connection) == [
        ("send_webhook", "control", "todo", 0, {"batch_id": str(both)}),
        ("send_email", "control", "todo", 0, {"batch_id": str(both)}),
        ("send_email", "control", "todo", 0, {"batch_id": str(one)}),
    ]


def test_planning_goes_before_what_is_to_be_told(connection, ended):
    ended("http://example.org/")
    connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('hazard')")
    worker = "INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id"
    fetch = f"WITH w AS ({worker}) SELECT (procrastinate_fetch_job_v2('{{control}}', id)).task_name FROM w"
    assert connection.execute(fetch).fetchone() == ("hazard_batch",)


def test_who_is_nobody_in_particular_cannot_read_an_address_or_queue_a_notification(connection):
    connection.execute("CREATE ROLE nobody_in_particular")
    connection.execute("SET LOCAL ROLE nobody_in_particular")
    for query in ("SELECT * FROM request_notification", "SELECT queue_notifications(gen_random_uuid())"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(query)


def test_a_delivery_that_worked_stands_in_the_log(connection, ended, work):
    with webhook_receiver() as receiver:
        batch_id = ended(receiver.url())
        work()
    check_signature(receiver.requests[0])
    assert json.loads(receiver.requests[0].body)["batch_id"] == str(batch_id)
    assert logged(connection, batch_id) == [("webhook", "completed", None)]
    assert [row[2] for row in queued(connection)] == ["succeeded"]


def test_trouble_puts_the_job_back_on_the_queue_and_logs_nothing_yet(connection, ended, work):
    with webhook_receiver(503) as receiver:
        batch_id = ended(receiver.url())
        begun = datetime.now(UTC)
        work()
        done = datetime.now(UTC)
    assert len(receiver.requests) == 1
    assert [row[2:4] for row in queued(connection)] == [("todo", 1)]
    assert logged(connection, batch_id) == []
    (due,) = connection.execute("SELECT scheduled_at FROM procrastinate_jobs").fetchone()
    assert begun + timedelta(seconds=0.75) <= due <= done + timedelta(seconds=1.25)


def test_the_last_of_eight_attempts_says_why_it_failed(connection, ended, work):
    with webhook_receiver(503) as receiver:
        batch_id = ended(receiver.url())
        for _ in range(12):
            work()
            connection.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")
            connection.commit()
    assert len(receiver.requests) == 8
    assert [row[2] for row in queued(connection)] == ["failed"]
    assert logged(connection, batch_id) == [("webhook", "failed", "the receiver answered 503")]


def test_what_the_database_costs_is_no_attempt_that_ends_it():
    lost = psycopg.OperationalError("the connection is lost")
    for attempts in (7, 8, 40):
        job = SimpleNamespace(attempts=attempts)
        assert DELIVERY.get_retry_decision(exception=lost, job=job) is not None
        assert DELIVERY.get_retry_decision(exception=DeliveryFailed("the receiver answered 503"), job=job) is None


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("WEBHOOK_SECRET", "", "webhooks are not configured: the setting WEBHOOK_SECRET is empty"),
        ("WEBHOOK_ALLOW_PRIVATE", "false", "the webhook's host resolves to an address that is not public; allowed by "),
    ],
)
def test_a_hopeless_delivery_fails_at_once_and_says_why(connection, ended, work, monkeypatch, setting, value, reason):
    monkeypatch.setenv(setting, value)
    settings.cache_clear()
    with webhook_receiver() as receiver:
        batch_id = ended(receiver.url())
        work()
    assert receiver.requests == []
    ((step, status, error),) = logged(connection, batch_id)
    assert (step, status) == ("webhook", "failed")
    assert error.startswith(reason)
    assert [row[2:4] for row in queued(connection)] == [("failed", 1)]


def test_a_job_that_comes_again_after_it_was_told_tells_nothing(connection, ended, work):
    with webhook_receiver() as receiver:
        batch_id = ended(receiver.url())
        work()
        connection.execute("UPDATE procrastinate_jobs SET status = 'todo'")
        connection.commit()
        work()
    assert len(receiver.requests) == 1
    assert len(logged(connection, batch_id)) == 1


def test_a_request_that_ends_again_is_told_again(connection, ended, work):
    with webhook_receiver() as receiver:
        batch_id = ended(receiver.url(), status="failed")
        work()
        connection.execute("UPDATE batch_jobs SET status = 'running', completed_at = NULL")
        connection.execute("SELECT queue_notifications(%s)", (batch_id,))
        connection.commit()
        work()  # it runs: nothing to tell
        connection.execute(
            "UPDATE batch_jobs SET status = 'completed', progress = 100, completed_at = clock_timestamp()"
        )
        connection.execute("SELECT queue_notifications(%s)", (batch_id,))
        connection.commit()
        work()
    assert [json.loads(request.body)["status"] for request in receiver.requests] == ["failed", "completed"]
    first, second = (request.headers["Idempotency-Key"] for request in receiver.requests)
    assert first != second


def test_an_end_that_comes_while_the_one_before_is_told_is_told_too(connection, ended, work):
    def answer(receiver, handler):
        """Say that it has arrived only when the request has been run again and has ended."""
        connection.execute(
            "UPDATE batch_jobs SET status = 'completed', progress = 100, completed_at = clock_timestamp()"
        )
        connection.execute("SELECT queue_notifications(%s)", (batch_id,))
        connection.commit()
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with webhook_receiver(answer, 200) as receiver:
        batch_id = ended(receiver.url(), status="failed")
        work()
    assert [json.loads(request.body)["status"] for request in receiver.requests] == ["failed", "completed"]
    assert logged(connection, batch_id) == [("webhook", "completed", None)]


# --- rescue, retention --------------------------------------------------------------------------------------

RESCUE = "SELECT task_name, outcome FROM rescue_jobs('20 seconds', 5)"


def lose_a_job(connection):
    """Take a job as a worker that fell silent a minute ago."""
    connection.execute(
        "WITH w AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')"
        " RETURNING id) SELECT procrastinate_fetch_job_v2(NULL, id) FROM w"
    )


@pytest.mark.parametrize("task", ["send_webhook", "send_email"])
def test_a_lost_delivery_is_handed_back_until_its_process_has_ended_too_often(connection, ended, task):
    batch_id = ended(**({"webhook_url": "http://e.org"} if task == "send_webhook" else {"email": EMAIL}))
    outcomes = []
    for _ in range(6):
        lose_a_job(connection)
        outcomes += connection.execute(RESCUE).fetchall()
    assert outcomes == [(task, "handed back")] * 4 + [(task, "failed")]
    connection.commit()
    step = task.removeprefix("send_")
    assert logged(connection, batch_id) == [(step, "failed", "the process that sent it ended 5 times")]


def test_failed_attempts_do_not_count_as_lost_ones(connection, ended):
    ended("http://e.org")
    connection.execute("UPDATE procrastinate_jobs SET attempts = 6")
    lose_a_job(connection)
    assert connection.execute(RESCUE).fetchall() == [("send_webhook", "handed back")]


def test_a_lost_delivery_of_which_nothing_is_known_any_more_is_finished(connection, ended):
    ended("http://e.org")
    connection.execute("DELETE FROM request_notification")
    lose_a_job(connection)
    assert connection.execute(RESCUE).fetchall() == [("send_webhook", "finished")]


def test_addresses_are_forgotten_thirty_days_after_the_end(connection, ended, database):
    kept = ended("http://e.org")
    connection.execute("UPDATE batch_jobs SET completed_at = completed_at - interval '29 days'")
    old, gone = ended("http://e.org"), ended("http://e.org")
    running = ended("http://e.org", status="failed")
    age = "UPDATE batch_jobs SET completed_at = completed_at - interval '31 days' WHERE batch_id = %s"
    connection.execute(age, (old,))
    connection.execute("DELETE FROM batch_jobs WHERE batch_id = %s", (gone,))
    start = "UPDATE batch_jobs SET status = 'running', completed_at = NULL WHERE batch_id = %s"
    connection.execute(start, (running,))
    connection.commit()

    async def one_round():
        async with AsyncConnectionPool(database, min_size=1, open=False) as pool:
            await Retention(pool).round()

    asyncio.run(one_round())
    left = {row[0] for row in connection.execute("SELECT batch_id FROM request_notification")}
    assert left == {kept, running}


# --- the daemon ---------------------------------------------------------------------------------------------

CONFIGURED = {"WEBHOOK_SECRET": SECRET, "WEBHOOK_ALLOW_PRIVATE": "true"}


@pytest.mark.daemon
def test_a_daemon_tells_by_both_ways_after_a_first_refusal_once_and_keeps_the_addresses_to_itself(
    database, connection, ended, tmp_path
):
    log = tmp_path / "daemon.log"
    with webhook_receiver(503, 200) as receiver, mail_server() as mailbox:
        mailbox.says["CONNECT"] = "421 not now"
        mail = {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mailbox.port),
            "SMTP_SECURITY": "none",
            "SMTP_FROM": "a@b.kr",
        }
        with running_daemon(database, log, LOG_FORMAT="json", **CONFIGURED, **mail):
            batch_id = ended(receiver.url(path="/confidential/path"), EMAIL)
            wait_for(lambda: "the mail server answered 421" in log.read_text())
            del mailbox.says["CONNECT"]
            told = {("webhook", "completed", None), ("email", "completed", None)}
            wait_for(lambda: set(logged(connection, batch_id)) == told)
            wait_for(lambda: {row[2] for row in queued(connection)} == {"succeeded"})
    assert len(receiver.requests) == 2
    assert [mail[1] for mail in mailbox.mails] == [EMAIL]
    for request in receiver.requests:
        check_signature(request)
        assert request.headers["Idempotency-Key"] == receiver.requests[0].headers["Idempotency-Key"]
    everything = log.read_text() + str(queued(connection)) + str(logged(connection, batch_id))
    everything += str(connection.execute("SELECT * FROM batch_jobs").fetchall())
    for address in (EMAIL, "confidential", str(receiver.port), SECRET):
        assert address not in everything


@pytest.mark.daemon
def test_a_receiver_that_drips_keeps_nobody_from_working_and_a_killed_sender_is_replaced(
    database, connection, ended, tmp_path
):
    with (
        webhook_receiver(headers_that_never_end, 200) as receiver,
        running_daemon(database, tmp_path / "daemon.log", **CONFIGURED) as daemon,
    ):
        batch_id = ended(receiver.url())
        assert receiver.holding.wait(120)
        connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('hazard')")
        connection.commit()
        planned = "SELECT count(*) FROM batch_jobs WHERE job_type = 'hazard' AND status = 'completed'"
        wait_for(lambda: connection.execute(planned).fetchone() == (1,) or connection.rollback())
        assert not receiver.let_go.is_set()
        for process in psutil.Process(daemon.pid).children():
            if "control" in process.cmdline():
                process.kill()
        wait_for(lambda: logged(connection, batch_id) == [("webhook", "completed", None)])
    assert len(receiver.requests) == 2
