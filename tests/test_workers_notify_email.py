"""E-mail: in two languages, through the mail server of the settings, to one address and nobody else."""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import socket
import ssl
import time
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
import trustme
from receivers import mail_server, silent_server

from aiops.errors import DeliveryFailed, SettingsError
from aiops.settings import load_settings
from workers.notify import email as notify_email
from workers.notify.email import MailServer, compose, deliver_email
from workers.notify.notice import Notice
from workers.retry import is_hopeless

NOTICE = Notice(
    batch_id=UUID("8f14e45f-ceea-467f-a8dd-0123456789ab"),
    job_type="ondemand_risk_calculation",
    status="completed",
    progress=100,
    error_message=None,
    warnings=[],
    completed_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
)
TO = "asker@example.org"


def server_of(box, **options):
    options = {"host": "127.0.0.1", "security": "none", "sender": "기후 위험 <aiops@example.org>", **options}
    return MailServer(port=box.port, **options)


def deliver(server, notice=NOTICE, recipient=TO, **options):
    asyncio.run(deliver_email(recipient, notice, server=server, **options))


def failure_of(server, **options):
    with pytest.raises(DeliveryFailed) as failure:
        deliver(server, **options)
    assert TO not in str(failure.value)
    return failure.value


def read(mail):
    return email.message_from_bytes(mail[2], policy=email.policy.default)


def text_of(mail):
    return read(mail).get_content().replace("\r\n", "\n")


# --- what is sent -------------------------------------------------------------------------------------------


def test_an_e_mail_says_in_two_languages_what_has_ended_and_how():
    with mail_server() as box:
        deliver(server_of(box))
    ((sender, recipient, _, _),) = box.mails
    assert (sender, recipient) == ("aiops@example.org", TO)
    message = read(box.mails[0])
    assert message["From"] == "기후 위험 <aiops@example.org>"
    assert message["To"] == TO
    assert message["Subject"] == "[aiops] ondemand_risk_calculation: completed · 완료"
    assert message["Message-ID"] == "<8f14e45f-ceea-467f-a8dd-0123456789ab.1772357400@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOTICE.completed_at
    text = message.get_content()
    for line in ("Your request has ended: completed.", "요청하신 작업이 끝났습니다: 완료.", str(NOTICE.batch_id)):
        assert line in text
    assert "2026-03-01T09:30:00Z" in text
    assert "오류" not in text


def test_a_failure_is_told_with_its_reason_and_warnings_are_listed_up_to_twenty():
    notice = replace(
        NOTICE, status="failed", progress=50, error_message="자료 없음\nno data", warnings=[f"w{n}." for n in range(25)]
    )
    with mail_server() as box:
        deliver(server_of(box), notice)
    text = text_of(box.mails[0])
    assert "실패" in text
    assert "자료 없음\nno data" in text
    assert "w19." in text
    assert "w20." not in text
    assert "(25)" in text


def test_a_text_with_a_dot_on_a_line_of_its_own_arrives_whole():
    with mail_server() as box:
        deliver(server_of(box), replace(NOTICE, status="failed", error_message="before\n.\nafter"))
    assert "before\n.\nafter" in text_of(box.mails[0])


# --- to nobody else -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "recipient",
    [
        "asker@example.org\r\nBcc: other@example.org",
        "asker@example.org\nBcc: other@example.org",
        "asker@example.org, other@example.org",
        "asker@example.org>\r\nRCPT TO:<other@example.org",
        "Asker <asker@example.org>",
        "asker",
        "가@example.org",
        "",
    ],
)
def test_a_recipient_that_is_more_than_one_address_is_refused(recipient):
    with mail_server() as box, pytest.raises(DeliveryFailed) as failure:
        deliver(server_of(box), recipient=recipient)
    assert is_hopeless(failure.value)
    assert box.commands == []


