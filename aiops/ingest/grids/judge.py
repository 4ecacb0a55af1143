"""Numbers of a file become values of a variable: converted, judged, counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aiops.ingest.report import EXAMPLES
from aiops.ingest.units import hint_of, suspicion_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from aiops.ingest.grids.conversion import Conversion
    from aiops.ingest.variables import Variable

WRONG_UNITS = 0.05
"""Share of implausible values from which on a file is taken to be in other units than it says."""
_ROUNDING = 1e-6
"""Of the plausible range: so far beyond it a value is at its edge, but for rounding (100.00001 % after × 100)."""

_DECIMALS = 4
"""Of temperatures that were kelvin in single precision: it keeps 300 K to 0.00002 K only, so that 33.0 °C would come
out as 32.999992, and not be a day of 33 °C or more. Source: IEEE 754, binary32, 24 bits of significand."""


@dataclass(frozen=True, slots=True)
class RefusedValues:
    """Values that were left out for one reason."""

    reason: str
    count: int
    examples: tuple[str, ...]
    """File, date, place, what stood there and what is allowed."""


@dataclass(slots=True)
class Judge:
    """Judges values of one variable, and remembers how many of them were what."""

    variable: Variable
    accepted: int = 0
    missing: int = 0
    largest: float = -np.inf
    _counts: dict[str, int] = field(default_factory=dict)
    _examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        """Values left out."""
        return sum(self._counts.values())

    def values(
        self,
        numbers: NDArray[np.floating],
        conversion: Conversion,
        lengths: NDArray[np.float64],
        describe: Callable[[int, int], str],
    ) -> NDArray[np.float32]:
        """Values in the stored unit; NaN where missing or refused.

        Args:
            numbers: (steps, points), NaN where missing.
            conversion: from the file's unit.
            lengths: (steps,), days that each step lasts.
            describe: file, date and place of a step and point, for an example.
        """
        low, high = self.variable.minimum, self.variable.maximum
        missing = np.isnan(numbers)
        values = numbers.astype(np.float64)
        if not conversion.is_identity:
            values *= conversion.scale
            if conversion.by_days:
                values *= lengths[:, None]
            values += conversion.offset
            if conversion.offset and numbers.dtype == np.float32:
                np.round(values, _DECIMALS, out=values)
        rounding = _ROUNDING * (high - low)
        bad = ~((values >= low - rounding) & (values <= high + rounding)) & ~missing
        if bad.any():
            self._refuse(numbers, values, bad, describe)
            values[bad] = np.nan
        np.clip(values, low, high, out=values)
        values += 0.0  # −0 is 0
        n_bad, n_missing = int(np.count_nonzero(bad)), int(np.count_nonzero(missing))
        accepted = values.size - n_bad - n_missing
        self.accepted += accepted
        self.missing += n_missing
        if accepted:
            self.largest = max(self.largest, float(np.nanmax(values)))
        return values.astype(np.float32)

    def suspicion(self) -> str | None:
        """A warning when all values, plausible as they are, seem to be in another unit."""
        return suspicion_of(self.variable, self.accepted, self.largest)

    def wrong_units(self) -> str | None:
        """What is wrong when too many values are implausible; None when they are not."""
        implausible = self._counts.get("implausible", 0)
        share = implausible / max(implausible + self.accepted, 1)
        if share <= WRONG_UNITS:
            return None
        return f"{share:.0%} of the values looked at are implausible, such as {self._examples['implausible'][0]}"

    def groups(self) -> tuple[RefusedValues, ...]:
        """What was left out by reason, the most frequent first."""
        found = [RefusedValues(reason, n, tuple(self._examples[reason])) for reason, n in self._counts.items()]
        return tuple(sorted(found, key=lambda group: -group.count))

    def _refuse(
        self,
        numbers: NDArray[np.floating],
        values: NDArray[np.float64],
        bad: NDArray[np.bool_],
        describe: Callable[[int, int], str],
    ) -> None:
        infinite = bad & np.isinf(numbers)
        for reason, which in (("infinite", infinite), ("implausible", bad & ~infinite)):
            count = int(np.count_nonzero(which))
            if not count:
                continue
            self._counts[reason] = self._counts.get(reason, 0) + count
            examples = self._examples.setdefault(reason, [])
            for flat in np.flatnonzero(which)[: EXAMPLES - len(examples)]:
                step, point = divmod(int(flat), values.shape[1])
                value = float(values[step, point])
                hint = hint_of(self.variable, value) or hint_of(self.variable, float(numbers[step, point]))
                examples.append(f"{describe(step, point)}: {value:g}; allowed: {self.variable.allowed}{hint}")
