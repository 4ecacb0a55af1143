"""Population by administrative district."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aiops.db.inputs import District
from aiops.ingest.input_rows import Inputs
from aiops.ingest.input_table import Column, Kind, each_once, read_facts
from aiops.ingest.parsed import nothing_left

if TYPE_CHECKING:
    from pathlib import Path

    from aiops.ingest.input_table import Row

POPULATION_COLUMNS = (
    Column("admin_code", Kind.TEXT, maximum=100, aliases=("행정구역코드", "행정기관코드", "법정동코드", "시군구코드")),
    Column("name", Kind.TEXT, needed=False),
    Column("name_ko", Kind.TEXT, needed=False, aliases=("행정구역명", "행정기관명", "법정동명", "시군구명")),
    Column("population", Kind.WHOLE, 0, 100_000_000, "people", aliases=("총인구수", "총인구", "인구수", "인구")),
    Column(
        "population_year",
        Kind.YEAR,
        1900,
        2300,
        needed=False,
        aliases=("year", "기준연도", "기준년도", "연도", "기준연월", "기준년월", "기준일", "기준일자"),
    ),
)


def read_population(path: Path) -> Inputs:
    """Population of districts; of one that stands there with several years, that of the last.

    Raises:
        FileRefused: no such file, a column missing, or nothing of it can be used.
    """
    facts = read_facts(path, POPULATION_COLUMNS)
    said = [name for name in ("name", "name_ko", "population") if name in facts.columns]
    key = ("admin_code", "population_year") if "population_year" in facts.columns else ("admin_code",)
    rows = each_once(facts, key, said)
    if not rows:
        raise nothing_left(path, facts.refusals)
    last: dict[str, District] = {}
    for district in map(_district, rows.values()):
        known = last.get(district.admin_code)
        if known is None or (district.population_year or 0) > (known.population_year or 0):
            last[district.admin_code] = district
    earlier = len(rows) - len(last)
    years = [district.population_year for district in last.values() if district.population_year is not None]
    return Inputs(
        facts,
        districts=tuple(last.values()),
        years=(min(years), max(years)) if years else (),
        notes=(f"{earlier:,} rows of earlier years left aside: the last year of each district counts",)
        if earlier
        else (),
    )


def _district(row: Row) -> District:
    return District(
        cast("str", row["admin_code"]),
        cast("str | None", row.get("name")),
        cast("str | None", row.get("name_ko")),
        cast("int", row["population"]),
        cast("int | None", row.get("population_year")),
    )
