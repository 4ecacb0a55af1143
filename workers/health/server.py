"""The HTTP face of the daemon's health: `/livez`, `/readyz`, `/metrics`."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import contextmanager
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client.exposition import choose_encoder

from aiops.errors import SettingsError
from workers.health.cached import Cached
from workers.health.checks import check_all
from workers.health.daemon import check_processes
from workers.health.metrics import registry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workers.health.daemon import Daemon

log = structlog.get_logger(__name__)

LIVE_SECONDS = 30.0
"""The parent looks after its processes ten times a second, and takes less than this to stop."""
READY_SECONDS = 1.0
"""For so long one answer of the database goes for all who ask whether we are ready."""
PATIENCE_SECONDS = 10.0
"""For a client that is slow to say what it wants, or to take the answer."""

Answer = tuple[HTTPStatus, str, bytes]


@contextmanager
def health_over_http(daemon: Daemon, host: str, port: int) -> Iterator[None]:
    """Answer in threads of this process for as long as the block lasts.

    Raises:
        SettingsError: the address cannot be had.
    """
    try:
        server = _Server((host, port), daemon)
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"settings HEALTH_HOST, HEALTH_PORT: {host}:{port} cannot be used: {error}") from None
    thread = threading.Thread(target=server.serve_forever, name="aiops health", daemon=True)
    thread.start()
    log.info("health served", host=host, port=port)
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A request that is under way does not keep the daemon from its end.
    block_on_close = False

    def __init__(self, address: tuple[str, int], daemon: Daemon) -> None:
        super().__init__(address, _Handler)
        self._daemon = daemon
        self._registry = registry_of(daemon)
        self._checks = Cached(check_all, READY_SECONDS)
        self.answers: dict[str, Callable[[str], Answer]] = {
            "/livez": self._live,
            "/readyz": self._ready,
            "/metrics": self._metrics,
        }

    def _live(self, _accept: str) -> Answer:
        """Whether the parent goes round; that is all that a restart from outside could mend."""
        silent = self._daemon.silent_seconds()
        live = silent < LIVE_SECONDS
        return _json(live, {"live": live, "silent_seconds": round(silent, 1)})

    def _ready(self, _accept: str) -> Answer:
        checks = (check_processes(self._daemon), *self._checks.get())
        failing = [one.name for one in checks if not one.is_ok]
        data = {"ready": not failing, "failing": failing, "checks": [asdict(one) for one in checks]}
        return _json(not failing, data)

    def _metrics(self, accept: str) -> Answer:
        encode, content_type = choose_encoder(accept)
        return HTTPStatus.OK, content_type, encode(self._registry)

    def handle_error(self, _request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no news; anything else is a fault of ours."""
        gone = isinstance(sys.exception(), ConnectionError | TimeoutError)
        level = log.debug if gone else log.error
        level("health request failed", client=client_address[0], exc_info=not gone)


def _json(good: bool, data: dict[str, Any]) -> Answer:
    status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
    return status, "application/json; charset=utf-8", json.dumps(data, ensure_ascii=False).encode()


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Answer."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with the head only."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        answer = self.server.answers.get(self.path.partition("?")[0])
        if answer is None:
            there_are = ", ".join(self.server.answers)
            status, content_type, body = HTTPStatus.NOT_FOUND, "text/plain", f"there are: {there_are}\n".encode()
        else:
            status, content_type, body = answer(self.headers.get("Accept", ""))
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def version_string(self) -> str:
        """Who answers."""
        return "aiops"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name that http.server gives it)
        """A line for each request, for those who debug."""
        log.debug("health request", client=self.client_address[0], said=format % args)
