"""Gridded files into `climate_data`: judged before anything is written, then written block by block.

Files lie time by time, series cell by cell. A block is as many cells as fit into memory; each is read from all files,
written in a transaction of its own, and noted as done in it. When reading block by block would unpack the files' chunks
again and again, they are read once, into a scratch file, in the order of the blocks.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from aiops.climate import Cadence
from aiops.db.datasets import register_dataset
from aiops.db.ingest_progress import begin_load, finish_load, forget_load, only_load, read_progress
from aiops.ingest.grids.extra import need_netcdf
from aiops.ingest.grids.gather import find_files, scan_files, sort_into_loads
from aiops.ingest.grids.prepared import Prepared, prepare
from aiops.ingest.grids.report import GridReport
from aiops.ingest.grids.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from aiops.db.connect import Connection
    from aiops.ingest.grids.options import GridOptions

    Tell = Callable[[str, float], None]

NEXT = "aiops run indicators"
READER_VERSION = "2"
"""Raised whenever the same files, loaded in the same way, may give other values: then they are not loaded yet."""
_FLOAT = 4


def load_grids(
    connection: Connection, paths: Iterable[str | Path], options: GridOptions, tell: Tell = lambda _, __: None
) -> list[GridReport]:
    """Load gridded files: all of what they bring, one load for each variable and scenario.

    All files are looked at, and a few of their values judged, before the first series is written.

    Args:
        connection: in autocommit mode, and not through a transaction pooler: a load holds a lock of its session.
        paths: files, folders or patterns.
        options: what they do not say themselves.
        tell: called with what is done and the share of it that is done.

    Raises:
        BadInput: an option does not fit, the same load runs elsewhere, the scratch folder is too small, or the extra
            `netcdf` is not installed.
        FileRefused: a file cannot be used. Before the first block nothing is written then; afterwards, what stands
            there stays, and the same command goes on from there.
    """
    need_netcdf()
    started = time.monotonic()
    files = scan_files(find_files(paths, options.kind), options, lambda share: tell("looking at the files", share))
    prepared = [prepare(one, options) for one in sort_into_loads(files, options)]
    reports = []
    for one in prepared:
        reports.append(_load(connection, one, options, tell, started))
        started = time.monotonic()
    return reports


def _load(connection: Connection, load: Prepared, options: GridOptions, tell: Tell, started: float) -> GridReport:
    sha256, axis = _joint_hash(load), load.axis
    dataset_id = register_dataset(
        connection,
        name=f"{load.variable.name} {load.scenario} {axis.first} to {axis.last}",
        source=f"gridded files ({options.kind})",
        file_sha256=sha256,
        first_year=axis.first_year,
        last_year=axis.last_year,
        synthetic=False,
        parameters=_parameters(load, options),
    )
    with only_load(connection, dataset_id):
        if options.again:
            forget_load(connection, dataset_id)
        before = read_progress(connection, dataset_id)
        run = Run(
            connection, load, options, dataset_id, lambda share: tell(f"{load.variable.name} {load.scenario}", share)
        )
        if not before.finished:
            names: list[dict[str, object]] = [
                {"name": file.path.name, "sha256": file.stamp.sha256} for file in load.files
            ]
            begin_load(connection, dataset_id, n_points=load.points.size, files=names)
            run.blocks_after(before.blocks)
            finish_load(connection, dataset_id)
        done = read_progress(connection, dataset_id)
    seconds = time.monotonic() - started
    return GridReport(
        kind=options.kind,
        files=tuple(str(file.path) for file in load.files),
        sha256=sha256,
        dataset_id=dataset_id,
        already_loaded=before.finished,
        variable=load.variable.name,
        scenario=load.scenario,
        cadence=axis.cadence.value,
        conversions=tuple(dict.fromkeys(map(str, load.conversions))),
        steps=load.n_steps,
        steps_absent=axis.gaps,
        leap_days_absent=axis.leap_days,
        first_date=axis.first,
        last_date=axis.last,
        points=load.points.size,
        points_outside=load.frame.outside,
        cells=int(load.frame.grid_ids.size),
        cells_without_data=int(load.frame.grid_ids.size) - done.cells,
        reach_km=load.frame.reach_km,
        farthest_km=load.frame.farthest_km,
        values_accepted=run.judge.accepted,
        values_missing=run.judge.missing,
        values_refused=run.judge.refused,
        refused=run.judge.groups(),
        warnings=tuple(_warnings(load, run, int(load.frame.grid_ids.size) - done.cells)),
        blocks=len(done.blocks),
        blocks_before=len(before.blocks),
        scratch_bytes=run.scratch_bytes,
        series_inserted=done.written.inserted,
        series_updated=done.written.updated,
        series_unchanged=done.written.unchanged,
        seconds=seconds,
        megabytes_per_second=run.values_read * _FLOAT / 1e6 / seconds,
        next_command=None if axis.cadence is Cadence.YEARLY or before.finished else NEXT,
    )


def _parameters(load: Prepared, options: GridOptions) -> dict[str, object]:
    """All that decides which values which cells get, beside the files themselves."""
    return {
        "kind": options.kind,
        "reader_version": READER_VERSION,
        "variable": load.variable.name,
        "scenario": load.scenario,
        "files": len(load.files),
        "max_distance_km": options.max_distance_km,
        "units": options.units,
        "source_name": options.source_name,
        "date": options.date,
    }


def _joint_hash(load: Prepared) -> str:
    hashes = [file.stamp.sha256 for file in load.files]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def _warnings(load: Prepared, run: Run, without_data: int) -> Iterator[str]:
    axis = load.axis
    yield from load.notes
    noun = {Cadence.DAILY: "days", Cadence.MONTHLY: "months", Cadence.YEARLY: "years"}[axis.cadence]
    if axis.gaps:
        yield f"{axis.gaps:,} {noun} between {axis.first} and {axis.last} stand in no file; they are missing"
    if axis.leap_days:
        yield f"{axis.leap_days:,} × 29 February is not in the files' calendar (noleap); it is missing"
    if without_data:
        yield f"{without_data:,} cells were not written: their points have no value at all"
    if run.scratch_bytes:
        yield f"the data were turned through a scratch file of {run.scratch_bytes / 1e9:.2f} GB in {run.folder}"
    suspicion = run.judge.suspicion()
    if suspicion is not None:
        yield suspicion
    yield from run.overruled.notes()
