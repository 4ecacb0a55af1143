"""Climate series in and out of `climate_data`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Cadence, Series, calendar_days
from aiops.db.packing import pack, unpack
from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from aiops.db.connect import Connection


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did, in series."""

    inserted: int
    updated: int
    unchanged: int

    def __add__(self, other: Written) -> Written:
        """Both together."""
        return Written(self.inserted + other.inserted, self.updated + other.updated, self.unchanged + other.unchanged)


NOTHING = Written(0, 0, 0)


@dataclass(slots=True)
class Overruled:
    """What gave way where a generator's series met those of observations or climate models, in series."""

    replaced: int = 0
    """Stored ones of a generator that real ones replaced whole; `Written` counts them as updated."""
    years: int = 0
    """That these had."""
    left_out: int = 0
    """A generator's that were not written, since real ones are stored; `Written` does not count them."""

    def notes(self) -> list[str]:
        """What a report says of it."""
        found = []
        if self.replaced:
            found.append(
                f"real data replaced those of a generator (SYNTHETIC) in {self.replaced:,} series: "
                f"{self.years:,} years of these are gone"
            )
        if self.left_out:
            found.append(f"{self.left_out:,} series of a generator (SYNTHETIC) were left out: real ones are stored")
        return found


def write_series(
    connection: Connection,
    series: Iterable[Series],
    dataset_id: int,
    *,
    merge: bool = True,
    overruled: Overruled | None = None,
) -> Written:
    """Write series, in the caller's transaction. A series that is there with the same values is left untouched.

    A generator's series (of a synthetic data set) and real ones are never joined: real ones replace it whole, and it
    is not written where they are stored.

    Args:
        connection: the caller's.
        series: each (variable, cell, scenario) once.
        dataset_id: from `register_dataset`.
        merge: join with the years that are stored already, the new values that are not missing winning; else replace.
        overruled: counts what gave way.
    """
    overruled = overruled if overruled is not None else Overruled()
    _bring(connection, series)
    synthetic = _give_way(connection, dataset_id, overruled)
    if merge:
        _merge_with_stored(connection, stored_wins=False, synthetic=synthetic)
    return _finish(connection, "upsert_incoming_series", {"dataset_id": dataset_id, "synthetic": synthetic})


def fill_series(connection: Connection, series: Iterable[Series]) -> Written:
    """Put values where stored series have none, in the caller's transaction: between their values, before and after.

    What is stored stays, and so does the data set that it names; series of which nothing is stored are passed over.
    Whether both are of one origin, a generator's or real, is for the caller to see to.

    Args:
        connection: the caller's.
        series: each (variable, cell, scenario) once.
    """
    _bring(connection, series)
    _merge_with_stored(connection, stored_wins=True, synthetic=None)
    return _finish(connection, "fill_stored_series", {})


def read_series(
    connection: Connection, variables: Sequence[str], grid_ids: Sequence[int], scenarios: Sequence[str]
) -> list[Series]:
    """The stored series of these variables, cells and scenarios, in that order of sorting."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute(
            statement("read_series"),
            {"variables": list(variables), "grid_ids": list(grid_ids), "scenarios": list(scenarios)},
        )
        return [
            Series(variable, scenario, grid_id, first_year, unpack(values))
            for variable, grid_id, scenario, first_year, values in cursor
        ]


def merge_series(cadence: Cadence, old: Series, new: Series) -> Series:
    """One series over the years of both; where both have a value, the new one stands. Years between are missing."""
    first_year = min(old.first_year, new.first_year)
    length = max(_offset(cadence, first_year, one.first_year) + one.values.size for one in (old, new))
    values = np.full(length, np.nan, dtype=np.float32)
    for one in (old, new):
        start = _offset(cadence, first_year, one.first_year)
        part = values[start : start + one.values.size]
        part[:] = np.where(np.isnan(one.values), part, one.values)
    return Series(new.variable, new.scenario, new.grid_id, first_year, values)


def _offset(cadence: Cadence, origin: int, year: int) -> int:
    match cadence:
        case Cadence.DAILY:
            return int(calendar_days(origin, year - origin).size)
        case Cadence.MONTHLY:
            return 12 * (year - origin)
        case Cadence.YEARLY:
            return year - origin


def _bring(connection: Connection, series: Iterable[Series]) -> None:
    """Series to the server, where they are held against those that are stored."""
    connection.execute(statement("create_incoming_series"))
    with connection.cursor() as cursor, cursor.copy(statement("copy_incoming_series")) as copy:
        copy.set_types(["text", "int4", "text", "int2", "bytea"])
        for one in series:
            copy.write_row((one.variable, one.grid_id, one.scenario, one.first_year, pack(one.values)))
    # Of two who write series of one cell the second waits here, before it holds any row that the first may want.
    connection.execute(statement("hold_incoming_cells"))


def _finish(connection: Connection, query: str, parameters: Mapping[str, object]) -> Written:
    """Write what was brought."""
    row = connection.execute(statement(query), parameters).fetchone()
    connection.execute(statement("drop_incoming_series"))
    if row is None:
        raise AssertionError("a count gave no row")
    return Written(*row)


def _give_way(connection: Connection, dataset_id: int, overruled: Overruled) -> bool:
    """Drop incoming series of a generator where real ones are stored; whether the incoming ones are a generator's."""
    row = connection.execute(statement("origin_of_dataset"), {"dataset_id": dataset_id}).fetchone()
    if row is None:
        raise AssertionError("a SELECT without FROM gave no row")
    synthetic, any_synthetic = row
    if synthetic:
        overruled.left_out += connection.execute(statement("drop_generated_over_real")).rowcount
    elif any_synthetic:
        count, years = connection.execute(statement("count_generated_to_replace")).fetchone() or (0, 0)
        overruled.replaced += count
        overruled.years += years
    return bool(synthetic)


def _merge_with_stored(connection: Connection, *, stored_wins: bool, synthetic: bool | None) -> None:
    """Replace incoming rows that extend or fill a stored series by the union of both: of this origin alone, if any."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute(statement("find_series_to_merge"), {"synthetic": synthetic})
        merged: list[tuple[str, int, str, int, bytes]] = []
        for variable, grid_id, scenario, cadence, old_year, old_values, new_year, new_values in cursor:
            old = Series(variable, scenario, grid_id, old_year, _floats(old_values))
            new = Series(variable, scenario, grid_id, new_year, _floats(new_values))
            union = merge_series(Cadence(cadence), *((new, old) if stored_wins else (old, new)))
            merged.append((variable, grid_id, scenario, union.first_year, pack(union.values)))
        if merged:
            cursor.executemany(
                statement("replace_incoming_series"),
                [(year, values, variable, grid_id, scenario) for variable, grid_id, scenario, year, values in merged],
            )


def _floats(packed: bytes) -> NDArray[np.float32]:
    return unpack(packed)
