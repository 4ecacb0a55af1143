"""Data sets: what was loaded, from where. Each row of `climate_data` names the one that last wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.types.json import Jsonb

from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aiops.db.connect import Connection


def register_dataset(
    connection: Connection,
    *,
    name: str,
    source: str,
    file_sha256: str | None,
    first_year: int | None,
    last_year: int | None,
    synthetic: bool,
    parameters: Mapping[str, object] | None = None,
) -> int:
    """The number of a data set; the same file loaded in the same way is the same data set.

    Args:
        connection: the caller's; the row is part of its transaction.
        name: short name, such as the file's.
        source: who made the data, and where they come from.
        file_sha256: hash of the file, hexadecimal; None for what does not come from a file.
        first_year: first year with data.
        last_year: last year with data.
        synthetic: made by a generator, not observed or simulated by a climate model.
        parameters: how it was read (column mapping, seed, …).
    """
    key = {"name": name, "file_sha256": file_sha256, "parameters": Jsonb(dict(parameters or {}))}
    known = connection.execute(statement("find_dataset"), key).fetchone()
    if known is not None:
        return int(known[0])
    row = connection.execute(
        statement("insert_dataset"),
        {**key, "source": source, "first_year": first_year, "last_year": last_year, "synthetic": synthetic},
    ).fetchone()
    if row is None:
        raise AssertionError("INSERT … RETURNING gave no row")
    return int(row[0])


def note_computed_variables(connection: Connection, dataset_id: int, variables: Collection[str]) -> None:
    """Note that series of these variables, where they name this data set, were computed and not given.

    Args:
        connection: the caller's.
        dataset_id: from `register_dataset`.
        variables: names.
    """
    connection.execute(statement("note_computed_variables"), {"dataset_id": dataset_id, "variables": sorted(variables)})
