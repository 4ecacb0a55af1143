"""Where `aiops` begins: Ctrl-C ends it in one line from the first moment, while the modules are still being loaded."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 130


def main() -> None:
    """Load the command line, and run it."""
    signal.signal(signal.SIGINT, _end)
    from workers.cli import main as run  # noqa: PLC0415 (takes a second)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


def _end(_signal: int, _frame: FrameType | None) -> None:
    # Nothing has been begun that would have to be ended.
    os.write(2, b"aiops: interrupted\n")
    os._exit(INTERRUPTED)
