"""The kernels beside their peers: `make bench-kernels`.

Each row is measured in this run: ours and the peer in turn, medians. What is timed stands under the table. One core:
the peers' own threads are switched off, as ours has none.
"""

# ruff: noqa: E402 - the number of threads must be set before the libraries that read it are imported

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # read by the libraries when they are imported

import numpy as np

from aiops.assess.hazard import assess_hazard
from aiops.assess.probability import assess_probability
from aiops.assess.windows import Windows
from aiops.climate import PROJECTIONS
from aiops.indices.drought import spei
from aiops.indices.fire_weather import fire_weather_index
from aiops.indices.spells import cold_spell_duration, warm_spell_duration
from aiops.risks import all_risks
from aiops.stats import gev
from aiops.stats.bins import probabilities
from bench import beside, peers, weather
from bench.measure import alone, alternate, per_cell, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.measure import Timing

HEAD = ("kernel", "size", "peer", "ours a cell", "peer a cell", "ratio", "required", "agreement", "required", "")
EDGES = np.array([1.0, 10.0, 30.0, 80.0])
PERIODS = np.array([20.0, 50.0, 100.0, 200.0])
TIMED = """What is timed
  Processor time from arrays in memory to arrays in memory, one core; the first call of either side is not counted
             (numba compiles in it)
  KDE        five bins; a gaussian_kde and five integrals a cell
  GEV        fit (free shape) and four return levels; lmom_fit and ppf a cell
  SPEI-12    fit on 1991–2020, applied to all years. climate-indices without its logs; its log-logistic is the same
             distribution as ours, gamma and Pearson III are its older ones; "one pass" hands it all cells at once
  WSDI, CSDI percentiles and index. xclim: convert_calendar (29 February dropped, as ours does within the call),
             percentile_doy, the index; "converted before" leaves the calendar out of its time
  FWI        all six codes and indices of every day
  9 risks    assess_probability and assess_hazard of every risk and projection from one block of 116 yearly values in
             five scenarios, windows shared, as the daemon does it; reading and writing the database not counted"""


@dataclass(frozen=True, slots=True)
class Row:
    """One kernel beside one peer."""

    kernel: str
    size: str
    peer: str
    ours_us_per_cell: float
    peer_us_per_cell: float | None
    ratio: float | None
    required_ratio: float | None
    agreement: str = ""
    required_agreement: str = ""
    agrees: bool = True
    limit_us_per_cell: float | None = None

    @property
    def fast_enough(self) -> bool:
        """Is the requirement met, where there is one."""
        if self.limit_us_per_cell is not None:
            return self.ours_us_per_cell <= self.limit_us_per_cell
        return self.required_ratio is None or (self.ratio or 0.0) >= self.required_ratio

    @property
    def verdict(self) -> str:
        """In a word."""
        if not self.agrees:
            return "DIFFERS"
        if self.required_ratio is None and self.limit_us_per_cell is None:
            return "(for comparison)"
        return "ok" if self.fast_enough else "SLOWER"

    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        limit = self.limit_us_per_cell
        required = f"≥ {self.required_ratio:g} ×" if self.required_ratio else f"≤ {limit / 1e3:g} ms" if limit else "–"
        return (
            self.kernel,
            self.size,
            self.peer,
            per_cell(self.ours_us_per_cell / 1e6, 1),
            "–" if self.peer_us_per_cell is None else per_cell(self.peer_us_per_cell / 1e6, 1),
            "–" if self.ratio is None else f"{self.ratio:.3g} ×",
            required,
            self.agreement or "–",
            self.required_agreement or "–",
            self.verdict,
        )


def _row(kernel: str, size: str, peer: str, times: Timing, n_cells: int, required: float | None, **agreement) -> Row:
    micro = 1e6 / n_cells
    return Row(kernel, size, peer, times.ours * micro, times.peer * micro, times.ratio, required, **agreement)


def kde(runs: int) -> Iterator[Row]:
    """Bin probabilities in the plain Scott form."""
    n_cells = 500
    x = np.random.default_rng(0).gamma(2.0, 12.0, (30, n_cells))
    times = alternate(lambda: probabilities(x, EDGES, "kde"), lambda: peers.kde_probabilities(x, EDGES), runs)
    difference = float(np.abs(probabilities(x, EDGES, "kde") - peers.kde_probabilities(x, EDGES)).max())
    yield _row(
        "KDE bin probabilities",
        f"30 years × {n_cells} cells",
        "scipy gaussian_kde",
        times,
        n_cells,
        20.0,
        agreement=f"{difference:.1e}",
        required_agreement="≤ 1e-12",
        agrees=difference <= 1e-12,
    )


