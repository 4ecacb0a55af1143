"""What a load did: what was read, what was refused and why, what was written."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXAMPLES = 5
"""Refused rows or values that are kept for each reason."""
_SHOWN = 60
"""Characters of a given text that are repeated in a message."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row or value that was left out."""

    line: int
    """Line of the file, 1 is the header."""
    field: str
    """Column."""
    given: str
    """What stood there, shortened."""
    allowed: str
    """What may stand there."""

    def __str__(self) -> str:
        return f"line {self.line}: {self.field}: {self.given!r}; allowed: {self.allowed}"


@dataclass(frozen=True, slots=True)
class RefusedGroup:
    """All that was left out for one reason."""

    what: Literal["row", "value"]
    """A whole row, or one value of a row whose other values were used."""
    field: str
    """Column."""
    reason: str
    """What was wrong, in a few words."""
    count: int
    """How often."""
    examples: tuple[Refusal, ...]
    """The first of them by line."""


@dataclass(slots=True)
class Refusals:
    """Collects what a reader leaves out; memory is bounded by the number of reasons."""

    rows_read: int = 0
    """Rows below the header that are not blank."""
    rows_refused: int = 0
    """Rows that were left out whole."""
    values_refused: int = 0
    """Values that were left out of rows otherwise used."""
    _groups: dict[tuple[Literal["row", "value"], str, str], tuple[int, list[Refusal]]] = field(default_factory=dict)

    def refuse_row(self, line: int, column: str, reason: str, given: str, allowed: str) -> None:
        """Note a row that is left out."""
        self.rows_refused += 1
        self._note("row", Refusal(line, column, shortened(given), allowed), reason)

    def refuse_value(self, line: int, column: str, reason: str, given: str, allowed: str) -> None:
        """Note a value that is left out of a row otherwise used."""
        self.values_refused += 1
        self._note("value", Refusal(line, column, shortened(given), allowed), reason)

    def groups(self) -> tuple[RefusedGroup, ...]:
        """What was left out by reason, the most frequent first."""
        found = [
            RefusedGroup(what, column, reason, count, tuple(sorted(examples, key=lambda refusal: refusal.line)))
            for (what, column, reason), (count, examples) in self._groups.items()
        ]
        return tuple(sorted(found, key=lambda group: (-group.count, group.what, group.field, group.reason)))

    def _note(self, what: Literal["row", "value"], refusal: Refusal, reason: str) -> None:
        key = (what, refusal.field, reason)
        count, examples = self._groups.get(key, (0, []))
        if len(examples) < EXAMPLES:
            examples.append(refusal)
        self._groups[key] = (count + 1, examples)


@dataclass(frozen=True, slots=True)
class IngestReport:
    """The outcome of one load."""

    kind: Literal["asos", "csv", "place"]
    """Which format the file was read as."""
    file: str
    """The path as it was given."""
    sha256: str
    """Hash of the file's bytes."""
    encoding: str
    """`utf-8` or `cp949`."""
    dataset_id: int
    """The row of `dataset` that the written series name."""
    rows_read: int
    """Rows below the header."""
    rows_accepted: int
    """Rows that were not left out whole."""
    rows_refused: int
    """Rows left out whole."""
    values_refused: int
    """Values left out of rows otherwise used."""
    refused: tuple[RefusedGroup, ...]
    """By reason."""
    warnings: tuple[str, ...]
    """What was odd and did not keep anything out."""
    variables: tuple[str, ...]
    """Variables that the file brought."""
    indicators: tuple[str, ...]
    """Monthly and yearly variables that were computed."""
    scenarios: tuple[str, ...]
    """Scenarios that the file brought."""
    cells: int
    """Grid cells that the file brought."""
    first_date: str
    """ISO date of the first value."""
    last_date: str
    """ISO date of the last value (of a month or year: its first day)."""
    series_inserted: int
    """Series that were not in the database."""
    series_updated: int
    """Series that the load changed."""
    series_unchanged: int
    """Series that were already as the file says."""
    seconds: float
    """Duration of reading, judging, computing and writing."""

    def as_dict(self) -> dict[str, object]:
        """The report for `--json`."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """The report for people."""
        yield (
            f"{self.file}: {self.rows_accepted:,} of {self.rows_read:,} rows used, "
            f"{self.cells:,} cells, {self.first_date} to {self.last_date}, {', '.join(self.scenarios)}"
        )
        yield f"  variables: {' '.join(self.variables)}"
        if self.indicators:
            yield f"  computed: {' '.join(self.indicators)}"
        yield (
            f"  series: {self.series_inserted:,} new, {self.series_updated:,} changed, "
            f"{self.series_unchanged:,} as they were (data set {self.dataset_id}, {self.seconds:.1f} s)"
        )
        for warning in self.warnings:
            yield f"  note: {warning}"
        yield from refused_lines(self.refused)


def refused_lines(groups: Iterable[RefusedGroup]) -> Iterator[str]:
    """What was left out, for people."""
    for group in groups:
        what = group.what if group.field == group.what else f"{group.what}, {group.field}"
        yield f"  refused: {group.count:,} × {what}: {group.reason}"
        for refusal in group.examples:
            yield f"    {refusal}"


def shortened(given: str) -> str:
    """A given text as far as a message repeats it."""
    return given if len(given) <= _SHOWN else f"{given[:_SHOWN]}…"


def printable(given: str) -> str:
    """A given text as it may stand in a message without quotes: shortened, no line ends, no control characters."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in shortened(given))
