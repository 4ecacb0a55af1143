"""Logs: structlog, for people (console) or for machines (JSON); the libraries' logs go the same way."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

from aiops.settings import settings

if TYPE_CHECKING:
    from structlog.typing import Processor


def configure_logs() -> None:
    """Set up logging of this process by LOG_FORMAT and LOG_LEVEL; lines go to standard error."""
    level = getattr(logging, settings().log_level.upper())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings().log_format == "json":
        last: list[Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        last = [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # The queue tells of every job it starts and ends; our own lines say the same with the batch's number.
    logging.getLogger("procrastinate").setLevel(max(level, logging.WARNING))