def gev_levels(runs: int) -> Iterator[Row]:
    """Return levels of annual maxima."""
    n_cells = 500
    x = weather.annual_rain(30, n_cells)

    def ours() -> np.ndarray:
        return gev.return_level(gev.fit(x, shape=None), PERIODS)

    times = alternate(ours, lambda: peers.gev_levels(x, PERIODS), runs)
    difference = float(np.abs(ours() - peers.gev_levels(x, PERIODS)).max())
    yield _row(
        "GEV return levels",
        f"30 years × {n_cells} cells",
        "lmoments3",
        times,
        n_cells,
        200.0,
        agreement=f"{difference:.1e} mm",
        required_agreement="≤ 1e-3 mm",
        agrees=difference <= 1e-3,
    )


def drought(runs: int) -> Iterator[Row]:
    """SPEI-12, as long as a baseline, as a long record, and as history and scenario together."""
    n_cells, n_of_peer = 1000, 40
    for n_years, first_year in ((30, 1991), (44, 1980), (116, 1985)):
        rain, evaporation = weather.water(n_years, n_cells)
        balance = rain - evaporation
        few = rain[:, :n_of_peer], evaporation[:, :n_of_peer]

        def ours(balance: np.ndarray = balance, first_year: int = first_year) -> np.ndarray:
            return spei(balance, 12, (1991, 2020), first_year=first_year)

        index = ours()[:, :n_of_peer]
        for distribution, required in (("loglogistic", 100.0), ("pearson", None), ("gamma", None)):

            def peer(few=few, first_year: int = first_year, distribution: str = distribution) -> np.ndarray:
                return peers.spei_by_series(*few, first_year, distribution)

            theirs = _if_known(peer)
            if theirs is None:
                continue
            times = alternate(ours, peer, runs)
            scaled = _scaled(times, n_cells, n_of_peer)
            agreement = _spei_agreement(index, theirs) if distribution == "loglogistic" else {}
            yield _drought_row(f"{distribution}, a call a cell", n_years, n_cells, scaled, required, **agreement)

        def block(rain=rain, evaporation=evaporation, first_year: int = first_year) -> np.ndarray:
            return peers.spei_in_one_pass(rain[:, :200], evaporation[:, :200], first_year, "loglogistic")

        if _if_known(block) is not None:
            scaled = _scaled(alternate(ours, block, runs), n_cells, 200)
            yield _drought_row("loglogistic, one pass", n_years, n_cells, scaled, None)


def _if_known(call: Callable[[], np.ndarray]) -> np.ndarray | None:
    """None where the installed peer is older than the distribution or the argument."""
    try:
        return call()
    except (KeyError, TypeError):
        return None


def _scaled(times: Timing, n_ours: int, n_peer: int) -> Timing:
    """By cell; the peer was given fewer."""
    return type(times)(times.ours / n_ours, times.peer / n_peer)


def _drought_row(peer: str, n_years: int, n_cells: int, by_cell: Timing, required: float | None, **agreement) -> Row:
    size = f"{n_years} years × {n_cells} cells"
    return _row("SPEI-12", size, f"climate-indices {peer}", by_cell, 1, required, **agreement)


def _spei_agreement(ours: np.ndarray, theirs: np.ndarray) -> dict[str, object]:
    """With R's values where they lie beside the checkout; with the peer where it does not clip (±3.09)."""
    inside = np.abs(theirs) < 3.0
    with_peer = float(np.abs(ours - theirs)[inside].max())
    told = f"{with_peer:.0e} (peer)"
    published = beside.wichita()
    if published is None:
        return {"agreement": f"{told}; R: no file", "required_agreement": "≤ 1e-9 (R)"}
    with_r = published.spei_difference()
    return {
        "agreement": f"{with_r:.1e} (R), {told}",
        "required_agreement": "≤ 1e-9 (R)",
        "agrees": with_r <= 1e-9,
    }


