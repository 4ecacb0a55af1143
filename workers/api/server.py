"""The process of `aiops serve`: from its start to an end that leaves nobody waiting."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import structlog
import uvicorn

from aiops.errors import SettingsError
from aiops.settings import settings
from workers.api.application import create_app

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from fastapi import FastAPI

log = structlog.get_logger(__name__)

GRACE_SECONDS: Final = 8
"""For requests that are under way when the process is asked to end; event streams end at once."""
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def serve(host: str, port: int) -> None:
    """Answer until SIGTERM or Ctrl-C.

    Raises:
        SettingsError: the address cannot be had, or a setting cannot be used.
    """
    app = create_app()
    if host not in _LOOPBACK and not app.state.context.keys.needed:
        log.warning("no key is asked for: whoever reaches the address may ask", host=host, setting="API_KEY")
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings().api_trusted_proxies),
        forwarded_allow_ips=settings().api_trusted_proxies.replace(" ", ""),
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=32_768,
        ws="none",
    )
    try:
        listening = _bound(config)
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"settings API_HOST, API_PORT: {host}:{port} cannot be used: {error}") from None
    with listening:
        config.load()
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(Server(config, app).serve(sockets=[listening]))


class Server(uvicorn.Server):
    """As uvicorn's, but that event streams end when the process is asked to end, and that it then ends with code 0."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Until the end, the first signal asks for it, and a second one does not wait."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for one in signals:
            loop.add_signal_handler(one, self.ask_to_end)
        try:
            yield
        finally:
            for one in signals:
                loop.remove_signal_handler(one)

    def ask_to_end(self) -> None:
        """Take no more requests, end the streams, answer what is under way."""
        if self.should_exit:
            self.force_exit = True
        log.info("stopping")
        self.should_exit = True
        self._app.state.context.hub.close_streams()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; says where."""
        await super().startup(sockets)
        if sockets and not self.should_exit:
            host, port = sockets[0].getsockname()[:2]
            log.info("answering", url=f"http://{f'[{host}]' if ':' in host else host}:{port}/")


def _bound(config: uvicorn.Config) -> socket.socket:
    import socket as sockets  # noqa: PLC0415  only here

    family = sockets.AF_INET6 if ":" in config.host else sockets.AF_INET
    made: Any = sockets.socket(family)
    try:
        made.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        made.bind((config.host, config.port))
    except BaseException:
        made.close()
        raise
    made.setblocking(False)
    return made  # type: ignore[no-any-return]
