"""The sites of a portfolio from a file: CSV, or JSON as `request_risk_many` takes it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from aiops.errors import FileRefused
from aiops.ingest.buildings import BUILDING_COLUMNS
from aiops.ingest.input_columns import Column, Kind
from aiops.ingest.input_table import read_facts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aiops.ingest.report import Refusals

    Pairs = list[tuple[str, Any]]

SHOWN = 5
"""Refusals that a message repeats."""
_OF_SITE = ("site_id", "latitude", "longitude", "asset_value", "insurance_rate")
# Values are judged here as texts, and once more, by the same bounds as every request, where they enter the database.
SITE_COLUMNS = (
    Column("site_id", Kind.TEXT, maximum=200, needed=False, aliases=("사업장코드", "사업장")),
    Column("asset_value", Kind.NUMBER, 0, 1e18, "KRW", needed=False, aliases=("자산가액",)),
    Column("insurance_rate", Kind.NUMBER, 0, 1, needed=False, aliases=("보험가입률",)),
    Column("age_years", Kind.NUMBER, 0, 300, "years", needed=False),
    *(column for column in BUILDING_COLUMNS if column.name not in ("building_id", "name")),
)


@dataclass(frozen=True, slots=True)
class PortfolioFile:
    """A file that was read."""

    path: Path
    params: dict[str, Any]
    """`sites`, and of a JSON object whatever else it says."""
    lines: Sequence[int] | None
    """Of a CSV: the line of each site."""
    notes: Sequence[str]
    """What was odd and kept nothing out."""

    def where(self, field: str, said: str) -> str:
        """A refusal by the database in terms of the file.

        Args:
            field: such as `sites[3].building.floors`.
            said: its message.
        """
        text = said.removeprefix("input_params.")
        number, _, name = field.removeprefix("sites[").partition("].")
        if self.lines is None or not (field.startswith("sites[") and number.isdecimal()):
            return f"{self.path}: {text}"
        return f"{self.path}, line {self.lines[int(number)]}: {name}{text.removeprefix(field)}"


def read_portfolio(path: Path) -> PortfolioFile:
    """Read a file of sites; JSON by its name, anything else as CSV.

    Raises:
        FileRefused: it cannot be read, or something in it cannot be used: nothing of it is then asked.
    """
    return _read_json(path) if path.suffix.casefold() == ".json" else _read_csv(path)


def _read_csv(path: Path) -> PortfolioFile:
    facts = read_facts(path, SITE_COLUMNS)
    refusals = facts.refusals
    if refusals.rows_refused or refusals.values_refused:
        raise FileRefused(f"{path}: {_told(refusals)}; nothing was asked")
    sites = []
    for row in facts.rows:
        known = {name: value for name, value in row.items() if value is not None}
        building = {name: value for name, value in known.items() if name not in _OF_SITE}
        site = {name: value for name, value in known.items() if name in _OF_SITE}
        sites.append({**site, "building": building} if building else site)
    return PortfolioFile(path, {"sites": sites}, facts.lines, facts.notes)


def _told(refusals: Refusals) -> str:
    found = sorted(
        ((refusal, group.reason) for group in refusals.groups() for refusal in group.examples),
        key=lambda one: one[0].line,
    )
    more = refusals.rows_refused + refusals.values_refused - len(found[:SHOWN])
    shown = "; ".join(f"{refusal} ({reason})" for refusal, reason in found[:SHOWN])
    return f"{shown}; and {more:,} more" if more else shown


def _read_json(path: Path) -> PortfolioFile:
    try:
        document = json.loads(
            path.read_text(encoding="utf-8-sig"),
            object_pairs_hook=lambda pairs: _object(path, pairs),
            parse_float=lambda text: _number(path, text),
            parse_constant=lambda text: _refuse_number(path, text),
        )
    except FileNotFoundError:
        raise FileRefused(f"{path}: no such file") from None
    except OSError as error:
        raise FileRefused(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise FileRefused(f"{path}: not UTF-8 text; allowed: JSON in UTF-8") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise FileRefused(f"{path}: broken JSON ({error})") from None
    if isinstance(document, list):
        document = {"sites": document}
    if not isinstance(document, dict) or "sites" not in document:
        raise FileRefused(f'{path}: no list of sites; allowed: [{{"latitude": …}}, …], or {{"sites": […], …}}')
    return PortfolioFile(path, document, None, ())


def _object(path: Path, pairs: Pairs) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FileRefused(f"{path}: {twice}: the same key twice in one object; allowed: each key once")
    return found


def _number(path: Path, text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse_number(path, text)
    return number


def _refuse_number(path: Path, text: str) -> NoReturn:
    raise FileRefused(f"{path}: {text} is no number that can be used; allowed: finite numbers")
