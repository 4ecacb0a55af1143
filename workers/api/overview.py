"""What goes on, as `aiops status` has it: read once for all who look."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from workers.health.cached import Cached
from workers.health.reading import reading
from workers.overview.reading import read_data, read_overview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiops.db.connect import Connection

Row = dict[str, Any]

_SECONDS: Final = 1.0
_DATA_SECONDS: Final = 60.0
"""Large tables are counted more rarely."""


class Overview:
    """Asked in threads: what it reads it reads over a session of its own, which is cut off after five seconds."""

    def __init__(self, read: Callable[[], Row] | None = None) -> None:
        self._data = Cached(_read_data, _DATA_SECONDS)
        self._all = Cached(read or self._read, _SECONDS)

    def get(self) -> Row:
        """As `aiops status --json`.

        Raises:
            DatabaseUnavailable: there is no server, or it does not answer.
        """
        return self._all.get()

    def text(self) -> str:
        """The same as JSON."""
        return json.dumps(self.get(), ensure_ascii=False, default=_plain)

    def _read(self) -> Row:
        data = self._data.get()
        with _looking() as connection:
            return read_overview(connection, data)


@contextmanager
def _looking() -> Iterator[Connection]:
    """As `reading`, but each statement for itself: what this account may not see must not end the others."""
    with reading() as connection:
        connection.commit()
        connection.autocommit = True
        yield connection


def _read_data() -> Row:
    with _looking() as connection:
        return read_data(connection)


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
