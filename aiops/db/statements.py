"""The SQL of this project, read from files: one statement per file in `sql/queries`, named after what it does."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import LiteralString

_INSTALLED = Path(__file__).parent.parent / "_sql"
_CHECKOUT = Path(__file__).parent.parent.parent / "sql"


def sql_directory() -> Path:
    """Where the SQL files stand: inside an installed package, or at the top of a checkout."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


@cache
def statement(name: str) -> LiteralString:
    """The statement in `sql/queries/<name>.sql`; it is part of the program, never a user's input."""
    return (sql_directory() / "queries" / f"{name}.sql").read_text(encoding="utf-8")
