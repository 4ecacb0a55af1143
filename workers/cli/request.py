"""`aiops request`: the risk of one place, now."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiops.db.batches import create_batch_job
from aiops.errors import BadInput
from workers.cli.answer import answer_of, render
from workers.cli.arguments import Email, Latitude, Longitude, Risks, Scenario, Webhook, Year, value_of
from workers.cli.connection import database
from workers.cli.here import answered_here
from workers.cli.local_daemon import daemon_is_alive, say_if_nobody_computes
from workers.cli.output import Json, errors, say, show
from workers.cli.watch import REQUEST, follow

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from uuid import UUID

    from aiops.db.connect import Connection
    from workers.cli.here import Here


def request(
    *,
    latitude: Latitude,
    longitude: Longitude,
    risk: Risks = None,
    scenario: Scenario = None,
    year: Year = None,
    insurance_rate: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Share of a loss that is insured, 0 to 1. Default: 0.")
    ] = None,
    asset_value: Annotated[
        str | None, typer.Option(metavar="KRW", help="What the asset is worth; gives losses in won. 5e10 will do.")
    ] = None,
    building: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=VALUE",
            help="What stands there (floor_area_m2, built_year or age_years, structure, floors, basement_floors, use, "
            "water_tank, pilotis, in_flood_zone), before what the building register says; several times, or one "
            "JSON object.",
        ),
    ] = None,
    steps: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STEP", help="Compute only exposure, vulnerability or aal anew; take the rest from the last run."
        ),
    ] = None,
    projections: Annotated[bool, typer.Option("--projections", help="All decades of all scenarios.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Compute although a stored answer would do.")] = False,
    webhook: Webhook = None,
    email: Email = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Print the request's number and do not wait.")] = False,
    as_json: Json = False,
) -> None:
    """The risk of one place: hazard, exposure, vulnerability and average annual loss by risk, and altogether.

    Example: aiops request 37.5665 126.978 --building use=office --building floors=12 --asset-value 5e10
    """
    params = {
        "latitude": value_of(latitude),
        "longitude": value_of(longitude),
        "risk_types": risk or None,
        "scenario": scenario,
        "target_year": year and value_of(year),
        "insurance_rate": insurance_rate and value_of(insurance_rate),
        "asset_value": asset_value and value_of(asset_value),
        "building": building_of(building) if building else None,
        "steps": steps or None,
        "projections": projections or None,
        "force": force or None,
        "notify": {"webhook": webhook, "email": email} if webhook or email else None,
    }
    given = {name: value for name, value in params.items() if value is not None}
    with database() as connection:
        batch_id = create_batch_job(connection, REQUEST, given)
        if no_wait:
            show({"batch_id": batch_id}, as_json, lambda: say(str(batch_id)))
            say_if_nobody_computes(connection)
            return
        way_back = f"see: the same command again; aiops history {latitude} {longitude}; batch_status('{batch_id}')"
        with _answering(connection, batch_id, float(latitude), float(longitude), quiet=as_json) as here:
            row = follow(connection, batch_id, quiet=as_json, daemon=here, way_back=way_back)
        answer = answer_of(connection, row["results"])
    show(answer.as_json(), as_json, lambda: render(answer))


def _answering(
    connection: Connection, batch_id: UUID, latitude: float, longitude: float, *, quiet: bool
) -> AbstractContextManager[Here | None]:
    """A daemon that runs anyway (None), or this process."""
    if daemon_is_alive(connection):
        return nullcontext()
    if not quiet:
        errors.print("No daemon is running: answering here; what is to be sent waits for one (aiops worker).")
    return answered_here(batch_id, latitude, longitude)


def building_of(given: list[str]) -> dict[str, Any]:
    """The building that `--building` describes: FIELD=VALUE, or JSON objects.

    Raises:
        BadInput: neither of the two, or a field that is given twice.
    """
    fields: list[tuple[str, Any]] = []
    for text in given:
        if text.lstrip().startswith("{"):
            fields += _object(text)
            continue
        name, sign, value = text.partition("=")
        if not sign:
            raise BadInput(f"building: {text!r}; allowed: FIELD=VALUE such as floors=12, or a JSON object")
        fields.append((name.strip(), value_of(value.strip())))
    found = dict(fields)
    if len(found) < len(fields):
        names = [name for name, _ in fields]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"building.{twice}: given twice; allowed: each field once")
    return found


def _object(text: str) -> list[tuple[str, Any]]:
    try:
        # Pairs, because a dict would drop the first of two equal keys before anybody could refuse them.
        pairs: list[tuple[str, Any]] = json.loads(
            text, object_pairs_hook=list, parse_float=value_of, parse_int=value_of, parse_constant=str
        )
    except ValueError as error:
        raise BadInput(f"building: {text!r} is no JSON object ({error})") from None
    return pairs
