"""Arguments that commands have in common, and texts that may be numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer
from psycopg.rows import dict_row

from aiops.db.statements import statement
from aiops.errors import BadInput
from workers.cli import complete

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from aiops.db.connect import Connection

# Numbers come as texts: what is no number, or not an allowed one, is refused where everything else is, by its name.
Latitude = Annotated[str, typer.Argument(metavar="LAT", help="Degrees north, such as 37.5665.", show_default=False)]
Longitude = Annotated[str, typer.Argument(metavar="LON", help="Degrees east, such as 126.978.", show_default=False)]

BatchId = Annotated[
    str,
    typer.Argument(
        metavar="BATCH_ID",
        help="The batch's number, or so much of its beginning that it is the only one (aiops batches).",
        show_default=False,
        autocompletion=complete.batch_ids,
    ),
]


def _several(option: str, metavar: str, only: str, completion: Callable[[str], list[str]]) -> Any:
    """An option that picks some of what there is, and may come several times."""
    return typer.Option(
        option,
        metavar=metavar,
        help=f"Only {only}; may be given several times. Default: all.",
        autocompletion=completion,
    )


Risks = Annotated[
    list[str] | None, _several("--risk", "RISK", "this risk type, such as extreme_heat", complete.risk_types)
]
Scenarios = Annotated[
    list[str] | None,
    _several("--scenario", "SCENARIO", "historical, ssp126, ssp245, ssp370 or ssp585", complete.scenarios),
]
Horizons = Annotated[
    list[str] | None, _several("--horizon", "HORIZON", "baseline, or a decade such as 2050s", complete.horizons)
]
Scenario = Annotated[
    str | None,
    typer.Option(
        metavar="SCENARIO",
        help="historical, ssp126, ssp245, ssp370, ssp585. Default: ssp245.",
        autocompletion=complete.scenarios,
    ),
]
Year = Annotated[str | None, typer.Option(metavar="YEAR", help="Any year of the decade that is meant. Default: 2050.")]
Webhook = Annotated[str | None, typer.Option(metavar="URL", help="Tell this address when it is done.")]
Email = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Tell this address when it is done.")]


def value_of(text: str) -> float | bool | str:
    """A number, true or false; else, and for what JSON has no number for, the text as it stands."""
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    return text


def degrees(name: str, text: str) -> float:
    """A coordinate.

    Raises:
        BadInput: it is no number.
    """
    value = value_of(text)
    if isinstance(value, bool | str):
        raise BadInput(f"{name}: {text!r} is no number; allowed: degrees, as in 37.5665 126.978")
    return value


def find_batch(connection: Connection, text: str) -> UUID:
    """The number of the batch that somebody means.

    Args:
        connection: any.
        text: the number, or its beginning.

    Raises:
        BadInput: it is no number, nobody has it, or several begin like this.
    """
    given = text.strip().lower().replace("-", "")
    if not given or len(given) > 32 or set(given) - set("0123456789abcdef"):
        raise BadInput(
            f"batch {text!r}: no batch's number; allowed: a UUID such as 99ebba92-9ae1-4334-aa65-1459742c84a6, or its "
            "beginning; aiops batches lists them"
        )
    with connection.cursor(row_factory=dict_row) as cursor:
        bounds = {"first": given.ljust(32, "0"), "last": given.ljust(32, "f")}
        found = cursor.execute(statement("batches_beginning_with"), bounds).fetchall()
    if not found:
        raise BadInput(f"batch {text}: there is none of that number; aiops batches lists them")
    if len(found) > 1:
        several = ", ".join(str(one["batch_id"]) for one in found)
        raise BadInput(f"batch {text}: several begin like this ({several}); allowed: more of the number")
    number: UUID = found[0]["batch_id"]
    return number


def find_risk_type(connection: Connection, given: str) -> str:
    """The name of the risk that somebody means, by a name or an alias.

    Raises:
        psycopg.errors.InvalidParameterValue: there is none; the message names all.
    """
    row = connection.execute(statement("canonical_risk_type"), {"given": given}).fetchone()
    if row is None:
        raise AssertionError("a function call gave no row")
    return str(row[0])
