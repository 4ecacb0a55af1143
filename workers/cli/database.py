"""`aiops db`: the embedded server, and the schema of whatever server is used."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import psycopg.errors
import typer

from aiops.db.connect import connect, conninfo
from aiops.db.embedded import configured_server
from aiops.errors import BadInput
from aiops.settings import settings
from workers.cli.local_daemon import daemon_is_alive
from workers.cli.output import Json, say, show
from workers.schema import apply_schema

app = typer.Typer(
    help="Start, stop and look at the embedded Postgres; bring a schema up to date.",
    no_args_is_help=True,
    epilog="Example: aiops db start",
)


@app.command()
def start(as_json: Json = False) -> None:
    """Start the embedded server, or find the one that runs.

    Example: aiops db start
    """
    _refuse_configured("start")
    server = configured_server()
    server.start()
    status_ = server.status()
    show(asdict(status_), as_json, lambda: say(_sentence(status_.running)))


@app.command()
def stop(
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Although a daemon is at work, which starts it again.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Stop the embedded server; its data stay.

    Example: aiops db stop
    """
    _refuse_configured("stop")
    server = configured_server()
    if not force and server.status().running and _daemon_is_at_work():
        raise BadInput("db stop: a daemon is running, and would start the server again; stop it first, or use --force")
    stopped = server.stop()
    show(
        {"stopped": stopped},
        as_json,
        lambda: say("The embedded server is stopped." if stopped else "The embedded server did not run."),
    )


@app.command()
def status(as_json: Json = False) -> None:
    """Which server is used, and how it stands.

    Example: aiops db status --json
    """
    if settings().conninfo() is not None:
        with connect("status", autocommit=True) as connection:
            info = connection.info
            data = {
                "embedded": False,
                "running": True,
                "version": info.parameter_status("server_version"),
                "host": info.host,
                "port": info.port,
                "database": info.dbname,
            }
        text = "PostgreSQL {version} at {host}:{port}, database {database} (by DATABASE_*).".format_map(data)
        show(data, as_json, lambda: say(text))
        return
    found = configured_server().status()
    show({"embedded": True, **asdict(found)}, as_json, lambda: say(_sentence(found.running)))


@app.command()
def migrate(as_json: Json = False) -> None:
    """Bring the schema to this version's, and give the roles their rights; applied files are never applied again.

    Example: aiops db migrate
    """
    with connect("migrate", direct=True, autocommit=True) as connection:
        report = apply_schema(connection)
    show(
        asdict(report),
        as_json,
        lambda: say(
            "\n".join(
                (
                    f"Applied {len(report.applied)} of {report.total} migrations."
                    if report.applied
                    else f"The schema is up to date ({report.total} migrations).",
                    *(f"Note: {note}" for note in report.notes),
                )
            )
        ),
    )


@app.command()
def url(
    *,
    direct: Annotated[bool, typer.Option(help="Past a connection pooler (DATABASE_DIRECT_URL).")] = False,
) -> None:
    """Print the connection string, for psql and others; it holds the password.

    Example: psql "$(aiops db url)"
    """
    typer.echo(conninfo(direct=direct))


def _refuse_configured(action: str) -> None:
    if settings().conninfo() is not None:
        raise BadInput(
            f"db {action}: DATABASE_URL or DATABASE_HOST is set, so the embedded server is not used; "
            f"unset it, or {action} that server by its own means"
        )


def _daemon_is_at_work() -> bool:
    with connect("status", autocommit=True) as connection:
        try:
            return daemon_is_alive(connection)
        except psycopg.errors.UndefinedTable:  # a database that was never migrated has no daemon
            return False


def _sentence(running: bool) -> str:
    found = configured_server().status()
    if running:
        return (
            f"PostgreSQL {found.version} runs at {found.host}:{found.port}, database {found.database}, "
            f"process {found.pid}.\n"
            f'Data: {found.directory} ({found.size_bytes / 1e6:.0f} MB). Connect: psql "$(aiops db url)"'
        )
    if found.port is None:
        return f"There is no embedded server in {found.directory} yet; aiops db start makes it."
    return f"The embedded server (PostgreSQL {found.version}) in {found.directory} does not run; aiops db start."
