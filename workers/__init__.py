"""The daemon: the queue's app, its tasks, the supervisor, the command line. It holds no formula.

`app` stands here so that `procrastinate --app=workers.app …` finds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.queue import app

__all__ = ["app"]


def __getattr__(name: str) -> Any:
    # Made when it is asked for: that takes half a second, in which the command line could not yet answer Ctrl-C.
    if name == "app":
        from workers.queue import app  # noqa: PLC0415

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
