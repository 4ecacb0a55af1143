"""A chart of a quantity by decade and scenario, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from aiops.climate import DECADES, PROJECTIONS, SCENARIOS
from aiops.report.charts import COLOUR, MARKERS, in_both_languages, new_figure, to_svg
from aiops.report.words import LEVELS

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

_BASELINE_AT: Final = 2005
"""Where the baseline stands, whichever years it is of: the middle of 1991 to 2020."""


def decades_chart(
    name: str,
    title: str,
    mean: NDArray[np.float64],
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
    *,
    levels: bool = False,
    chosen: str | None = None,
    size: tuple[float, float] = (3.5, 2.2),
) -> Markup | None:
    """Lines over decades, one a scenario, from the baseline on; None where there is nothing to draw.

    Args:
        name: unique on the page.
        title: what it shows, in words.
        mean: (33,), in the unit of the axis; NaN missing.
        bounds: (33,) each: lower and upper.
        levels: the quantity is a score of 0 to 100, whose levels are shown behind it.
        chosen: the scenario that was asked for; its line is heavier.
        size: inches.
    """
    if np.isnan(mean).all():
        return None
    figure, axes = new_figure(*size)
    axes.grid(axis="y")
    if levels:
        for place, level in enumerate(LEVELS):
            axes.axhspan(20 * place, 20 * place + 20, color=COLOUR[level], alpha=0.22, linewidth=0, zorder=0)
    if not np.isnan(mean[0]):
        axes.axhline(mean[0], color=COLOUR["historical"], linewidth=0.8, linestyle=(0, (2, 2)))
        error = None if bounds is None else _whisker(mean[0], bounds[0][0], bounds[1][0])
        axes.errorbar(
            [_BASELINE_AT], [mean[0]], yerr=error, fmt="o", markersize=4.5, capsize=2, color=COLOUR["historical"]
        )
    for scenario in SCENARIOS[1:]:
        at = [place for place, one in enumerate(PROJECTIONS) if one.scenario == scenario]
        if bounds is not None and scenario == (chosen or scenario):
            axes.fill_between(
                DECADES,
                bounds[0][at],
                bounds[1][at],
                color=COLOUR[scenario],
                alpha=0.16 if chosen else 0.1,
                linewidth=0,
            )
        heavy = scenario == chosen
        axes.plot(
            DECADES,
            mean[at],
            color=COLOUR[scenario],
            marker=MARKERS[scenario],
            markersize=4 if heavy else 3,
            linewidth=2.2 if heavy else 1.3,
            zorder=4 if heavy else 3,
        )
    axes.set_xlim(1999, 2095)
    axes.set_xticks([_BASELINE_AT, 2030, 2050, 2070, 2090], ["baseline", "2030s", "2050s", "2070s", "2090s"])
    axes.set_ylim(0, 100 if levels else 1.08 * _highest(mean, bounds, chosen) or 1.0)
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)
    return in_both_languages(to_svg(figure, name, title, _described(title, mean)), {"baseline": "기준"})


def _whisker(mean: float, low: float, high: float) -> list[list[float]] | None:
    return None if np.isnan(low) or np.isnan(high) else [[max(mean - low, 0)], [max(high - mean, 0)]]


def _highest(
    mean: NDArray[np.float64], bounds: tuple[NDArray[np.float64], NDArray[np.float64]] | None, chosen: str | None
) -> float:
    highest = float(np.nanmax(mean))
    if bounds is None:
        return highest
    drawn = [one.scenario in {chosen or one.scenario, "historical"} for one in PROJECTIONS]
    upper = bounds[1][drawn]
    # An interval may reach far beyond all means: the lines have to be told apart before it is seen whole.
    return highest if np.isnan(upper).all() else max(highest, min(float(np.nanmax(upper)), 2.5 * highest))


def _described(title: str, mean: NDArray[np.float64]) -> str:
    parts = [] if np.isnan(mean[0]) else [f"baseline {mean[0]:.4g}"]
    for scenario in SCENARIOS[1:]:
        last = [place for place, one in enumerate(PROJECTIONS) if one.scenario == scenario][-1]
        if not np.isnan(mean[last]):
            parts.append(f"{scenario} 2090s {mean[last]:.4g}")
    return f"{title}: {', '.join(parts)}."
