"""How often a year's loss is greater than so much: a falling step function of the bins, and its chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from aiops.report.charts import COLOUR, new_figure, to_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from numpy.typing import NDArray

_RAREST: Final = 1e-4
"""Where the axis of probabilities ends: once in ten thousand years."""


class Curve(NamedTuple):
    """P(loss > l)."""

    losses: NDArray[np.float64]
    """(bins,), ascending, fractions of the asset's value."""
    exceedance: NDArray[np.float64]
    """(bins,): probability in a year that the loss is greater; the last is 0."""

    @property
    def any_loss(self) -> float:
        """Probability in a year that there is a loss: 1 where every bin costs something."""
        return 1.0 if self.losses[0] > 0 else float(self.exceedance[0])


def curve_of(probabilities: Sequence[float | None], rates: Sequence[float | None], scale: float) -> Curve | None:
    """The curve of one projection's bins; None where one of them is missing.

    Args:
        probabilities: (bins,).
        rates: (bins,): base damage rates.
        scale: from the base rate to the asset's loss.
    """
    if None in probabilities or None in rates or not probabilities:
        return None
    p, losses = np.array(probabilities, np.float64), np.array(rates, np.float64) * scale
    order = np.argsort(losses, kind="stable")
    losses, p = losses[order], p[order]
    exceedance = np.array([p[losses > loss].sum() for loss in losses])
    return Curve(losses, exceedance)


def exceedance_chart(name: str, title: str, curves: Sequence[tuple[str, Curve | None]]) -> Markup | None:
    """Steps of each curve, rare years at the bottom; None where no loss can be.

    Args:
        name: unique on the page.
        title: what it shows, in words.
        curves: colour of each, and the curve.
    """
    known = [(colour, curve) for colour, curve in curves if curve is not None and curve.losses.max() > 0]
    if not known:
        return None
    figure, axes = new_figure(3.5, 2.2)
    axes.grid(axis="both")
    highest = max(float(curve.losses[-1]) for _, curve in known)
    for colour, curve in known:
        style = "--" if colour == "historical" else "-"
        x = np.concatenate([[0.0], 100 * curve.losses, [100 * highest * 1.2]])
        # What is exceeded from 0 on: the years with any loss at all.
        y = np.concatenate([[curve.any_loss], curve.exceedance, [0.0]])
        axes.step(x, np.maximum(y, _RAREST / 10), where="post", color=COLOUR[colour], linestyle=style, linewidth=1.8)
    axes.set_yscale("log")
    axes.set_ylim(_RAREST, 1.3)
    axes.set_yticks([1, 0.1, 0.01, 0.001, 0.0001], ["1", "1/10", "1/100", "1/1,000", "1/10,000"])
    axes.minorticks_off()
    axes.set_xlim(0, 100 * highest * 1.12)
    axes.tick_params(length=0)
    axes.locator_params(axis="x", nbins=5)
    described = "; ".join(
        f"{colour}: any loss in {100 * curve.any_loss:.3g} % of years, at most {100 * float(curve.losses[-1]):.3g} %"
        for colour, curve in known
    )
    return to_svg(figure, name, title, f"{title}: {described}.")
