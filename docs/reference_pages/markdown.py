"""Markdown: a page, a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def page(title: str, source: str, *parts: str) -> str:
    """A page with a note of what it is made from.

    Args:
        title: its heading.
        source: what it is made from, for whoever wants to change it.
        parts: what stands in it, a blank line between them.
    """
    note = f"<!-- Made by `make docs` from {source}. Change that, not this file. -->"
    return "\n\n".join((f"# {title}", note, *(part for part in parts if part))) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; an empty text when there are no rows."""
    lines = [_row(cells) for cells in rows]
    if not lines:
        return ""
    return "\n".join((_row(head), "|" + "---|" * len(head), *lines))


def code(text: str) -> str:
    """Code within a line."""
    return f"`{text}`" if text else ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"
