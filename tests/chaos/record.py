"""What came of each fault: the table at the end of `make chaos`."""

from __future__ import annotations

from dataclasses import dataclass, field

HEAD = ("fault", "injections", "recovered in", "lost", "doubled", "seed", "")


@dataclass(slots=True)
class Record:
    """One test's line."""

    fault: str
    seed: int
    injections: int = 0
    recovered_seconds: list[float] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    outcome: str = "did not end"

    def cells(self):
        seconds = self.recovered_seconds
        recovered = f"{max(seconds):.1f} s" if seconds else "-"
        outcome = "" if self.outcome == "passed" else self.outcome
        return (
            self.fault,
            str(self.injections),
            recovered,
            str(self.lost),
            str(self.doubled),
            str(self.seed),
            outcome,
        )


def table(records):
    """The lines of the table."""
    rows = [HEAD, *(record.cells() for record in sorted(records, key=_order))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    right = {1, 2, 3, 4, 5}
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _order(record):
    return int(record.fault.split()[0]), record.fault
