"""The rows of a long CSV: which can be used, and what is wrong with the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS, Cadence
from aiops.errors import FileRefused
from aiops.grid import FRAME, N_CELLS, grid_ids_of
from aiops.ingest.packing import Observations, key_of
from aiops.ingest.reading import find_column, need_column
from aiops.ingest.texts import (
    DATE_ALLOWED,
    FIRST_YEAR,
    LAST_YEAR,
    UNKNOWN,
    Codes,
    Dates,
    dates_fit,
    find_scenario,
    numbers_of,
)
from aiops.ingest.units import hint_of, same_unit
from aiops.ingest.variables import VARIABLES, find_variable, names_allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from aiops.ingest.reading import RowBlock, Table
    from aiops.ingest.variables import Variable

_PLACES = {variable.name: place for place, variable in enumerate(VARIABLES)}
_MINIMUM = np.array([variable.minimum for variable in VARIABLES])
_MAXIMUM = np.array([variable.maximum for variable in VARIABLES])
_OF_CADENCE = {cadence: np.array([variable.cadence is cadence for variable in VARIABLES]) for cadence in Cadence}


@dataclass(frozen=True, slots=True)
class _Fault:
    """One way for a row to be unusable."""

    column: str
    reason: str
    allowed: Callable[[Variable, dict[str, str]], str]
    """What may stand there, by the row's variable (where it is known) and texts."""


_FAULTS = {
    "variable": _Fault("variable", "not known", lambda _v, _g: names_allowed()),
    "scenario": _Fault("scenario", "not known", lambda _v, _g: " ".join(SCENARIOS)),
    "unit": _Fault("unit", "not the variable's", lambda v, _g: f"{v.unit}, in which {v.name} is stored"),
    "latitude": _Fault(
        "latitude",
        "outside the frame",
        lambda _v, _g: f"{FRAME.south:.2f} to {FRAME.north:.2f} degrees north",
    ),
    "longitude": _Fault(
        "longitude", "outside the frame", lambda _v, _g: f"{FRAME.west:.2f} to {FRAME.east:.2f} degrees east"
    ),
    "grid_id": _Fault("grid_id", "not a cell", lambda _v, _g: f"1 to {N_CELLS}"),
    "place": _Fault(
        "grid_id",
        "not the cell of the coordinates",
        lambda _v, g: f"the cell that holds {g['latitude'].strip()}, {g['longitude'].strip()}",
    ),
    "no date": _Fault(
        "date",
        "not a date of the calendar",
        lambda v, _g: f"{DATE_ALLOWED[v.cadence]}, years {FIRST_YEAR} to {LAST_YEAR}",
    ),
    "cadence": _Fault(
        "date",
        "not of the variable's cadence",
        lambda v, _g: f"{DATE_ALLOWED[v.cadence]}: {v.name} is {v.cadence}",
    ),
    "no number": _Fault("value", "not a number", lambda v, _g: v.allowed),
    "missing": _Fault("value", "missing", lambda v, _g: v.allowed),
    "range": _Fault("value", "implausible", lambda v, g: f"{v.name} {v.allowed}{hint_of(v, float(g['value']))}"),
}
"""In the order in which a row is looked at: it is refused for the first of them."""


