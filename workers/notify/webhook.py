"""One attempt to deliver a webhook: signed, to the address that was judged, within a deadline.

Nothing that the receiver does can hold the sender for longer: not a slow name server, not an answer that comes a byte
at a time, not one that never ends. A redirect is an answer like any other: where it leads was not judged.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import logging
import ssl
import time
from functools import cache
from typing import TYPE_CHECKING

import httpx

from aiops.errors import DeliveryFailed, DeliveryRefused
from workers.notify.guard import allowed_addresses
from workers.notify.trust import tls_context

if TYPE_CHECKING:
    from workers.notify.notice import Notice

DEADLINE_SECONDS = 15.0
"""From the name's resolution to the answer's status, all together. Shorter than the grace that a stop gives."""
_CONNECT_SECONDS = 5.0
"""For an address to take the connection, and again for TLS; a host may have several, not all of which answer."""
_CONNECT_SHARE = 0.45
"""Of the time that is left, for each of these two at most: they end by themselves, before the deadline cuts them off.
(In the middle of a TLS handshake, that would leave the socket open.)"""
_DRAIN_SECONDS = 1.0
_DRAIN_BYTES = 16_384
"""How much of an answer's body is taken: nothing is read from it, but a receiver may mind being cut off."""

_TRY_AGAIN = frozenset({408, 425, 429})
"""Answers of the 4xx kind that say: later (RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4)."""
_FOR_ANOTHER_HOST = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: the text of these names the host."""

# These two tell every URL that they call, from the level info on.
for _library in ("httpx", "httpcore"):
    logging.getLogger(_library).setLevel(logging.WARNING)


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The header `Aiops-Signature`: `t=<timestamp>,v1=<hex>`.

    v1 is the HMAC-SHA256 (RFC 2104) of the timestamp in decimals, a full stop, and the body as it is sent.
    """
    return f"t={timestamp},v1={hmac.digest(secret.encode(), b'%d.%b' % (timestamp, body), 'sha256').hex()}"


async def deliver_webhook(
    url: str,
    notice: Notice,
    *,
    secret: str | None,
    allow_private: bool = False,
    deadline: float = DEADLINE_SECONDS,
) -> None:
    """POST a notice to a URL; returns when the receiver has answered 2xx.

    Args:
        url: http or https.
        notice: what is told.
        secret: what it is signed with; without one nothing is sent.
        allow_private: whether private and loopback addresses are allowed.
        deadline: seconds for all of it.

    Raises:
        DeliveryFailed: not this time.
        DeliveryRefused: and not by trying again.
    """
    if not secret:
        raise DeliveryRefused("webhooks are not configured: the setting WEBHOOK_SECRET is empty")
    target = _parsed(url)
    body = notice.body()
    headers = {
        "Host": target.netloc.decode("ascii"),
        "User-Agent": "aiops",
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "Idempotency-Key": notice.key,
        "Aiops-Signature": signature(secret, int(time.time()), body),
    }
    # trust_env: a proxy from the environment would connect to where the name resolves for it.
    async with httpx.AsyncClient(verify=_context(), trust_env=False, timeout=deadline) as client:
        try:
            async with asyncio.timeout(deadline) as limit:
                response = await _post(client, target, headers, body, limit=limit, allow_private=allow_private)
        except httpx.ConnectTimeout:
            raise DeliveryFailed("the receiver did not take the connection in time") from None
        except (TimeoutError, httpx.TimeoutException):
            raise DeliveryFailed(f"the receiver did not answer within {deadline:g} s") from None
        except httpx.TransportError as error:
            raise DeliveryFailed(_reason(error)) from None
        try:
            await _drain(response)
        finally:
            await response.aclose()
    _judge(response.status_code)


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
        wrong = (
            parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo or not parsed.netloc.isascii()
        )
    except (httpx.InvalidURL, UnicodeError):
        wrong = True
    if wrong:
        raise DeliveryRefused("the webhook is not an http:// or https:// URL with a host and without user and password")
    return parsed


async def _post(
    client: httpx.AsyncClient,
    target: httpx.URL,
    headers: dict[str, str],
    body: bytes,
    *,
    limit: asyncio.Timeout,
    allow_private: bool,
) -> httpx.Response:
    """Send it to the first address that takes the connection; the answer's body is not read yet."""
    host = target.raw_host.decode("ascii")
    port = target.port or (443 if target.scheme == "https" else 80)
    # The connection goes to an address; the certificate must be for the host. (An address needs no such word.)
    extensions = {} if _is_address(host) else {"sni_hostname": host.rstrip(".")}
    failure: httpx.TransportError | None = None
    for address in await allowed_addresses(host, port, allow_private=allow_private):
        left = max(0.0, (limit.when() or 0.0) - asyncio.get_running_loop().time())
        request = client.build_request(
            "POST",
            target.copy_with(host=str(address)),
            headers=headers,
            content=body,
            extensions=extensions,
            timeout=httpx.Timeout(left, connect=min(_CONNECT_SECONDS, _CONNECT_SHARE * left)),
        )
        try:
            return await client.send(request, stream=True, follow_redirects=False)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            failure = error  # nothing has been sent yet: the next address may be nearer
    if failure is None:
        raise DeliveryFailed("the webhook's host does not resolve")
    raise failure


async def _drain(response: httpx.Response) -> None:
    taken = 0
    with contextlib.suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for piece in response.aiter_raw():
                taken += len(piece)
                if taken >= _DRAIN_BYTES:
                    return


def _judge(status: int) -> None:
    if 200 <= status < 300:
        return
    if 400 <= status < 500 and status not in _TRY_AGAIN:
        raise DeliveryRefused(f"the receiver answered {status}")
    raise DeliveryFailed(f"the receiver answered {status}")


def _reason(error: BaseException) -> str:
    """Why it failed, in our words: those of the libraries name the host."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            if cause.verify_code in _FOR_ANOTHER_HOST:
                return "the receiver's certificate is for another host"
            return f"the receiver's certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"no TLS with the receiver ({cause.reason or type(cause).__name__})"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectError):
        return "the receiver does not take connections"
    return f"the connection to the receiver broke ({type(error).__name__})"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@cache
def _context() -> ssl.SSLContext:
    return tls_context()
