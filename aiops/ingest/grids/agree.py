"""What a file is of: by its name, its own attributes and the options, which must not contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops.climate import SCENARIOS, Cadence
from aiops.errors import FileRefused
from aiops.ingest.grids.quantities import (
    is_described,
    is_extreme_of_step,
    other_than,
    quantity_of,
    quantity_of_standard_name,
)
from aiops.ingest.grids.steps import cadence_of
from aiops.ingest.report import printable
from aiops.ingest.variables import names_allowed

if TYPE_CHECKING:
    from aiops.ingest.grids.options import GridOptions
    from aiops.ingest.grids.source import GridFile


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a file is of."""

    quantity: str
    scenario: str
    cadence: Cadence | None
    """None: a single step that does not say how long it lasts."""
    notes: tuple[str, ...] = ()
    """What the file says against it, where an option or its name settled it, or that leaves a doubt."""


def meaning_of(file: GridFile, options: GridOptions) -> Meaning:
    """Put together what is known.

    Raises:
        FileRefused: two say different things, or nobody says anything.
    """
    cadence = _cadence(file)
    quantity, against = _quantity(file, options, cadence)
    if cadence is Cadence.MONTHLY and is_extreme_of_step(quantity, file.cell_methods):
        text = repr(printable(file.cell_methods))
        against.append(f"its cell_methods say {text}; taken for the mean of the days' values, not for that of one day")
    return Meaning(quantity, _scenario(file, options), cadence, tuple(against))


def _quantity(file: GridFile, options: GridOptions, cadence: Cadence | None) -> tuple[str, list[str]]:
    of_name = quantity_of(file.name.variable) if file.name.variable else None
    if options.variable is not None:
        asked = quantity_of(options.variable.name)
        if asked is None:
            raise AssertionError("a variable of the catalogue is a quantity")
        _agree(file, "variable", of_name, asked, "--variable says")
        # What a year has is made from days, and its field may still be called as theirs.
        against = _against(file, asked, cadence) if is_described(asked) else []
        return asked, [f"--variable says {asked}, {one}" for one in against]
    if of_name is not None:
        against = _against(file, of_name, cadence)
        if against and file.quantity != of_name:
            raise FileRefused(f"{file.path}: variable: the name says {of_name}, {against[0]}; allowed: one of them")
        return of_name, [f"the name says {of_name}, {one}" for one in against]
    found = file.quantity or quantity_of_standard_name(file.standard_name, file.cell_methods, cadence)
    if found is None:
        raise FileRefused(
            f"{file.path}: {printable(file.field)}: is not known as a climate variable; allowed: --variable NAME, "
            f"or a name of {names_allowed()}"
        )
    against = _against(file, found, cadence)
    if against:
        raise FileRefused(
            f"{file.path}: variable: its variable {printable(file.field)} says {found}, {against[0]}; allowed: one of "
            "them (--variable)"
        )
    return found, []


def _against(file: GridFile, quantity: str, cadence: Cadence | None) -> list[str]:
    """What the file says against a quantity; a field that its cell methods turn into the quantity does not."""
    said = file.standard_name, file.cell_methods, cadence
    found = []
    of_field = file.quantity or quantity_of_standard_name(file.standard_name, "")
    if of_field not in (None, quantity) and (file.quantity is None or other_than(file.quantity, *said) != quantity):
        found.append(f"its variable {printable(file.field)} says {of_field}")
    other = other_than(quantity, *said)
    if other is not None:
        text = repr(printable(file.cell_methods))
        found.append(f"its cell_methods {text} say {other}" if other else f"its cell_methods say {text}")
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
