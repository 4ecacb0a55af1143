"""A chart of sites where they lie, coloured by level."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from aiops.ingest.sample.geography import COAST, ISLANDS
from aiops.report.charts import COLOUR, in_both_languages, new_figure, to_svg
from aiops.report.words import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    Row = dict[str, Any]

_SHAPE: Final = 0.92
"""Width over height of what the axes leave of the figure."""
_LEAST_DEGREES: Final = 0.6
"""Sites of one town are shown with what lies around it."""
_CITIES: Final = ("Seoul", "Busan", "Daegu", "Gwangju", "Daejeon", "Incheon", "Ulsan", "Jeju", "Gangneung")


def sites_map(sites: Sequence[Row], places: Sequence[Row]) -> Markup | None:
    """Dots of sites, the larger the more they lose; None without a site.

    Args:
        sites: rows of `portfolio_results`.
        places: cells with a name, some of which are shown.
    """
    if not sites:
        return None
    figure, axes = new_figure(5.2, 5.6)
    for line in (COAST, *ISLANDS.values()):
        axes.fill(*_coordinates(line), facecolor=COLOUR["land"], edgecolor=COLOUR["line"], linewidth=0.6, zorder=1)
    low, high, west, east = _box(sites)
    # The worst on top, and those without an answer below all.
    for site in sorted(sites, key=lambda one: one["total_risk_score"] if one["total_risk_score"] is not None else -1):
        level = site["risk_level"]
        axes.plot(
            site["longitude"], site["latitude"], "o" if level else "x",
            color=COLOUR[level] if level else COLOUR["muted"], markersize=6.5 if level else 5,
            markeredgecolor=COLOUR["ink"] if level else COLOUR["muted"], markeredgewidth=0.5 if level else 1.2,
            alpha=0.95, zorder=3, clip_on=True,
        )  # fmt: skip
    for place in places:
        if place["name"] in _CITIES and low < place["latitude"] < high and west < place["longitude"] < east:
            axes.annotate(
                place["name"], (place["longitude"], place["latitude"]), xytext=(4, 4), textcoords="offset points",
                color=COLOUR["muted"], fontsize=7.5, zorder=2,
            )  # fmt: skip
    axes.set_xlim(west, east)
    axes.set_ylim(low, high)
    axes.set_aspect(1 / _width_of_a_degree(low, high), adjustable="box")
    axes.grid(visible=True, zorder=0)
    axes.tick_params(length=0)
    axes.xaxis.set_major_formatter("{x:g}°E")
    axes.yaxis.set_major_formatter("{x:g}°N")
    axes.locator_params(nbins=5)
    answered = sum(site["risk_level"] is not None for site in sites)
    counts = ", ".join(
        f"{sum(site['risk_level'] == level for site in sites)} {words.en}" for level, words in LEVELS.items()
    )
    title = "Map of the sites 사업장 지도"
    chart = to_svg(figure, "sites", title, f"{answered} of {len(sites)} sites with an answer: {counts}.")
    return in_both_languages(
        chart, {place["name"]: place["name_ko"] for place in places if place["name"] in _CITIES and place["name_ko"]}
    )


def _box(sites: Sequence[Row]) -> tuple[float, float, float, float]:
    """South, north, west, east: all sites, and what fills the figure around them."""
    low, high = _range([site["latitude"] for site in sites])
    west, east = _range([site["longitude"] for site in sites])
    across = (east - west) * _width_of_a_degree(low, high)
    wanted = max(across, (high - low) * _SHAPE)
    wider, taller = wanted / across, wanted / _SHAPE / (high - low)
    middle, centre = (west + east) / 2, (low + high) / 2
    half_width, half_height = wider * (east - west) / 2, taller * (high - low) / 2
    return centre - half_height, centre + half_height, middle - half_width, middle + half_width


def _width_of_a_degree(low: float, high: float) -> float:
    """A degree of longitude, in degrees of latitude."""
    return math.cos(math.radians((low + high) / 2))


def _coordinates(line: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [longitude for _, longitude in line], [latitude for latitude, _ in line]


def _range(degrees: Sequence[float]) -> tuple[float, float]:
    low, high = min(degrees), max(degrees)
    margin = max(0.12 * (high - low), (_LEAST_DEGREES - (high - low)) / 2, 0.15)
    return low - margin, high + margin
