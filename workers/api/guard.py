"""What every request passes on its way in and out: its number, its log line, limits, keys, headers, errors.

One layer, and no more: each costs every request.
"""

from __future__ import annotations

import ipaddress
import re
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request

from workers.api.problems import MEDIA_TYPE, Problem, problem_of
from workers.api.rendering import error_page

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from workers.api.keys import Keys
    from workers.api.limits import TokenBuckets
    from workers.api.metrics import Metrics

log = structlog.get_logger("workers.api")

_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_METHODS: Final = (*_SAFE, "POST")
_OPEN: Final = ("/healthz", "/readyz", "/login")
"""Without a key."""
_PROBES: Final = ("/healthz", "/readyz")
"""Whoever else guesses keys at the same address, these are answered."""
_QUIET: Final = ("/healthz", "/readyz", "/metrics", "/static/")
_ASKING_COSTS: Final = 10.0
WRONG_KEY_COSTS: Final = 50.0

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """The outermost layer."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: Keys,
        buckets: TokenBuckets,
        metrics: Metrics,
        most_bytes: int,
        origins: list[str],
        hosts: list[str],
    ) -> None:
        self._app = app
        self._keys = keys
        self._buckets = buckets
        self._metrics = metrics
        self._most_bytes = most_bytes
        self._origins = frozenset(origins)
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = _Passage(self, scope, receive, send)
        with structlog.contextvars.bound_contextvars(request_id=passage.request_id):
            await passage.go()

    def refuse(self, scope: Scope, headers: Headers, client: str) -> None:
        """Raise a Problem if a request may not pass."""
        method, path = scope["method"], scope["path"]
        wait = self._buckets.take(client, 1.0 if method in _SAFE else _ASKING_COSTS)
        if wait > 0:
            raise _too_many(wait)
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length[:20]) > self._most_bytes:
            raise self.too_long()
        self._refuse_strange_host(path, headers)
        self._refuse_without_key(path, headers, client)
        if method not in _SAFE:
            self._refuse_strange_page(headers)

    def _refuse_without_key(self, path: str, headers: Headers, client: str) -> None:
        if not self._keys.needed or path in _OPEN or path.startswith("/static/"):
            return
        if self._keys.admits(headers) is None:
            if self._keys.sent(headers):
                self._buckets.charge(client, WRONG_KEY_COSTS)
            raise Problem(
                401, "send a key of this server: X-API-Key: …, or Authorization: Bearer …", "key-needed",
                headers={"WWW-Authenticate": 'Bearer realm="aiops"'},
            )  # fmt: skip

    def _refuse_strange_host(self, path: str, headers: Headers) -> None:
        """Where no key is needed, a name that somebody else has pointed at this server must not lead to it.

        To a browser, a page under such a name and this server are one site (DNS rebinding). A name without a dot is
        nobody's on the internet, an address is no name; any other has to be one that was meant.
        """
        if self._keys.needed or path in _OPEN:
            return
        name = _name_of(headers.get("host", ""))
        if not ("." not in name or name in self._hosts or _is_address(name)):
            raise Problem(
                421, f"this server does not answer to the name {name[:200]}; allowed: its address, localhost, the "
                "names of API_ALLOWED_HOSTS; any name where a key is needed (API_KEY)", "host",
            )  # fmt: skip

    def _refuse_strange_page(self, headers: Headers) -> None:
        """A page of somebody else must not act through the browser of a user who may.

        Browsers say where a request comes from; whoever does not is no browser, and has no user's rights to lend.
        """
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if origin in self._origins:
            return
        foreign = site not in ("same-origin", "none") if site is not None else not _is_own(origin, headers.get("host"))
        if foreign:
            raise Problem(
                403, f"a page of {(origin or 'another site')[:200]} may not ask here (API_CORS_ORIGINS)", "origin"
            )

    def key_of(self, headers: Headers) -> str | None:
        """Which key of ours a request brings; None: none."""
        admitted = self._keys.admits(headers) if self._keys.needed else None
        return None if admitted == "session" else admitted

    def too_long(self) -> Problem:
        """The body is longer than allowed."""
        most = self._most_bytes // (1 << 20)
        return Problem(413, f"the body is too long; allowed: {most} MB (API_BODY_LIMIT_MB)", "too-long")

    @property
    def metrics(self) -> Metrics:
        """Where requests are counted."""
        return self._metrics

    @property
    def app(self) -> ASGIApp:
        """What lies within."""
        return self._app

    @property
    def most_bytes(self) -> int:
        """Of a body."""
        return self._most_bytes


class _Passage:
    """One request."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self._guard = guard
        self._scope = scope
        self._receive = receive
        self._send = send
        self._headers = Headers(scope=scope)
        given = self._headers.get("x-request-id", "")
        self.request_id = given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        self._started = time.perf_counter()
        self._status = 0
        self._read_bytes = 0
        scope.setdefault("state", {})["request_id"] = self.request_id

    async def go(self) -> None:
        """Through all of it."""
        try:
            self._guard.refuse(self._scope, self._headers, self._client())
            await self._guard.app(self._scope, self._bounded_receive, self._marked_send)
        except Exception as error:  # noqa: BLE001  whatever it is, the caller gets an answer and the log all of it
            await self._answer_error(error)
        finally:
            self._tell()

    async def _answer_error(self, error: Exception) -> None:
        problem = problem_of(error)
        if problem is None:
            log.error("request failed", path=_printable(self._scope), exc_info=error)
            problem = Problem(500, f"a fault of this server; its log has it under {self.request_id}", "fault")
        if self._status:  # the answer has begun: it can only be cut off
            raise error
        if problem.status == 401 and self._is_page():
            await self._reply(303, b"", {"Location": "/login"})
            return
        if self._is_page():
            page = error_page(Request(self._scope), problem, self.request_id)
            await self._reply(problem.status, page, {"Content-Type": "text/html; charset=utf-8", **problem.headers})
            return
        body = problem.body(self._scope["path"], self.request_id)
        await self._reply(problem.status, body, {"Content-Type": MEDIA_TYPE, **problem.headers})

    def _is_page(self) -> bool:
        """Whether a person looks at what comes."""
        return "text/html" in self._headers.get("accept", "") and not self._scope["path"].startswith("/api/")

    async def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        raw.append((b"content-length", str(len(body)).encode()))
        await self._marked_send({"type": "http.response.start", "status": status, "headers": raw})
        sent = b"" if self._scope["method"] == "HEAD" else body
        await self._marked_send({"type": "http.response.body", "body": sent})

    async def _bounded_receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._read_bytes += len(message.get("body", b""))
            if self._read_bytes > self._guard.most_bytes:
                raise self._guard.too_long()
        return message

    async def _marked_send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.request_id
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)

    def _client(self) -> str:
        """Whose bucket it is: a key's, else an address's."""
        # A key that is wrong would give its sender a new bucket for each guess.
        key = self._guard.key_of(self._headers)
        client = self._scope.get("client")
        name = key or ("probe " if self._scope["path"] in _PROBES else "address ") + (client[0] if client else "none")
        self._scope["state"]["client"] = name
        return name

    def _tell(self) -> None:
        seconds = time.perf_counter() - self._started
        path, method = self._scope["path"], self._scope["method"]
        route = getattr(self._scope.get("route"), "path", None) or "other"
        self._guard.metrics.count(route, method if method in _METHODS else "other", self._status, seconds)
        line: dict[str, Any] = {
            "method": method,
            "path": _printable(self._scope),
            "status": self._status,
            "seconds": round(seconds, 4),
        }
        client = self._scope.get("client")
        tell = log.debug if path.startswith(_QUIET) else log.info
        tell("request", **line, client=client[0] if client else None)


def _too_many(wait: float) -> Problem:
    return Problem(
        429, "this client asks too often (API_RATE_LIMIT)", "too-many",
        headers={"Retry-After": str(max(1, round(wait + 0.5)))},
    )  # fmt: skip


def _printable(scope: Scope) -> str:
    """The path as it was asked for: what a terminal would take for an order stays behind its per cent sign."""
    raw = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if 0x20 < byte < 0x7F else f"%{byte:02X}" for byte in raw)


def _name_of(host: str) -> str:
    """Of a Host header, without the port, in lower case."""
    name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    return name.rstrip(".").lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_own(origin: str | None, host: str | None) -> bool:
    return origin is None or origin.partition("://")[2] == host
