"""Write the reference, docs/reference/*.md, from the source: `make docs`.

What stands there is the settings' own descriptions, the comments of the migrated database, the commands' help and the
errors' docstrings; a test compares the files with what this program would write.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from aiops.db.embedded import EmbeddedServer
from aiops.settings import settings
from reference_pages import all_pages
from workers.schema import apply_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCE = Path(__file__).parent / "reference"


@contextmanager
def migrated_database() -> Iterator[psycopg.Connection]:
    """A database of this version's schema, on a server that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="aiops-docs-"))
    folder.chmod(0o711)  # the server's account has to pass through
    server = EmbeddedServer(folder / "server", settings().embedded_postgres, durable=False)
    try:
        server.start()
        with psycopg.connect(server.conninfo, autocommit=True) as connection:
            apply_schema(connection)
            yield connection
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Write every page, and say which ones have changed."""
    REFERENCE.mkdir(exist_ok=True)
    with migrated_database() as connection:
        pages = all_pages(connection)
    for name, text in pages.items():
        path = REFERENCE / name
        before = path.read_text(encoding="utf-8") if path.exists() else None
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"docs/reference/{name}: {'as it was' if before == text else 'written'}\n")


if __name__ == "__main__":
    main()
