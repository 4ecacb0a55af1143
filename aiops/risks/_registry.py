"""Finds the risks: every module of this folder whose name has no underscore in front defines `RISK`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from aiops.errors import BadInput
from aiops.risks._shape import Risk

if TYPE_CHECKING:
    from collections.abc import Mapping


@lru_cache(maxsize=1)
def all_risks() -> Mapping[str, Risk]:
    """Every risk by its name, in alphabetical order.

    Raises:
        TypeError: a module does not define `RISK`, or under another name than its own.
        ValueError: two risks claim one name or alias.
    """
    package = importlib.import_module(__package__)
    found: dict[str, Risk] = {}
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        if module.name.startswith("_"):
            continue
        risk = getattr(importlib.import_module(f"{__package__}.{module.name}"), "RISK", None)
        if not isinstance(risk, Risk) or risk.name != module.name:
            raise TypeError(f"{__package__}.{module.name} must define RISK, a Risk named {module.name!r}")
        found[risk.name] = risk
    _refuse_doubles(found)
    return MappingProxyType(found)


def find_risk(name: str) -> Risk:
    """The risk of a name or an alias, however it is written.

    Raises:
        BadInput: there is none of that name.
    """
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    for risk in all_risks().values():
        if wanted in risk.names:
            return risk
    raise BadInput(f"risk type: {name!r} is unknown; allowed: {' '.join(all_risks())}")


def _refuse_doubles(risks: Mapping[str, Risk]) -> None:
    taken: dict[str, str] = {}
    for risk in risks.values():
        for name in risk.names:
            if name in taken:
                raise ValueError(f"risk name {name!r} belongs to both {taken[name]} and {risk.name}")
            taken[name] = risk.name
