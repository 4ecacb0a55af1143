"""The report of a yearly batch: what it did, what came out by risk, and a map."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aiops.climate import PROJECTIONS
from aiops.db import reports
from aiops.errors import BadInput
from aiops.grid import FRAME
from aiops.ingest.sample.geography import COAST, ISLANDS
from aiops.report.decades import decades_chart
from aiops.report.kinds import batch_named, way_to_read
from aiops.report.layers import Squares, layer_of, side_of
from aiops.report.page import render
from aiops.report.words import JOBS, STATUS_CODES

if TYPE_CHECKING:
    from datetime import tzinfo
    from uuid import UUID

    from markupsafe import Markup
    from numpy.typing import NDArray

    from aiops.db.connect import Connection
    from aiops.db.reports import Area, StoredMeasure
    from aiops.report.layers import Layer

    Row = dict[str, Any]

_N: Final = len(PROJECTIONS)
_SHOWN: Final = (("historical", "baseline"), ("ssp245", "2050s"), ("ssp585", "2090s"))
_SHARES: Final = (0.1, 0.5, 0.9)
_MEASURES: Final = {"hazard": "hazard", "aal": "probability"}
"""What a layer is called, and the results it is read from."""
_RAMPS: Final = {"hazard": "YlOrRd", "aal": "viridis"}
"""Of Matplotlib: even in lightness, so that colour-blind eyes see the same order."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """One measure of one risk over the cells."""

    cells: int
    written: int
    """By the batch itself."""
    unreadable: int
    shown: tuple[tuple[float, ...] | None, ...]
    """A tenth, half and nine tenths of the cells lie below, for each of three projections; None without a value.
    Scores of 0 to 100, or fractions a year."""
    statuses: dict[str, float]
    """The share of cells and projections that have each status."""
    chart: Markup | None


@dataclass(frozen=True, slots=True)
class RiskPart:
    """One risk of the batch."""

    risk_type: str
    name: str
    name_ko: str
    hazard: Distribution
    aal: Distribution


def batch_page(connection: Connection, batch_id: UUID | str, *, language: str = "en", zone: tzinfo = UTC) -> str:
    """The page of a yearly batch.

    Args:
        connection: any.
        batch_id: of type probability, hazard or assessment.
        language: shown first.
        zone: the time zone of the times in it.

    Raises:
        BadInput: there is no such batch, or it is of another type.
    """
    batch = reports.read_batch(connection, batch_id)
    if batch is None:
        raise BadInput(f"report: there is no batch {batch_id}; aiops status lists the last ones")
    if batch["job_type"] not in JOBS:
        named = batch_named(batch["job_type"])
        raise BadInput(f"report: {batch_id} is {named}, no yearly batch of results; see {way_to_read(batch)}")
    asked = batch["input_params"]
    names = [
        row
        for row in reports.read_risk_names(connection)
        if row["risk_type"] in asked.get("risk_types", [row["risk_type"]])
    ]
    area = _area(asked)
    cells = reports.read_result_cells(connection, [row["risk_type"] for row in names], area)
    squares = Squares.of(cells, side_of(cells, len(names) * len(_MEASURES)))
    parts, layers = [], []
    for row in names:
        found = {}
        for measure, source in _MEASURES.items():
            stored = reports.read_measure(connection, source, row["risk_type"], batch_id, area)
            layer = layer_of(stored, measure, row["risk_type"], squares, cells)
            found[measure] = _distribution(stored, measure, row)
            if layer.codes.any():
                layers.append(_packed(layer))
        parts.append(RiskPart(row["risk_type"], row["name"], row["name_ko"], found["hazard"], found["aal"]))
    return render(
        "batch.html",
        language,
        zone=zone,
        batch=batch,
        chunks=reports.read_chunk_states(connection, batch_id),
        failed=reports.read_failed_chunks(connection, batch_id),
        stamps=reports.read_stamps(connection, batch_id),
        parts=parts,
        n_cells=int(cells.size),
        layers=layers,
        map=_map(connection, squares, layers, parts),
        datasets=reports.read_datasets(connection, int(cells[0])) if cells.size else [],
        synthetic=bool(cells.size) and reports.has_synthetic_data(connection, cells.tolist()),
        shown=_SHOWN,
        made_at=datetime.now(UTC),
    )


def _area(asked: Row) -> Area:
    cells = asked.get("cells")
    if "bbox" not in asked:
        return reports.Area(cells=cells)
    west, south, east, north = map(float, asked["bbox"])
    return reports.Area(west, south, east, north, cells)


def _distribution(stored: StoredMeasure, measure: str, names: Row) -> Distribution:
    quantiles = _quantiles(stored.values)
    drawn = quantiles * (1 if measure == "hazard" else 100)
    at = [next(i for i, one in enumerate(PROJECTIONS) if (one.scenario, one.horizon) == which) for which in _SHOWN]
    counts = np.bincount(stored.status.ravel(), minlength=len(STATUS_CODES))
    whole = max(int(counts.sum()), 1)
    what = "Hazard score" if measure == "hazard" else "average annual loss, %"
    return Distribution(
        cells=int(stored.grid_ids.size),
        written=stored.written,
        unreadable=stored.unreadable,
        shown=tuple(
            None if np.isnan(quantiles[1, place]) else tuple(float(x) for x in quantiles[:, place]) for place in at
        ),
        statuses={name: count / whole for name, count in zip(STATUS_CODES, counts.tolist(), strict=True) if count},
        chart=decades_chart(
            f"{measure}-{names['risk_type']}",
            f"{names['name']} {names['name_ko']}: {what}, median of the cells",
            drawn[1],
            (drawn[0], drawn[2]),
            levels=measure == "hazard",
        ),
    )


def _quantiles(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """(3, 33): of the cells that have a value; NaN where none has."""
    found = np.full((len(_SHARES), _N), np.nan)
    for projection in range(_N):
        column = values[:, projection]
        known = column[~np.isnan(column)]
        if known.size:
            found[:, projection] = np.quantile(known, _SHARES)
    return found


def _packed(layer: Layer) -> Row:
    return {
        "id": f"{layer.measure}-{layer.risk_type}",
        "low": layer.low,
        "high": layer.high,
        "data": layer.packed(),
    }


def _map(connection: Connection, squares: Squares, layers: list[Row], parts: list[RiskPart]) -> Row:
    """What the map's script reads."""
    return {
        "squares": squares.packed(),
        "frame": {"south": FRAME.south, "west": FRAME.west, "perDegree": FRAME.per_degree},
        "projections": [[one.scenario, one.horizon] for one in PROJECTIONS],
        "layers": {one["id"]: {"low": one["low"], "high": one["high"]} for one in layers},
        "risks": {part.risk_type: [part.name, part.name_ko] for part in parts},
        "ramps": {measure: _ramp(name) for measure, name in _RAMPS.items()},
        "coast": [[[lat, lon] for lat, lon in line] for line in (COAST, *ISLANDS.values())],
        "places": [
            [row["latitude"], row["longitude"], row["name"] or row["name_ko"], row["name_ko"] or row["name"]]
            for row in reports.read_named_places(connection)
        ],
    }


def _ramp(name: str) -> str:
    """256 colours as base64 of red, green, blue."""
    from matplotlib import colormaps  # noqa: PLC0415  takes a second to import

    colours = colormaps[name](np.linspace(0, 1, 255), bytes=True)[:, :3]
    return base64.b64encode(np.vstack([[0, 0, 0], colours]).astype(np.uint8).tobytes()).decode()
