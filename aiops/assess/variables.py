"""What has to be read of a cell before its risks can be assessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.risks import Driver, all_risks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from aiops.risks import Risk


def variables_of(risks: Iterable[Risk], kinds: Collection[str], damage_set: str) -> list[str]:
    """The yearly variables that results are computed from, in the order of the alphabet.

    Args:
        risks: which.
        kinds: `probability`, `hazard`, or both.
        damage_set: that P(H) is computed with.
    """
    wanted: set[str] = set()
    for risk in risks:
        if "probability" in kinds:
            wanted |= risk.probability_variables(damage_set)
        if "hazard" in kinds:
            wanted |= risk.hazard_variables()
        if risk.driver is Driver.SEA:
            # It reads no series of the cell, but whether the cell has a scenario at all; alone as among the others.
            wanted |= frozenset[str]().union(*(one.hazard_variables() for one in all_risks().values()))
    return sorted(wanted)
