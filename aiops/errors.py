"""Every error that this project raises on purpose.

    AiopsError
    ├── BadInput            what a user gave cannot be used (exit code 2)
    │   ├── SettingsError       an environment variable or a line of .env
    │   └── FileRefused         a file that cannot be read as what it was said to be
    ├── DatabaseUnavailable no server, or a server that cannot be used (exit code 1)
    ├── SchemaError         the database's schema and this version of the program do not fit (exit code 1)
    ├── DaemonFailed        a daemon that a command started does not work (exit code 1)
    ├── CannotWrite         a file could not be written: the disk is full, or broken (exit code 1)
    ├── BatchFailed         a batch that was waited for did not complete (exit code 1)
    └── DeliveryFailed      a notification could not be delivered; trying again may help
        └── DeliveryRefused     and trying again will not help

The message says in one line what was wrong, where, and what is allowed; it is printed as it stands.
"""

from __future__ import annotations

from typing import ClassVar


class AiopsError(Exception):
    """Root of the tree; `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int] = 1


class BadInput(AiopsError):
    """What a user gave cannot be used; names the field, what was given and what is allowed."""

    exit_code = 2


class SettingsError(BadInput):
    """A setting (environment variable, `.env`) has a value that cannot be used."""


class FileRefused(BadInput):
    """A file is missing, unreadable, or not of the format it was said to be of."""


class DatabaseUnavailable(AiopsError):
    """There is no server to work with, or it cannot be used."""


class SchemaError(AiopsError):
    """The database's schema and this version of the program do not fit each other."""


class CannotWrite(AiopsError):
    """A file could not be written where it was allowed to be: the disk is full, over its quota, or broken."""


class BatchFailed(AiopsError):
    """A batch that was waited for ended `failed` or `cancelled`."""


class DaemonFailed(AiopsError):
    """A daemon that a command started for itself ended, or does not take jobs."""


class DeliveryFailed(AiopsError):
    """A notification could not be delivered. The message says why, and never where to: addresses stay out of logs."""


class DeliveryRefused(DeliveryFailed):
    """A notification that cannot be delivered by trying again: refused by its receiver, by the guard, by a setting."""


def in_one_line(error: BaseException) -> str:
    """Any error's kind and what it says, without line breaks: for logs, and for what is stored of a failure."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
