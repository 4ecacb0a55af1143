"""How often a wide table has a row: what nearly all of some of its cells show."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Cadence
from aiops.ingest.grids.steps import LENGTHS
from aiops.ingest.variables import Variable, find_variable
from aiops.ingest.wide.source import NO_TIME, wide_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aiops.db.connect import Connection
    from aiops.ingest.wide.source import WideRow, WideTable

NEARLY_ALL = 0.9
"""Share of the cells with several rows that have to show the same."""
ENOUGH = 0.5
"""Share of the cells that need several rows at all."""
_PERIOD = {Cadence.DAILY: "day", Cadence.MONTHLY: "month", Cadence.YEARLY: "year"}


def variable_of_table(table: WideTable, source: Connection) -> Variable | str:
    """The variable that a table is of, by its name and how often its cells have a row; or why there is none.

    Args:
        table: the table.
        source: where it is; some cells of it are looked at.
    """
    named = find_variable(table.word)
    if named is None:
        return f"{table.word!r} is no variable"
    monthly = find_variable(f"{named.name}_month") if named.cadence is Cadence.DAILY else None
    cadence = _cadence_of(table, source, named, monthly)
    if not isinstance(cadence, Cadence):  # which are texts, too
        return cadence
    variable = named if named.cadence is cadence else monthly
    if variable is None or variable.cadence is not cadence:
        return f"it has a row a {_PERIOD[cadence]}, and {named.name} is {named.cadence}"
    return variable


def _cadence_of(table: WideTable, source: Connection, named: Variable, monthly: Variable | None) -> Cadence | str:
    """How often the cells have a row, or why nobody can say."""
    if table.time == "year":
        return Cadence.YEARLY
    days = [_days_of(row) for row in chain.from_iterable(wide_rows(source, table, 1, some_cells=True))]
    if not days:
        return "it has no row"
    # A single row tells nothing.
    shown = Counter(_typical(one) for one in days if one.size > 1)
    several = shown.total()
    if several == 0 or several < ENOUGH * len(days):
        if monthly is None:
            return named.cadence
        return (
            f"{several} of the {len(days)} cells that were looked at have more than one row: {named.name} may be of "
            f"days or of months; allowed: several rows a cell, or for months the name {monthly.name}"
        )
    (cadence, count), *_ = shown.most_common(1)
    if cadence is None or count < NEARLY_ALL * several:
        found = ", ".join(
            f"{n} a row a {_PERIOD[one]}" if one is not None else f"{n} neither" for one, n in shown.most_common()
        )
        return (
            f"its cells do not agree how often they have a row (of {several} that were looked at {found}); "
            "allowed: days, months or years alone"
        )
    return cadence


def _days_of(row: WideRow) -> NDArray[np.int64]:
    """The days since 1970 on which a cell has a row, each once, ascending."""
    return np.unique(row.moments[row.moments != NO_TIME]).astype(np.int64)


def _typical(days: NDArray[np.int64]) -> Cadence | None:
    """The cadence that the typical distance of a cell's days is of; a few may lie closer or farther apart."""
    apart = float(np.median(np.diff(days)))
    if apart > LENGTHS[Cadence.YEARLY][1]:  # some years only
        return Cadence.YEARLY
    return next((cadence for cadence, (low, high) in LENGTHS.items() if low <= apart <= high), None)
