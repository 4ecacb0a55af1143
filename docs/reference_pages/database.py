"""Tables, views, columns and functions with their comments, from the catalogue of a migrated database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_pages.markdown import code, page, table

if TYPE_CHECKING:
    from psycopg import Connection

_RELATIONS = """
SELECT c.relname, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END,
       coalesce(obj_description(c.oid, 'pg_class'), ''),
       EXISTS (SELECT FROM role_right AS r
               WHERE r.role_name = 'aiops_client' AND r.may = 'read' AND r.object_name = c.relname),
       c.oid
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
  AND c.relname !~ '^procrastinate'
ORDER BY c.relname COLLATE "C"
"""
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), coalesce(col_description(a.attrelid, a.attnum), ''),
       a.attnum = ANY (coalesce(
           (SELECT conkey FROM pg_constraint WHERE conrelid = a.attrelid AND contype = 'p'), '{}'))
FROM pg_attribute AS a
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
_FUNCTIONS = """
SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
       coalesce(obj_description(p.oid, 'pg_proc'), '')
FROM pg_proc AS p
JOIN role_right AS r ON r.role_name = 'aiops_client' AND r.may = 'call' AND r.object_name = p.proname
WHERE p.pronamespace = 'public'::regnamespace
ORDER BY p.proname COLLATE "C"
"""
_TYPES = {
    "double precision": "float8",
    "double precision[]": "float8[]",
    "timestamp with time zone": "timestamptz",
}

_GROUPS = {
    "What is asked for, and how far it is": ("batch_jobs", "batch_job_logs", "portfolio_site"),
    "Results of cells": ("probability_results", "hazard_results"),
    "Answers for places": (
        "risk_results", "aal_scaled_results", "exposure_results", "vulnerability_results", "risk_run", "current_run",
        "risk_results_runs", "aal_scaled_results_runs", "exposure_results_runs", "vulnerability_results_runs",
    ),
    "Climate data and where they come from": (
        "climate_long", "climate_data", "climate_variable", "dataset", "evapotranspiration_method", "ingest_load",
        "ingest_block",
    ),
    "Places": ("location_grid", "location_admin", "api_buildings", "building_term"),
    "Storms, tides, rivers, warming": (
        "best_track", "best_track_year", "tide_gauge", "tide_gauge_maximum", "sea_level_rise", "basin", "water_use",
        "warming_level",
    ),
    "Words": ("scenario", "horizon", "projection", "risk_type", "job_type"),
}  # fmt: skip
_REST = "Others"


def database_page(connection: Connection) -> str:
    """The page of tables and views: those that a client may read with their columns, the others by name."""
    relations = connection.execute(_RELATIONS).fetchall()
    public = {name: (kind, comment, oid) for name, kind, comment, is_public, oid in relations if is_public}
    grouped = {name for names in _GROUPS.values() for name in names}
    groups = {**_GROUPS, _REST: tuple(name for name in public if name not in grouped)}
    parts = []
    for title, names in groups.items():
        parts.append(f"## {title}")
        for name in names:
            kind, comment, oid = public[name]
            rows = [
                (f"**{code(column)}**" if is_key else code(column), code(_TYPES.get(kind_, kind_)), text)
                for column, kind_, text, is_key in connection.execute(_COLUMNS, (oid,)).fetchall()
            ]
            parts.append(f"### {code(name)}, {kind}\n\n{comment}\n\n" + table(("column", "type", ""), rows))
    internal = [(code(name), comment) for name, _, comment, is_public, _ in relations if not is_public]
    return page(
        "Tables and views",
        "the comments in sql/migrations",
        "What accounts of the role `aiops_client` may read ([rights](../operations.md#roles-and-rights)). Columns of "
        "the primary key are bold. psql shows the same by `\\d+ name`. Functions: [functions.md](functions.md).",
        *parts,
        "## Internal\n\nThe daemon's own, for members of `aiops_worker`; they may change with any version. The queue's "
        "tables (`procrastinate_…`) are procrastinate's.\n\n" + table(("table", ""), internal),
    )


def functions_page(connection: Connection) -> str:
    """The page of the functions that a client may call."""
    parts = []
    for name, arguments, result, comment in connection.execute(_FUNCTIONS).fetchall():
        call = _folded(f"{name}({_short(arguments)})")
        parts.append(f"## {code(name)}\n\n{comment}\n\n```text\n{call}\n  → {_folded(_short(result), '    ')}\n```")
    return page(
        "SQL functions",
        "the comments in sql/migrations",
        "What accounts of the role `aiops_client` may call. Arguments with a DEFAULT may be left out, and may be given "
        "by name: `request_risk(37.57, 126.98, scenario => 'ssp585')`.",
        *parts,
    )


def _short(signature: str) -> str:
    for long, short in _TYPES.items():
        signature = signature.replace(long, short)
    return signature.replace("::text[]", "").replace("::text", "").replace("::jsonb", "")


def _folded(text: str, indent: str = "    ", width: int = 110) -> str:
    """In lines of a readable width, broken after commas."""
    lines = [""]
    for piece in text.split(", "):
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append(indent)
        lines[-1] += piece + ", "
    return "\n".join(line.rstrip() for line in lines).removesuffix(",")
