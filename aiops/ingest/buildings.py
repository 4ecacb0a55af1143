"""Buildings: where they stand, how they are built, what they are used for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from aiops.db.buildings import STRUCTURES, USES, Building
from aiops.errors import FileRefused
from aiops.grid import FRAME
from aiops.ingest.input_columns import Column, Kind
from aiops.ingest.report import printable
from aiops.ingest.texts import MISSING_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from aiops.db.buildings import Doubled, TermField
    from aiops.ingest.input_table import FactStream, Row

    FindTerms = Callable[[TermField, Sequence[str]], Mapping[str, str]]

UNKNOWN_TERMS = 10
"""Terms of a column that are not known and are counted each on their own; the report of a file stays readable."""
_NOT_DEGREES = "the other coordinate, or projected ones"

# Beside the names of this format: those of the Korean building register, as its files, its downloads and its open
# interface (표제부) spell them.
BUILDING_COLUMNS = (
    Column("building_id", Kind.TEXT, maximum=100, aliases=("관리건축물대장PK", "관리_건축물대장_PK", "mgmBldrgstPk")),
    Column("name", Kind.TEXT, needed=False, aliases=("건물명", "건물_명", "bldNm")),
    Column(
        "latitude",
        Kind.NUMBER,
        FRAME.south,
        FRAME.north,
        "degrees north",
        hint=_NOT_DEGREES,
        aliases=("lat", "위도"),
    ),
    Column(
        "longitude",
        Kind.NUMBER,
        FRAME.west,
        FRAME.east,
        "degrees east",
        hint=_NOT_DEGREES,
        aliases=("lon", "경도"),
    ),
    Column("floor_area_m2", Kind.NUMBER, 0.01, 1e7, "m²", False, "none", ("연면적(㎡)", "연면적", "totArea")),
    Column(
        "built_year",
        Kind.YEAR,
        1800,
        datetime.now(UTC).year + 1,
        needed=False,
        aliases=("사용승인일", "사용승인_일", "useAprDay"),
    ),
    Column("structure", Kind.TEXT, needed=False, aliases=("구조코드명", "구조_코드_명", "구조", "strctCdNm")),
    Column("floors", Kind.WHOLE, 1, 200, needed=False, aliases=("지상층수", "지상_층_수", "grndFlrCnt")),
    Column("basement_floors", Kind.WHOLE, 0, 20, needed=False, aliases=("지하층수", "지하_층_수", "ugrndFlrCnt")),
    Column("use", Kind.TEXT, needed=False, aliases=("주용도코드명", "주_용도_코드_명", "주용도", "mainPurpsCdNm")),
    Column("water_tank", Kind.FLAG, needed=False),
    Column("pilotis", Kind.FLAG, needed=False, aliases=("필로티", "필로티여부")),
    Column("in_flood_zone", Kind.FLAG, needed=False),
)
_PLACE = ("building_id", "latitude", "longitude")
_CANONICAL: Mapping[TermField, Sequence[str]] = {"structure": STRUCTURES, "use": USES}


def building_blocks(stream: FactStream, find_terms: FindTerms) -> Iterator[list[tuple[Building, int]]]:
    """The buildings of a file with their lines, some at a time; a term that is not known is left out and noted.

    Args:
        stream: the file, opened with BUILDING_COLUMNS.
        find_terms: canonical names by term, of those of some terms that are known.

    Raises:
        FileRefused: the file says nothing of its buildings but where they stand.
    """
    facts = stream.facts
    if set(facts.columns) <= {*_PLACE, "name"}:
        allowed = " ".join(column.name for column in BUILDING_COLUMNS if column.name not in (*_PLACE, "name"))
        raise FileRefused(f"{facts.path}: has no column that describes a building; allowed: {allowed}")
    translators = [_Translator(stream, field, find_terms) for field in _CANONICAL if field in facts.columns]
    for block in stream.blocks:
        for translator in translators:
            translator.translate(block)
        yield [(_building(row), line) for row, line in block]


class _Translator:
    """Puts canonical names in the place of the terms of a column."""

    def __init__(self, stream: FactStream, field: TermField, find_terms: FindTerms) -> None:
        self._field: TermField = field
        self._column = stream.names[field]
        self._refusals = stream.facts.refusals
        self._find_terms = find_terms
        self._known: dict[str, str] = {}
        self._unknown: set[str] = set()

    def translate(self, block: Sequence[tuple[Row, int]]) -> None:
        """Change the rows of a block; a term that is not known becomes None and is noted."""
        given = [(row, line, cast("str", row[self._field] or "")) for row, line in block]
        new = {term for _, _, term in given if term.casefold() not in MISSING_WORDS} - self._known.keys()
        if new:
            self._known.update(self._find_terms(self._field, sorted(new)))
        for row, line, term in given:
            row[self._field] = self._known.get(term)
            if term in new and row[self._field] is None:
                self._refuse(line, term)

    def _refuse(self, line: int, term: str) -> None:
        if len(self._unknown) < UNKNOWN_TERMS:
            self._unknown.add(term)
        reason = f"not known: {printable(term)}" if term in self._unknown else "not known, like others before"
        allowed = f"{' '.join(_CANONICAL[self._field])}, or a term of the table building_term"
        self._refusals.refuse_value(line, self._column, reason, term, allowed)


def refuse_doubled(stream: FactStream, doubled: Sequence[Doubled]) -> None:
    """Note the rows that were left out because of another one of the same building."""
    for row in doubled:
        reason = "different values for the same key" if row.contradicts else "the same row again"
        stream.facts.refusals.refuse_row(
            row.line, stream.names["building_id"], reason, row.building_id, "one row for each building"
        )


def _building(row: Row) -> Building:
    values: list[Any] = [row.get(name) for name in Building._fields]
    return Building(*values)
