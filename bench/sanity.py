"""Whether the numbers make sense, as a climate scientist and an insurer would ask: `make sanity`.

Real stations and the synthetic sample, each in a throw-away database, through this project's own commands and its
daemon: ingest, one assessment, and questions to the results. Every check prints what was found beside what it must be;
the exit code is 1 where one fails. The stations lie in a folder beside the checkout; where they do not, they are
skipped. DATABASE_URL names a server to make the databases on; else one is started for it.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench import beside
from bench.measure import table
from bench.sanity_sample import add_far_cell, of_the_sample, summary_of_risks
from bench.sanity_stations import STATIONS, TRACKS, WHERE, of_the_stations
from bench.throwaway import databases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.plausible import Check
    from bench.throwaway import Database, Databases

HEAD = ("check", "found", "must be", "")
SUMMARY_HEAD = (
    "risk",
    "statuses of the 33 projections",
    "AAL now, median",
    "10 % … 90 %",
    "ssp126 2090s",
    "ssp585 2090s",
)


def main(arguments: list[str] | None = None) -> int:
    """Load, assess, check and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--data", type=Path, help=beside.HELP)
    options = parser.parse_args(arguments)
    beside.look_in(options.data)
    checks: list[Check] = []
    with databases() as server:
        with assessed_stations(server) as stations:
            if stations is not None:
                checks += of_the_stations(stations)
        with assessed_sample(server) as sample:
            checks += of_the_sample(sample)
            summary = summary_of_risks(sample)
    if options.json:
        print(json.dumps({"checks": [asdict(one) for one in checks]}, indent=1, ensure_ascii=False))
    else:
        print(table(SUMMARY_HEAD, summary), "", sep="\n")
        rows = [(one.what, one.found, one.required, "ok" if one.ok else "NOT OK") for one in checks]
        print(table(HEAD, rows), "", sep="\n")
        print(f"{sum(one.ok for one in checks)} of {len(checks)} hold")
    return 0 if all(one.ok for one in checks) else 1


@contextmanager
def assessed_stations(server: Databases) -> Iterator[Database | None]:
    """The real stations and typhoons, loaded and assessed; None where their files are not."""
    files = [beside.find(name) for name in (STATIONS, WHERE, TRACKS)]
    if None in files:
        say(f"The real stations are skipped: there is no {STATIONS}.")
        yield None
        return
    days, where, tracks = files
    with server.one("stations") as database:
        seconds = database.run("ingest", "asos", days, "--stations", where) + database.run("ingest", "tracks", tracks)
        say(f"31 stations, 2011 to 2019: loaded in {seconds:.0f} s, assessed in {assess(database):.0f} s.")
        yield database


@contextmanager
def assessed_sample(server: Databases) -> Iterator[Database]:
    """The sample, loaded and assessed; with a cell that no storm ever came near."""
    with server.one("sample") as database:
        seconds = database.run("ingest", "sample")
        add_far_cell(database)
        say(f"The sample: loaded in {seconds:.0f} s, assessed in {assess(database):.0f} s.\n")
        yield database


def assess(database: Database) -> float:
    """Probabilities and hazard scores of all cells, by a daemon of the command's own; seconds."""
    return database.run("run", "assessment")


def say(text: str) -> None:
    """Beside the tables, so that their output can be piped."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
