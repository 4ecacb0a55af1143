"""The promises of docs/reliability.md name tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TEXT = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")
SHOWN_BY = [
    (name, file)
    for names, file in re.findall(r"((?:`test_\w+`[,\s]*)+)\(((?:chaos/)?test_\w+\.py)\)", TEXT)
    for name in re.findall(r"\w+", names)
]


def test_every_named_test_stands_beside_its_file():
    assert {name for name, _ in SHOWN_BY} == set(re.findall(r"`(test_\w+)`", TEXT))


@pytest.mark.parametrize(("name", "file"), SHOWN_BY)
def test_what_shows_a_promise_is_there(name, file):
    assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8")