def test_what_a_request_says_cannot_become_a_header():
    odd = "test\r\nBcc: other@example.org\r\n\r\nhello"
    message = compose(replace(NOTICE, job_type=odd, error_message=odd, warnings=[odd]), TO, "aiops@example.org")
    parsed = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
    assert parsed["Bcc"] is None
    ours = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"}
    assert set(parsed.keys()) - ours == {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    assert len(parsed.keys()) == 9


@pytest.mark.parametrize(
    "sender", ["aiops", "a@b.kr\nBcc: c@d.kr", "a@b.kr, c@d.kr", "x\r\nBcc: y <a@b.kr>", "가@b.kr"]
)
def test_a_sender_that_is_not_one_address_stops_the_start(monkeypatch, sender):
    monkeypatch.setenv("SMTP_HOST", "mail.test")
    monkeypatch.setenv("SMTP_FROM", sender)
    with pytest.raises(SettingsError, match="SMTP_FROM"):
        load_settings()


def test_a_mail_server_without_a_sender_and_a_user_without_a_password_stop_the_start(monkeypatch):
    monkeypatch.setenv("SMTP_HOST", "mail.test")
    with pytest.raises(SettingsError, match="SMTP_FROM: needed with SMTP_HOST"):
        load_settings()
    monkeypatch.setenv("SMTP_FROM", "aiops@example.org")
    monkeypatch.setenv("SMTP_USER", "u")
    with pytest.raises(SettingsError, match="SMTP_USER and SMTP_PASSWORD"):
        load_settings()
    monkeypatch.setenv("SMTP_PASSWORD", "p")
    server = MailServer.of(load_settings())
    assert server == MailServer("mail.test", 587, "starttls", "aiops@example.org", "u", "p")


def test_a_short_secret_is_refused_and_not_repeated(monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", "abc123")
    with pytest.raises(SettingsError, match="WEBHOOK_SECRET") as refused:
        load_settings()
    assert "abc123" not in str(refused.value)


def test_without_a_mail_server_nothing_is_sent():
    failure = failure_of(MailServer.of(load_settings()))
    assert is_hopeless(failure)
    assert "SMTP_HOST" in str(failure)


# --- answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "says", "reason", "hopeless"),
    [
        ("RCPT", "550 5.1.1 <asker@example.org> no such user", "the mail server refused the recipient (550)", True),
        ("RCPT", "450 4.2.1 try later", "the mail server refused the recipient (450)", False),
        ("MAIL", "553 not you", "the mail server refused the sender (553)", True),
        ("MAIL", "451 try later", "the mail server refused the sender (451)", False),
        ("DATA", "554 no", "the mail server refused the message (554)", True),
        ("MESSAGE", "554 asker@example.org does not like it", "the mail server refused the message (554)", True),
        ("MESSAGE", "452 full", "the mail server refused the message (452)", False),
        ("CONNECT", "421 not now", "the mail server answered 421", False),
    ],
)
def test_a_refusal_for_good_ends_it_and_trouble_does_not(command, says, reason, hopeless):
    with mail_server() as box:
        box.says[command] = says
        failure = failure_of(server_of(box))
    assert str(failure) == reason
    assert is_hopeless(failure) == hopeless


def test_taken_is_taken_however_the_farewell_goes():
    with mail_server() as box:
        box.says["QUIT"] = "500 what"
        deliver(server_of(box))
    assert len(box.mails) == 1


def test_a_port_where_nobody_listens_is_trouble():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    failure = failure_of(MailServer("127.0.0.1", port, "none", "a@b.kr"))
    assert "no connection to the mail server" in str(failure)
    assert not is_hopeless(failure)


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mail_server_that_never_says_a_word_is_left_at_the_deadline(monkeypatch, security):
    monkeypatch.setattr(notify_email, "_STEP_SECONDS", 1.0)
    with silent_server() as port:
        started = time.monotonic()
        failure = failure_of(MailServer("127.0.0.1", port, security, "a@b.kr"), deadline=0.5)
        assert time.monotonic() - started < 10
    assert "within 0.5 s" in str(failure)
    assert not is_hopeless(failure)


def test_each_answer_is_waited_for_so_long_and_no_longer(monkeypatch):
    monkeypatch.setattr(notify_email, "_STEP_SECONDS", 0.5)
    with silent_server() as port:
        failure = failure_of(MailServer("127.0.0.1", port, "none", "a@b.kr"))
    assert "did not answer within 0.5 s" in str(failure)


# --- TLS and login ------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """An authority that is trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


def server_side(authority, name="localhost"):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


LOGIN = {"user": "aiops", "password": "confidential"}


def test_starttls_encrypts_before_the_login_and_the_message(authority):
    with mail_server(server_side(authority), offers_tls=True, offers_login=True) as box:
        deliver(server_of(box, host="localhost", security="starttls", **LOGIN))
    assert [mail[3] for mail in box.mails] == [True]
    assert base64.b64decode(box.logins[0]) == b"\0aiops\0confidential"
    verbs = [command.split()[0].upper() for command in box.commands]
    assert verbs.index("STARTTLS") < verbs.index("AUTH") < verbs.index("MAIL")


def test_tls_from_the_first_byte(authority):
    with mail_server(server_side(authority), wrapped=True) as box:
        deliver(server_of(box, host="localhost", security="tls"))
    assert len(box.mails) == 1


def test_a_server_that_does_not_offer_starttls_gets_nothing(authority):
    with mail_server(offers_login=True) as box:
        failure = failure_of(server_of(box, host="localhost", security="starttls", **LOGIN))
    assert "does not offer" in str(failure)
    assert box.logins == []
    assert box.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_for_another_host_ends_it_before_the_login(authority, security):
    options = {"offers_tls": True, "offers_login": True, "wrapped": security == "tls"}
    with mail_server(server_side(authority, "mail.test"), **options) as box:
        failure = failure_of(server_of(box, host="localhost", security=security, **LOGIN))
    assert "certificate is not trusted" in str(failure)
    assert not is_hopeless(failure)
    assert box.logins == []


@pytest.mark.parametrize(("code", "password"), [("535", "wrong"), ("454", "later")])
def test_a_login_that_is_refused_is_trouble_of_the_settings_not_of_the_message(code, password):
    with mail_server(offers_login=True) as box:
        box.says["AUTH"] = f"{code} no"
        failure = failure_of(server_of(box, user="aiops", password=password))
    assert str(failure) == f"the mail server refused SMTP_USER and SMTP_PASSWORD ({code})"
    assert not is_hopeless(failure)


def test_a_password_that_login_cannot_carry_is_said_to_be_so():
    with mail_server(offers_login=True) as box:
        failure = failure_of(server_of(box, user="aiops", password="암호"))
    assert "SMTP_PASSWORD" in str(failure)
    assert "암호" not in str(failure)