def spells(runs: int) -> Iterator[Row]:
    """WSDI and CSDI with their percentiles."""
    n_years, n_cells = 44, 100
    dates, celsius = weather.temperature(1980, n_years, n_cells)
    theirs = peers.Celsius(celsius, dates)
    for kind, name, index in (("warm", "WSDI", warm_spell_duration), ("cold", "CSDI", cold_spell_duration)):
        for convert in (True, False):

            def ours(index=index) -> np.ndarray:
                return index(celsius, dates)[1]

            def peer(kind: str = kind, convert: bool = convert) -> np.ndarray:
                return theirs.spells(kind, convert=convert)

            times = alternate(ours, peer, runs)
            unequal = int(np.count_nonzero(ours() != peer()))
            yield _row(
                name,
                f"{n_years} years × {n_cells} cells",
                f"xclim{'' if convert else ', converted before'}",
                times,
                n_cells,
                20.0,
                agreement="exact" if not unequal else f"{unequal} unequal",
                required_agreement="exact",
                agrees=not unequal,
            )


def fire(runs: int) -> Iterator[Row]:
    """The Canadian system over two years."""
    n_years, n_cells = 2, 1000
    days = weather.fire_days(n_years, n_cells)
    theirs = peers.FireArrays(days)

    def ours() -> np.ndarray:
        return fire_weather_index(days.temperature, days.humidity, days.wind_kmh, days.rain, days.month).fwi

    times = alternate(ours, theirs.indices, runs)
    published = beside.fire_table()
    unequal = None if published is None else published.digits_missed()
    told = "no file" if unequal is None else "all digits" if not unequal else f"{unequal} digits missed"
    yield _row(
        "FWI, all six",
        f"{n_years} years × {n_cells} cells",
        "xclim (numba)",
        times,
        n_cells,
        0.8,
        agreement=f"{told}; peer {np.nanmax(np.abs(ours() - theirs.indices()['fwi'])):.1g}",
        required_agreement="the 48 days' digits",
        agrees=not unequal,
    )


def everything(runs: int) -> Iterator[Row]:
    """All risks and projections of a cell, from its yearly series."""
    risks = all_risks()
    for n_cells, gap in ((500, 0.0), (500, 0.02)):  # as many as a chunk of the daemon has at most
        block = weather.block(n_cells, gap=gap)

        def ours(block=block) -> None:
            windows = Windows(block)
            for risk in risks.values():
                assess_probability(block, risk, windows=windows)
                assess_hazard(block, risk, windows=windows)

        micro = 1e6 * alone(ours, runs) / n_cells
        size = f"{n_cells} cells{f', {gap:.0%} missing' if gap else ''}"
        name = f"{len(risks)} risks × {len(PROJECTIONS)} projections"
        yield Row(name, size, "–", micro, None, None, None, limit_us_per_cell=1000.0)


KERNELS: dict[str, Callable[[int], Iterator[Row]]] = {
    "kde": kde,
    "gev": gev_levels,
    "spei": drought,
    "spells": spells,
    "fwi": fire,
    "risks": everything,
}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 1 where results differ from a peer's beyond what is allowed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kernels", nargs="*", metavar="kernel", help=f"which: {' '.join(KERNELS)}; without any, all")
    parser.add_argument("--runs", type=int, default=7, help="runs of each side; the median counts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--data", type=Path, help=beside.HELP)
    options = parser.parse_args(arguments)
    unknown = [name for name in options.kernels if name not in KERNELS]
    if unknown or options.runs < 1:
        parser.error(f"{' '.join(unknown) or '--runs'}: allowed: {' '.join(KERNELS)}; at least one run")
    if absent := peers.missing():
        parser.exit(2, f"not installed: {', '.join(absent)}; try: pip install -c constraints.txt -e '.[oracle]'\n")
    beside.look_in(options.data)
    rows: list[Row] = []
    with peers.quiet():
        for name in options.kernels or KERNELS:
            rows += KERNELS[name](options.runs)
            if not options.json and sys.stderr.isatty():
                print(f"{name} measured", file=sys.stderr)
    about = (
        f"Python {platform.python_version()}, {peers.versions()}; one core of {_processor()}; median of {options.runs}"
    )
    if options.json:
        print(json.dumps({"about": about, "rows": [{**asdict(row), "verdict": row.verdict} for row in rows]}, indent=1))
    else:
        print(table(HEAD, [row.cells() for row in rows]), "", TIMED, "", about, sep="\n")
    return 0 if all(row.agrees for row in rows) else 1


def _processor() -> str:
    """Its name, where the system tells."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
