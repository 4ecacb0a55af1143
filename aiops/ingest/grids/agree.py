"""What a file is of: by its name, its own attributes and the options, which must not contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops.climate import SCENARIOS
from aiops.errors import FileRefused
from aiops.ingest.grids.quantities import quantity_of
from aiops.ingest.grids.steps import cadence_of
from aiops.ingest.report import printable
from aiops.ingest.variables import names_allowed

if TYPE_CHECKING:
    from aiops.climate import Cadence
    from aiops.ingest.grids.options import GridOptions
    from aiops.ingest.grids.source import GridFile


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a file is of."""

    quantity: str
    scenario: str
    cadence: Cadence | None
    """None: a single step that does not say how long it lasts."""


def meaning_of(file: GridFile, options: GridOptions) -> Meaning:
    """Put together what is known.

    Raises:
        FileRefused: two say different things, or nobody says anything.
    """
    return Meaning(_quantity(file, options), _scenario(file, options), _cadence(file))


def _quantity(file: GridFile, options: GridOptions) -> str:
    of_name = quantity_of(file.name.variable) if file.name.variable else None
    if options.variable is not None:
        asked = quantity_of(options.variable.name)
        if asked is None:
            raise AssertionError("a variable of the catalogue is a quantity")
        _agree(file, "variable", of_name, asked, "--variable says")
        return asked
    _agree(file, "variable", of_name, file.quantity, f"its variable {printable(file.field)} says")
    found = of_name or file.quantity
    if found is None:
        raise FileRefused(
            f"{file.path}: {printable(file.field)}: is not known as a climate variable; allowed: --variable NAME, "
            f"or a name of {names_allowed()}"
        )
    return found


def _scenario(file: GridFile, options: GridOptions) -> str:
    of_name = file.name.scenario
    _agree(file, "scenario", of_name, file.scenario, "its attributes say")
    if options.scenario is not None:
        _agree(file, "scenario", of_name, options.scenario, "--scenario says")
        if file.scenario not in (None, options.scenario):
            raise FileRefused(
                f"{file.path}: scenario: its attributes say {file.scenario}, --scenario says {options.scenario}; "
                "allowed: one of them"
            )
    found = options.scenario or of_name or file.scenario
    if found is None:
        raise FileRefused(
            f"{file.path}: scenario: neither the name nor the file says it; allowed: --scenario {'|'.join(SCENARIOS)}"
        )
    return found


def _cadence(file: GridFile) -> Cadence | None:
    of_steps = cadence_of(file.steps, file.path, "time")
    _agree(file, "cadence", file.name.cadence, of_steps, "its times say")
    _agree(file, "cadence", file.name.cadence, file.frequency, "its attribute frequency says")
    if of_steps is not None and file.frequency is not None and of_steps is not file.frequency:
        raise FileRefused(
            f"{file.path}: frequency: {file.frequency}, but its times are {of_steps}; allowed: one of them"
        )
    first, last = file.name.first_year, file.name.last_year
    years = file.steps.years
    if first is not None and last is not None and (years.min() < first or years.max() > last):
        says = str(first) if first == last else f"{first} to {last}"
        raise FileRefused(
            f"{file.path}: year: the name says {says}, its times {years.min()} to {years.max()}; allowed: one of them"
        )
    return of_steps or file.name.cadence or file.frequency


def _agree(file: GridFile, what: str, of_name: str | None, other: str | None, who: str) -> None:
    if of_name is not None and other is not None and of_name != other:
        raise FileRefused(f"{file.path}: {what}: the name says {of_name}, {who} {other}; allowed: one of them")
