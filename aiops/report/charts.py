"""Charts as SVG: drawn by Matplotlib, coloured by the page.

Matplotlib knows no dark mode. So a chart is drawn in stand-in colours, and each of them is then replaced by the name of
a colour of the page's style sheet (`var(--…)`), which has two values for it. Texts stay texts, in the page's font.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES: Final = (
    "ink", "muted", "line", "card", "historical", "ssp126", "ssp245", "ssp370", "ssp585",
    "very_low", "low", "medium", "high", "very_high", "land", "sea",
)  # fmt: skip
COLOUR: Final = {name: f"#fe01{place:02x}" for place, name in enumerate(NAMES)}
"""The stand-in of each colour of the style sheet."""
MARKERS: Final = {"historical": "o", "ssp126": "o", "ssp245": "s", "ssp370": "^", "ssp585": "D"}
"""Scenarios differ by shape as well as by colour."""
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "aiops",
    "font.size": 9,
    "axes.edgecolor": COLOUR["line"],
    "axes.labelcolor": COLOUR["muted"],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "grid.color": COLOUR["line"],
    "grid.linewidth": 0.6,
    "text.color": COLOUR["ink"],
    "xtick.color": COLOUR["line"],
    "ytick.color": COLOUR["line"],
    "xtick.labelcolor": COLOUR["muted"],
    "ytick.labelcolor": COLOUR["muted"],
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty chart, in inches."""
    import matplotlib as mpl  # noqa: PLC0415  takes a second to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
    axes.set_axisbelow(True)
    return figure, axes


def to_svg(figure: Figure, name: str, title: str, description: str) -> Markup:
    """A chart to put into a page.

    Args:
        figure: drawn in the colours of COLOUR.
        name: unique on the page: identifiers inside the chart begin with it.
        title: what screen readers call it.
        description: what there is to see.
    """
    import matplotlib as mpl  # noqa: PLC0415  takes a second to import
    from markupsafe import Markup  # noqa: PLC0415  the extra `report`

    out = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(
            out, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    text = out.getvalue()
    body = text[text.index(">", text.index("<svg")) + 1 :]
    box = re.search(r'viewBox="([^"]+)"', text)
    for colour, stand_in in COLOUR.items():
        body = body.replace(stand_in, f"var(--{colour})")
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"font: ([\d.]+)px [^;\"]+", r"font-size: \1px", body)
    body = re.sub(r'id="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{name}-", body)
    body = body.replace("xlink:href", "href")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box[1] if box else ""}" role="img" class="chart" '
        f'aria-labelledby="{name}-t {name}-d"><title id="{name}-t">{escape(title)}</title>'
        f'<desc id="{name}-d">{escape(description)}</desc>'
    )
    return Markup(head + body)  # noqa: S704  drawn here; texts in it were escaped by Matplotlib and above


def in_both_languages(chart: Markup, korean: Mapping[str, str]) -> Markup:
    """Texts of a chart, of which the page shows one language; Matplotlib's own font has no Hangul.

    Args:
        chart: as `to_svg` gives it.
        korean: what each of them is in Korean.
    """
    text = str(chart)
    for english, other in korean.items():
        both = (
            f'><tspan class="t" lang="en">{escape(english)}</tspan><tspan class="t" lang="ko">{escape(other)}</tspan><'
        )
        text = text.replace(f">{escape(english)}<", both)
    return type(chart)(text)


def numbers_of(values: Sequence[float | None] | None, n: int) -> Any:
    """An array, (n,), NaN where there is none."""
    if values is None:
        return np.full(n, np.nan)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