class LongRows:
    """Judges the rows of one long CSV, block by block."""

    def __init__(self, table: Table) -> None:
        """Find the columns.

        Raises:
            FileRefused: one is missing.
        """
        self._table = table
        self._names = {role: need_column(table, role) for role in ("variable", "scenario", "date", "value")}
        self._names |= {
            role: name
            for role, *others in (("grid_id",), ("latitude", "lat"), ("longitude", "lon"), ("unit", "units"))
            if (name := find_column(table, role, *others)) is not None
        }
        self._has_coordinates = {"latitude", "longitude"} <= self._names.keys()
        if not self._has_coordinates and "grid_id" not in self._names:
            raise FileRefused(f"{table.path}: column grid_id is missing, and latitude with longitude; allowed: either")
        self._variables = Codes(_variable_code)
        self._scenarios = Codes(_scenario_code)
        self._grid_ids = Codes(_grid_code)
        self._dates = Dates()

    @property
    def ignored(self) -> tuple[str, ...]:
        """Columns of the file that are not used."""
        return tuple(name for name in self._table.header if name and name not in self._names.values())

    def observations(self) -> Iterator[Observations]:
        """The usable rows; the others are noted in the table's refusals."""
        for block in self._table.blocks(tuple(self._names.values())):
            yield self._judged(block)

    def _judged(self, block: RowBlock) -> Observations:
        texts = {role: block.columns[name] for role, name in self._names.items()}
        variables = self._variables.of(texts["variable"])
        scenarios = self._scenarios.of(texts["scenario"])
        days, forms = self._dates.read(texts["date"])
        values, not_numbers = numbers_of(texts["value"])
        grid_ids, wrong_place = self._cells(texts)
        found = {
            "variable": variables == UNKNOWN,
            "scenario": scenarios == UNKNOWN,
            "unit": self._wrong_unit(texts, variables),
            **wrong_place,
            "no date": forms == UNKNOWN,
            "cadence": ~_fits_cadence(variables, days, forms),
            "no number": not_numbers,
            "missing": np.isnan(values),
            "range": ~((values >= _MINIMUM[variables]) & (values <= _MAXIMUM[variables])),
        }
        checked = [name for name in _FAULTS if name in found]
        first_fault = np.select([found[name] for name in checked], range(1, len(checked) + 1), 0)
        for row in np.flatnonzero(first_fault):
            fault = _FAULTS[checked[first_fault[row] - 1]]
            given = {role: column[row] for role, column in texts.items()}
            allowed = fault.allowed(VARIABLES[variables[row]], given)
            self._table.refusals.refuse_row(block.lines[row], fault.column, fault.reason, given[fault.column], allowed)
        good = first_fault == 0
        return Observations(
            keys=key_of(variables[good], scenarios[good], grid_ids[good]),
            days=days[good],
            # −0 and 0 are one value, and must be one in the comparison of bytes.
            values=(values[good] + 0.0).astype(np.float32),
            lines=np.array(block.lines, dtype=np.int64)[good],
        )

    def _cells(self, texts: dict[str, tuple[str, ...]]) -> tuple[NDArray[np.int64], dict[str, NDArray[np.bool_]]]:
        """The cell of each row, and where its coordinates or its number are none."""
        faults: dict[str, NDArray[np.bool_]] = {}
        cells: NDArray[np.int64] | None = None
        if self._has_coordinates:
            latitudes, _ = numbers_of(texts["latitude"])
            longitudes, _ = numbers_of(texts["longitude"])
            faults["latitude"] = ~((latitudes >= FRAME.south) & (latitudes <= FRAME.north))
            faults["longitude"] = ~((longitudes >= FRAME.west) & (longitudes <= FRAME.east))
            cells = grid_ids_of(latitudes, longitudes).astype(np.int64)
        if "grid_id" in texts:
            numbers = self._grid_ids.of(texts["grid_id"])
            faults["grid_id"] = numbers == UNKNOWN
            if cells is not None:
                faults["place"] = numbers != cells
            cells = numbers
        if cells is None:
            raise AssertionError("a table without a place was let in")
        return cells, faults

    def _wrong_unit(self, texts: dict[str, tuple[str, ...]], variables: NDArray[np.int64]) -> NDArray[np.bool_]:
        if "unit" not in texts:
            return np.zeros(variables.size, dtype=np.bool_)
        pairs = list(zip(variables.tolist(), texts["unit"], strict=True))
        wrong = {pair for pair in set(pairs) if not same_unit(VARIABLES[pair[0]], pair[1])}
        return np.fromiter((pair in wrong for pair in pairs), dtype=np.bool_, count=len(pairs))


def _fits_cadence(
    variables: NDArray[np.int64], days: NDArray[np.datetime64], forms: NDArray[np.int64]
) -> NDArray[np.bool_]:
    fits = np.zeros(variables.size, dtype=np.bool_)
    for cadence, of_cadence in _OF_CADENCE.items():
        rows = of_cadence[variables]
        if rows.any():
            fits[rows] = dates_fit(cadence, days[rows], forms[rows])
    return fits


def _variable_code(word: str) -> int:
    variable = find_variable(word)
    return UNKNOWN if variable is None else _PLACES[variable.name]


def _scenario_code(word: str) -> int:
    scenario = find_scenario(word)
    return UNKNOWN if scenario is None else SCENARIOS.index(scenario)


def _grid_code(word: str) -> int:
    if re.fullmatch(r"\s*[0-9]{1,6}\s*", word) is None or not 1 <= int(word) <= N_CELLS:
        return UNKNOWN
    return int(word)
