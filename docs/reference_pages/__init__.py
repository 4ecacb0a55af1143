"""The pages of the reference, made from the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_pages.codes import codes_page
from reference_pages.commands import commands_page
from reference_pages.database import database_page, functions_page
from reference_pages.jobs import jobs_page
from reference_pages.settings import settings_page

if TYPE_CHECKING:
    from psycopg import Connection


def all_pages(connection: Connection) -> dict[str, str]:
    """Every page by its file's name.

    Args:
        connection: to a database of this version's schema.
    """
    return {
        "settings.md": settings_page(),
        "database.md": database_page(connection),
        "functions.md": functions_page(connection),
        "jobs.md": jobs_page(connection),
        "cli.md": commands_page(),
        "codes.md": codes_page(connection),
    }
