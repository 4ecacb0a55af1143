"""Which addresses a webhook may go to, and which URLs and addresses may be asked for at all."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket

import psycopg.errors
import pytest

from aiops.errors import DeliveryFailed, DeliveryRefused
from workers.notify.guard import allowed_addresses, is_allowed

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "203.248.252.2",
    "172.15.255.255",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "2001:dc8::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "240.0.0.1",
    "::1",
    "fc00::1",
    "fdff::1",
    "fec0::1",
    "2001:db8::1",
    "2001::1",
    "3fff::1",
    "5f00::1",
    "100::1",
    "64:ff9b:1::1",
    # Other addresses inside.
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:192.168.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::192.168.1.1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
]
NEVER = [
    "0.0.0.0",
    "255.255.255.255",
    "169.254.169.254",
    "224.0.0.1",
    "239.255.255.255",
    "::",
    "::0.0.0.0",
    "::ffff:0.0.0.0",
    "::ffff:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "2002:a9fe:a9fe::",
    "fe80::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_that_everybody_can_reach_is_allowed(address):
    assert is_allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_allowed_by_the_setting_only(address):
    assert not is_allowed(ipaddress.ip_address(address))
    assert is_allowed(ipaddress.ip_address(address), allow_private=True)


@pytest.mark.parametrize("address", NEVER)
def test_link_local_group_and_empty_addresses_are_never_allowed(address):
    assert not is_allowed(ipaddress.ip_address(address))
    assert not is_allowed(ipaddress.ip_address(address), allow_private=True)


# --- names --------------------------------------------------------------------------------------------------


def resolve(host, **options):
    return [str(one) for one in asyncio.run(allowed_addresses(host, 443, **options))]


@pytest.fixture
def names(monkeypatch):
    """A name server of the test's own: a dictionary of names and their addresses."""
    known = {}

    def getaddrinfo(host, port, *_, **__):
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        found = [ipaddress.ip_address(one) for one in known[host]]
        return [(families[one.version], socket.SOCK_STREAM, 6, "", (str(one), port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


def test_all_addresses_of_a_name_are_given_once_and_in_order(names):
    names["many.test"] = ["2606:4700:4700::1111", "8.8.8.8", "8.8.8.8"]
    assert resolve("many.test") == ["2606:4700:4700::1111", "8.8.8.8"]


def test_one_private_address_among_public_ones_refuses_the_name(names):
    names["mixed.test"] = ["8.8.8.8", "10.0.0.1"]
    with pytest.raises(DeliveryRefused, match="WEBHOOK_ALLOW_PRIVATE"):
        resolve("mixed.test")
    assert resolve("mixed.test", allow_private=True) == ["8.8.8.8", "10.0.0.1"]


def test_a_name_that_does_not_resolve_may_do_so_later(names):
    with pytest.raises(DeliveryFailed) as failure:
        resolve("nowhere.test")
    assert not isinstance(failure.value, DeliveryRefused)
    assert "nowhere" not in str(failure.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "localhost", "::1"])
def test_no_way_of_writing_the_loopback_address_passes(host):
    with pytest.raises(DeliveryRefused):
        resolve(host)


def test_a_host_that_cannot_be_a_name_is_refused():
    with pytest.raises(DeliveryRefused):
        resolve("a" * 64 + ".test")


# --- what may be asked --------------------------------------------------------------------------------------


def validate(connection, notify):
    given = notify if isinstance(notify, str) or notify is None else json.dumps(notify)
    return connection.execute("SELECT validate_notification(%s::jsonb)", (given,)).fetchone()[0]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "HTTP://EXAMPLE.org:8080/a/b?c=d@e#f",
        "https://xn--o39ao70b.kr./hook",
        "http://[2001:db8::1]:80/",
        "http://192.0.2.1/a%20b",
        "https://example.org/" + "a" * 1980,
    ],
)
def test_a_plain_url_is_taken_as_it_is(connection, url):
    assert validate(connection, {"webhook": url, "email": None}) == {"webhook": url}


@pytest.mark.parametrize("address", ["a@b.kr", "first.last+tag@sub.example-site.org", "o'neil_{x}@example.co.kr"])
def test_a_plain_e_mail_address_is_taken_as_it_is(connection, address):
    assert validate(connection, {"email": address}) == {"email": address}


