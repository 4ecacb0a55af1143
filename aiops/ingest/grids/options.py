"""What whoever loads gridded files says about them."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aiops.errors import BadInput
from aiops.ingest.texts import scenario_of
from aiops.ingest.variables import Variable, variable_of

if TYPE_CHECKING:
    from typing import Literal

DEFAULT_MEMORY = 512 << 20
SMALLEST_MEMORY = 1 << 20


@dataclass(frozen=True, slots=True)
class GridOptions:
    """None: the files say it themselves."""

    kind: Literal["netcdf", "asc"]
    variable: Variable | None = None
    source_name: str | None = None
    scenario: str | None = None
    units: str | None = None
    max_distance_km: float | None = None
    date: str | None = None
    """Of the first step of a text grid."""
    again: bool = False
    """Load what is loaded already once more, from the first block on."""
    memory_bytes: int = DEFAULT_MEMORY
    scratch: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))


def grid_options(
    kind: Literal["netcdf", "asc"],
    *,
    variable: str | None = None,
    source_name: str | None = None,
    scenario: str | None = None,
    units: str | None = None,
    max_distance_km: float | None = None,
    date: str | None = None,
    again: bool = False,
    memory_mb: float | None = None,
    scratch: Path | None = None,
) -> GridOptions:
    """Options from what was typed.

    Raises:
        BadInput: one of them is none; the message names it and what is allowed.
    """
    if max_distance_km is not None and not (math.isfinite(max_distance_km) and 0 < max_distance_km <= 1000):
        raise BadInput(f"--max-distance: {max_distance_km:g}; allowed: kilometres, more than 0, up to 1000")
    memory = DEFAULT_MEMORY if memory_mb is None else memory_mb * (1 << 20)
    if not (math.isfinite(memory) and memory >= SMALLEST_MEMORY):
        raise BadInput(f"--memory: {memory_mb:g}; allowed: megabytes, 1 or more")
    return GridOptions(
        kind=kind,
        variable=None if variable is None else variable_of(variable, field="--variable"),
        source_name=source_name,
        scenario=None if scenario is None else scenario_of(scenario, field="--scenario"),
        units=units,
        max_distance_km=max_distance_km,
        date=date,
        again=again,
        memory_bytes=int(memory),
        scratch=scratch or Path(tempfile.gettempdir()),
    )
