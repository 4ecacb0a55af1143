"""How far this project's figures are from those of others: `make oracles`.

Published tables, worked examples, real observations and other libraries. What is not at hand is skipped by name; the
exit code is 1 where anything differs by more than it may.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench import agreement, beside, libraries, observed, peers
from bench.measure import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.agreement import Agreement

HEAD = ("what", "from where", "largest difference", "required", "")
ORACLES: tuple[Callable[[], Iterator[Agreement]], ...] = (
    observed.fire_weather,
    libraries.fire_weather,
    observed.drought,
    libraries.drought,
    agreement.evapotranspiration,
    libraries.spells,
    libraries.rain,
    observed.stations,
    observed.tracks,
    agreement.distributions,
    libraries.extremes,
)


def main(arguments: list[str] | None = None) -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--data", type=Path, help=beside.HELP)
    options = parser.parse_args(arguments)
    beside.look_in(options.data)
    with peers.quiet():
        found = [one for oracle in ORACLES for one in oracle()]
    if options.json:
        print(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
    else:
        verdicts = {True: "ok", False: "DIFFERS", None: "–"}
        rows = [(one.what, one.source, one.difference, one.required, verdicts[one.ok]) for one in found]
        kept = sum(one.ok is True for one in found)
        failed = sum(one.ok is False for one in found)
        print(table(HEAD, rows), "", sep="\n")
        print(f"{kept} agree, {failed} differ, {len(found) - kept - failed} not compared; {peers.versions()}")
    return 1 if any(one.ok is False for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
