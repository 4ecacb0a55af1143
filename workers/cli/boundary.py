"""Where every error of a command ends: in one line on standard error, and an exit code.

| code | means |
|---|---|
| 0 | done |
| 1 | not healthy; or what was asked could not be done: a batch failed, there is no database, a disk is full |
| 2 | what was asked cannot be used: the line names it and says what is allowed |
| 130 | Ctrl-C |
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import typer

from aiops.errors import AiopsError
from workers.cli.output import complain, complain_of, write_what_can_be_written

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTERRUPTED = 130
_NOT_USABLE = 2


def run(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    # Taken out before parsing: it may stand anywhere, and has to hold for errors of the parser's callbacks too.
    debug = "--debug" in arguments
    given = [argument for argument in arguments if argument != "--debug"]
    write_what_can_be_written()
    try:
        code = int(app(given, prog_name="aiops", standalone_mode=False) or 0)
        sys.stdout.flush()
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        return _without_reader()
    except BrokenPipeError:
        return _without_reader()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except Exception as error:  # noqa: BLE001 (the one boundary: every error becomes one line)
        if debug:
            traceback.print_exc()
        return _one_line_for(error)
    if code == _INTERRUPTED:
        complain_of("interrupted")
    return code


def _one_line_for(error: Exception) -> int:
    match error:
        case AiopsError() | psycopg.Error():
            return complain(error)
        case typer.Abort():
            complain_of("ended: nothing more can be read from the terminal")
            return _INTERRUPTED
        case UnicodeEncodeError() if error.reason == "surrogates not allowed":
            complain_of("an argument holds bytes that are no text in UTF-8; allowed: UTF-8")
            return _NOT_USABLE
        case OSError():
            where = error.filename if error.filename is not None else "the output"
            complain_of(f"{where}: {error.strerror or error}")
            _drop_output()
            return 1
    if hasattr(error, "format_message"):
        return _explain_usage(error)
    what = f"{type(error).__name__}: {error}".removesuffix(": ")
    complain_of(f"a fault of this program, not of yours: {what}; the same command with --debug shows where")
    return 1


def _explain_usage(error: Exception) -> int:
    """What the parser of the arguments refuses."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # which has printed the help
        return _NOT_USABLE
    said = str(getattr(error, "format_message")()).strip().removesuffix(".")  # noqa: B009 (typer's own, or click's)
    complain_of(f"{said}; see {context.command_path if context is not None else 'aiops'} --help")
    return _NOT_USABLE


def _without_reader() -> int:
    """Whoever reads our output (head, less) has seen enough: no error."""
    _drop_output()
    return 0


def _drop_output() -> None:
    """What is still buffered has nowhere to go; the interpreter would complain of it at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)
        os.close(nowhere)
