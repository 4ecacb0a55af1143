"""Buildings, into `api_buildings`; and what the words that are used of them mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from aiops.db.climate import Written
from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiops.db.connect import Connection

TermField = Literal["structure", "use"]

STRUCTURES = ("reinforced_concrete", "steel_reinforced_concrete", "steel", "masonry", "wood", "sandwich_panel", "other")
USES = (
    "office",
    "retail",
    "factory",
    "warehouse",
    "hotel",
    "hospital",
    "power",
    "residential",
    "school",
    "other",
)
_TYPES = (
    *("int4", "text", "text", "float8", "float8", "float8", "int2", "text", "int2", "int2", "text"),
    *("bool", "bool", "bool"),
)


class Building(NamedTuple):
    """A building and where it stands; None is not known."""

    building_id: str
    name: str | None
    latitude: float
    """Degrees north."""
    longitude: float
    """Degrees east."""
    floor_area_m2: float | None = None
    """Gross floor area."""
    built_year: int | None = None
    structure: str | None = None
    """One of STRUCTURES."""
    floors: int | None = None
    """Above the ground."""
    basement_floors: int | None = None
    use: str | None = None
    """One of USES."""
    water_tank: bool | None = None
    pilotis: bool | None = None
    in_flood_zone: bool | None = None


class Doubled(NamedTuple):
    """A row that was not written because of another one of the same building."""

    line: int
    building_id: str
    contradicts: bool
    """The rows of this building say different things, so that none of them is written; else this one says it again."""


def canonical_terms(connection: Connection, field: TermField, terms: Sequence[str]) -> dict[str, str]:
    """The canonical names of terms in any spelling, English or of the Korean building register.

    Args:
        connection: the caller's.
        field: what the terms are of.
        terms: as they were written.

    Returns:
        By term, of those that the table `building_term` knows: one of STRUCTURES or USES.
    """
    rows = connection.execute(statement("canonical_terms"), {"field": field, "terms": list(terms)})
    return dict(rows.fetchall())


def write_buildings(
    connection: Connection, blocks: Iterable[Iterable[tuple[Building, int]]], dataset_id: int
) -> tuple[Written, list[Doubled]]:
    """Write buildings, by `building_id`; what is None leaves what is stored.

    Args:
        connection: the caller's; the rows are part of its transaction. It is free to use while the next block is made.
        blocks: buildings with a number (such as the line of a file) that no other has; memory is bounded by a block.
        dataset_id: from `register_dataset`.

    Returns:
        What was written, and the rows that were not since there is another one of the same building.
    """
    connection.execute(statement("create_incoming_buildings"))
    for block in blocks:
        with connection.cursor() as cursor, cursor.copy(statement("copy_incoming_buildings")) as copy:
            copy.set_types(_TYPES)
            for building, line in block:
                copy.write_row((line, *building))
    doubled = [Doubled(*row) for row in connection.execute(statement("delete_doubled_buildings")).fetchall()]
    row = connection.execute(statement("upsert_incoming_buildings"), {"dataset_id": dataset_id}).fetchone()
    connection.execute(statement("drop_incoming_buildings"))
    if row is None:
        raise AssertionError("a count gave no row")
    return Written(*row), doubled
