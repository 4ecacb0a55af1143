"""NetCDF by the CF conventions: what a file holds, and its values, some at a time.

Files of NetCDF-4 are read through h5netcdf, those of the classic formats through scipy; xarray is the common face, and
decodes nothing: times, missing values and packing are decoded here, where each can be refused by name.
"""

from __future__ import annotations

import traceback
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.errors import FileRefused
from aiops.ingest.grids.coordinates import grid_in, time_in
from aiops.ingest.grids.encoded import Packing
from aiops.ingest.grids.names import facts_of_name, frequency_of
from aiops.ingest.grids.plan import Chunks
from aiops.ingest.grids.quantities import quantity_of, quantity_of_standard_name
from aiops.ingest.grids.source import GridFile, Stamp
from aiops.ingest.grids.times import steps_in
from aiops.ingest.report import printable
from aiops.ingest.texts import find_scenario

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from aiops.ingest.grids.plan import Window

_HDF5, _CLASSIC = b"\x89HDF\r\n\x1a\n", (b"CDF\x01", b"CDF\x02")
_SAMPLED = 3
# What the libraries raise at files that are cut off or damaged; they have no class of their own for it.
_DAMAGE = (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, OverflowError, EOFError)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file as an undecoded xarray Dataset.

    Raises:
        FileRefused: it is not NetCDF, or damaged.
    """
    import xarray  # noqa: PLC0415  the extra `netcdf`

    try:
        with path.open("rb") as raw:
            magic = raw.read(8)
    except OSError as error:
        raise FileRefused(f"{path}: cannot be read ({error.strerror or error})") from None
    if magic.startswith(_HDF5):
        engine = "h5netcdf"
    elif magic.startswith(_CLASSIC):
        engine = "scipy"
    else:
        raise FileRefused(f"{path}: is no NetCDF file; allowed: NetCDF-4 (HDF5), NetCDF-3 classic or 64-bit offset")
    try:
        dataset = xarray.open_dataset(
            path, engine=engine, decode_cf=False, mask_and_scale=False, decode_times=False, cache=False
        )
    except _DAMAGE as error:
        refused = _damaged(path, error)
        with warnings.catch_warnings():
            # scipy's half-open file is closed when the frames that hold it go; that it is closed late is no news.
            warnings.simplefilter("ignore")
            traceback.clear_frames(error.__traceback__)
        raise refused from None
    try:
        yield dataset
    finally:
        dataset.close()


def _damaged(path: Path, error: Exception) -> FileRefused:
    said = printable(" ".join(str(error).split()))
    return FileRefused(f"{path}: the NetCDF file is cut off or damaged ({said or type(error).__name__})")


def scan_netcdf(path: Path, stamp: Stamp, source_name: str | None, quantity: str | None) -> GridFile:
    """Look at a file: its variable, steps and grid.

    Args:
        path: the file.
        stamp: its hash, size and time.
        source_name: which of its variables; None: the one that it has, or that is recognised.
        quantity: what is wanted of it; None: whatever it has.

    Raises:
        FileRefused: it cannot be used; the message names the file and the field.
    """
    with _opened(path) as dataset:
        try:
            return _scan(dataset, path, stamp, source_name, quantity)
        except _DAMAGE as error:
            raise _damaged(path, error) from error


def _scan(dataset: Any, path: Path, stamp: Stamp, source_name: str | None, quantity: str | None) -> GridFile:
    name = facts_of_name(path)
    field = _choose(dataset, path, source_name, quantity or (quantity_of(name.variable) if name.variable else None))
    variable = dataset.variables[field]
    time, time_dim = time_in(dataset, variable, path)
    found = grid_in(dataset, field, path)
    spare = {d: n for d, n in variable.sizes.items() if d not in (time_dim, *found.dims)}
    for dim, n in spare.items():
        if n != 1:
            raise FileRefused(
                f"{path}: {printable(field)}: has {n} along {printable(str(dim))}; allowed: time and two of space"
            )
    if variable.dtype.kind not in "iuf":
        raise FileRefused(f"{path}: {printable(field)}: values are of type {variable.dtype}; allowed: numbers")
    order = (time_dim, *found.dims)
    return GridFile(
        path=path,
        stamp=stamp,
        name=name,
        field=field,
        quantity=quantity_of(field),
        units=_text(variable, "units"),
        scenario=_scenario(dataset),
        frequency=frequency_of(_text(dataset, "frequency") or ""),
        steps=steps_in(dataset, time, path),
        grid=found.grid,
        chunks=_chunks(variable, order),
        reader=NetcdfReader(path, stamp, field, order, Packing.of(variable, path, field), variable.dtype.itemsize),
        standard_name=_text(variable, "standard_name") or "",
        cell_methods=_text(variable, "cell_methods") or "",
    )


def _choose(dataset: Any, path: Path, source_name: str | None, quantity: str | None) -> str:
    """The file's name of the variable that is meant."""
    helpers = {word for one in dataset.variables.values() for word in _helpers(one)}
    candidates = [
        str(name)
        for name, one in dataset.variables.items()
        if one.ndim >= 3 and name not in helpers and name not in one.dims
    ] or [
        str(name)
        for name, one in dataset.variables.items()
        if one.ndim == 2 and name not in helpers and name not in one.dims and one.dtype.kind in "iuf"
    ]
    there = printable(" ".join(str(name) for name in dataset.variables)) or "nothing"
    if source_name is not None:
        if source_name not in dataset.variables:
            raise FileRefused(f"{path}: variable {printable(source_name)} is missing; the file has: {there}")
        return source_name
    if len(candidates) == 1:
        return candidates[0]
    known = {name: _quantity(name, dataset.variables[name]) for name in candidates}
    meant = [name for name, found in known.items() if found is not None and quantity in (None, found)]
    if len(meant) == 1:
        return meant[0]
    if not candidates:
        raise FileRefused(f"{path}: has no variable over time and two dimensions of space; the file has: {there}")
    raise FileRefused(
        f"{path}: has {len(candidates)} variables, {printable(' '.join(candidates))}; allowed: one of them "
        "(--source-name)"
    )


