"""The reference is what `make docs` would write now, and everything in it is explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aiops.settings import Settings
from reference_pages import all_pages
from reference_pages.settings import settings_page

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def pages(connection):
    return all_pages(connection)


def test_the_reference_is_up_to_date(pages):
    kept = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md")}
    assert kept.keys() == pages.keys()
    for name, text in pages.items():
        assert kept[name] == text, f"docs/reference/{name} is not what the source says now; run: make docs"


def test_every_setting_is_there_and_explained():
    text = settings_page()
    for name, field in Settings.model_fields.items():
        assert field.description, f"{name} has no description"
        assert text.count(f"| `{name.upper()}` |") == 1


def test_every_table_column_and_function_of_a_client_has_a_comment(connection):
    silent = connection.execute(
        """
        SELECT c.relname, a.attname
        FROM role_right AS r
        JOIN pg_class AS c ON c.relname = r.object_name AND c.relnamespace = 'public'::regnamespace
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE r.may = 'read' AND r.role_name = 'aiops_client' AND col_description(c.oid, a.attnum) IS NULL
        UNION ALL
        SELECT c.relname, '(table)' FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
          AND c.relname !~ '^procrastinate' AND obj_description(c.oid, 'pg_class') IS NULL
        UNION ALL
        SELECT p.proname, '(function)'
        FROM role_right AS r
        JOIN pg_proc AS p ON p.proname = r.object_name AND p.pronamespace = 'public'::regnamespace
        WHERE r.may = 'call' AND r.role_name = 'aiops_client' AND obj_description(p.oid, 'pg_proc') IS NULL
        """
    ).fetchall()
    assert silent == []


def _anchor(heading):
    """As GitHub makes it: lower case, no punctuation, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


PAGES = sorted([*DOCS.parent.glob("*.md"), *DOCS.rglob("*.md")])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS.parent)))
def test_every_link_within_the_project_leads_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\((?!https?://|mailto:)([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.exists(), f"{path.name}: {target}"
        if anchor and there.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, f"{path.name}: {target}"