def test_nothing_asked_is_nothing(connection):
    assert validate(connection, None) is None
    assert validate(connection, "null") is None


@pytest.mark.parametrize(
    ("notify", "field", "given"),
    [
        ("[]", "notify", "a JSON array"),
        ('"https://example.org"', "notify", "a JSON string"),
        ({}, "notify", "neither"),
        ({"webhook": None}, "notify", "neither"),
        ({"sms": "010"}, "notify.sms", "this key"),
        ({"webhook": 1}, "notify.webhook", "a JSON number"),
        ({"webhook": {}}, "notify.webhook", "a JSON object"),
        ({"webhook": ""}, "notify.webhook", "does not start with http"),
        ({"webhook": "example.org/secret"}, "notify.webhook", "does not start with http"),
        ({"webhook": "ftp://example.org/secret"}, "notify.webhook", "does not start with http"),
        ({"webhook": "file:///etc/secret"}, "notify.webhook", "does not start with http"),
        ({"webhook": "https://"}, "notify.webhook", "without a host"),
        ({"webhook": "https:///secret"}, "notify.webhook", "without a host"),
        ({"webhook": "https://:443/secret"}, "notify.webhook", "without a host"),
        ({"webhook": "https://user:secret@example.org/"}, "notify.webhook", "a user or a password"),
        ({"webhook": "https://secret@example.org"}, "notify.webhook", "a user or a password"),
        ({"webhook": "https://exa mple.org/secret"}, "notify.webhook", "a space or a sign"),
        ({"webhook": "https://example.org/secret\r\nX: y"}, "notify.webhook", "a space or a sign"),
        ({"webhook": "https://example.org\\@secret.org/"}, "notify.webhook", "a space or a sign"),
        ({"webhook": "https://예.kr/secret"}, "notify.webhook", "a space or a sign"),
        ({"webhook": "https://a..b/secret"}, "notify.webhook", "an odd host"),
        ({"webhook": "https://[zz]/secret"}, "notify.webhook", "an odd host"),
        ({"webhook": "https://a%2fb/secret"}, "notify.webhook", "an odd host"),
        ({"webhook": "https://example.org:0/secret"}, "notify.webhook", "an odd port"),
        ({"webhook": "https://example.org:65536/secret"}, "notify.webhook", "an odd port"),
        ({"webhook": "https://example.org:/secret"}, "notify.webhook", "an odd port"),
        ({"webhook": "https://example.org:99999999999/secret"}, "notify.webhook", "an odd port"),
        ({"webhook": "https://example.org/secret" + "a" * 2000}, "notify.webhook", "a text of 2026 characters"),
        ({"email": 1}, "notify.email", "a JSON number"),
        ({"email": ["secret@b.kr"]}, "notify.email", "a JSON array"),
        ({"email": "secret"}, "notify.email", "not one address"),
        ({"email": "secret@"}, "notify.email", "not one address"),
        ({"email": "@b.kr"}, "notify.email", "not one address"),
        ({"email": "secret@localhost"}, "notify.email", "not one address"),
        ({"email": "secret@a.1"}, "notify.email", "not one address"),
        ({"email": "secret@-a.kr"}, "notify.email", "not one address"),
        ({"email": "secret@@b.kr"}, "notify.email", "not one address"),
        ({"email": ".secret@b.kr"}, "notify.email", "not one address"),
        ({"email": "secret@b.kr, c@d.kr"}, "notify.email", "not one address"),
        ({"email": "Some One <secret@b.kr>"}, "notify.email", "not one address"),
        ({"email": "secret@b.kr\nBcc: c@d.kr"}, "notify.email", "not one address"),
        ({"email": "secret@b.kr\n"}, "notify.email", "not one address"),
        ({"email": "s" * 65 + "@b.kr"}, "notify.email", "not one address"),
        ({"email": "secret@" + "b" * 250 + ".kr"}, "notify.email", "a text of 260 characters"),
    ],
)
def test_what_cannot_be_told_to_is_refused_by_field_and_without_repeating_it(connection, notify, field, given):
    with pytest.raises(psycopg.errors.InvalidParameterValue) as refused:
        validate(connection, notify)
    message = refused.value.diag.message_primary
    assert message.startswith(f"input_params.{field}: ")
    assert given in message
    assert "; allowed: " in message
    assert "secret" not in message
    assert refused.value.diag.column_name == field
