"""`aiops serve`: the HTTP face and the dashboard."""

from __future__ import annotations

from typing import Annotated

import structlog
import typer

from aiops.db.connect import conninfo
from aiops.errors import BadInput, DatabaseUnavailable
from aiops.settings import settings
from workers.cli.connection import database
from workers.logs import configure_logs

log = structlog.get_logger(__name__)

Host = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Answer at this address. Default: API_HOST (127.0.0.1).")
]
Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="At this port; 0: a free one. Default: API_PORT (8000).")
]


def serve(*, host: Host = None, port: Port = None) -> None:
    """Requests, results and a dashboard over HTTP, until stopped (Ctrl-C, SIGTERM). Needs the extra `api`.

    Example: aiops serve --port 8000
    """
    try:
        from workers.api.server import serve as answer  # noqa: PLC0415  the extra `api`
    except ImportError as error:
        raise BadInput(f"serve: needs the extra `api` ({error}); install it: pip install 'aiops[api]'") from None
    configure_logs()
    ours = settings()
    _look_at_the_schema()
    answer(ours.api_host if host is None else host, ours.api_port if port is None else port)


def _look_at_the_schema() -> None:
    """As every command does; a server that is away at the start is no reason not to be there when it comes.

    Raises:
        DatabaseUnavailable: the embedded server cannot be started, and will not come by waiting.
        SchemaError: the database's schema is not this version's.
    """
    conninfo()
    try:
        with database():
            pass
    except DatabaseUnavailable as error:
        log.warning("no database yet", error=str(error))