def _helpers(variable: Any) -> list[str]:
    """Names of the variables that only describe this one."""
    words = [_text(variable, key) or "" for key in ("bounds", "coordinates", "grid_mapping", "ancillary_variables")]
    return " ".join(words).split()


def _quantity(field: str, variable: Any) -> str | None:
    standard_name, methods = (_text(variable, key) or "" for key in ("standard_name", "cell_methods"))
    return quantity_of(field) or quantity_of_standard_name(standard_name, methods)


def _scenario(dataset: Any) -> str | None:
    for key in ("experiment_id", "driving_experiment_name", "driving_experiment", "scenario", "experiment"):
        found = find_scenario(_text(dataset, key) or "")
        if found is not None:
            return found
    return None


def _text(owner: Any, key: str) -> str | None:
    value = owner.attrs.get(key)
    return None if value is None else str(value)


def _chunks(variable: Any, order: tuple[Any, ...]) -> Chunks:
    sizes = variable.encoding.get("chunksizes")
    if not sizes:
        _, rows, columns = (variable.sizes[dim] for dim in order)
        return Chunks(1, max(rows, 1), max(columns, 1), whole=True)
    by_dim = dict(zip(variable.dims, sizes, strict=True))
    return Chunks(*(min(by_dim[dim], max(variable.sizes[dim], 1)) for dim in order))


@dataclass(frozen=True, slots=True)
class NetcdfReader:
    """Reads hyperslabs of one variable."""

    path: Path
    stamp: Stamp
    field: str
    order: tuple[Any, ...]
    """Names of the dimensions of time, rows and columns."""
    packing: Packing
    itemsize: int

    def slabs(self, window: Window, n_bytes: int) -> Iterator[tuple[int, NDArray[np.floating]]]:
        """As `Reader` has it."""
        with self._variable() as variable:
            chunks, total = _chunks(variable, self.order), variable.sizes[self.order[0]]
            n_steps = max(n_bytes // (window.size * self.itemsize), 1)
            if n_steps > chunks.steps:
                n_steps -= n_steps % chunks.steps
            if not chunks.whole:
                for first in range(0, total, n_steps):
                    yield first, self._read(variable, slice(first, first + n_steps), window)
                return
        for first in range(0, total, n_steps):
            # What was read of a classic file stays mapped into memory until it is closed.
            with self._variable() as variable:
                values = self._read(variable, slice(first, first + n_steps), window)
            yield first, values

    def sample(self, window: Window) -> NDArray[np.floating]:
        """As `Reader` has it."""
        with self._variable() as variable:
            last = variable.sizes[self.order[0]] - 1
            steps = sorted({round(last * part / (_SAMPLED - 1)) for part in range(_SAMPLED)})
            return np.concatenate([self._read(variable, slice(step, step + 1), window) for step in steps])

    @contextmanager
    def _variable(self) -> Iterator[Any]:
        self.stamp.check(self.path)
        with _opened(self.path) as dataset:
            yield dataset.variables[self.field]

    def _read(self, variable: Any, steps: slice, window: Window) -> NDArray[np.floating]:
        time, rows, columns = self.order
        spare = {dim: 0 for dim in variable.dims if dim not in self.order}
        try:
            part = variable.isel({time: steps, rows: window.rows, columns: window.columns, **spare})
            numbers = np.asarray(part.transpose(*self.order).values)
        except _DAMAGE as error:
            raise _damaged(self.path, error) from error
        return self.packing.unpack(numbers.reshape(numbers.shape[0], -1)[:, window.picks])
