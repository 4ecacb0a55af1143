"""NetCDF with CF attributes, by h5netcdf (the extra `netcdf`): what both kinds of files have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aiops import __version__
from aiops.db.statements import statement
from aiops.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aiops.db.connect import Connection
    from aiops.export.rows import Selection

FILL: Final = 9.969209968386869e36
"""What stands for missing: NetCDF's own for float64."""
FLAGS: Final = {
    "status": ("ok", "short_record", "insufficient_data", "not_applicable", "failed"),
    "estimator": ("shrunk", "hurdle", "count", "gev", "analytic", "kde"),
    "is_default": ("no", "yes"),
}
"""By variable: what its codes mean, from 1 on (of a boolean from 0 on)."""


def open_netcdf(file: Path) -> Any:
    """A new file.

    Raises:
        BadInput: h5netcdf is not installed.
    """
    try:
        import h5netcdf  # noqa: PLC0415  the extra `netcdf`
    except ImportError:
        raise BadInput("export: NetCDF needs the extra `netcdf`; install it: pip install 'aiops[netcdf]'") from None
    return h5netcdf.File(file, "w")


def describe(out: Any, connection: Connection, selection: Selection, title: str) -> None:
    """Global attributes: conventions, title, where the data come from, when and how the file was made."""
    datasets = connection.execute(statement("export_datasets")).fetchall()
    sources = "; ".join(f"{name}: {source}" for name, source, _ in datasets)
    asked = {
        "risk": selection.risk_types, "scenario": selection.scenarios, "horizon": selection.horizons,
        "bbox": selection.bbox,
    }  # fmt: skip
    given = " ".join(f"--{name} {','.join(map(str, value))}" for name, value in asked.items() if value is not None)
    out.attrs["Conventions"] = "CF-1.11"
    out.attrs["title"] = title
    out.attrs["source"] = f"aiops {__version__}; data sets: {sources or 'none recorded'}"
    out.attrs["history"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} aiops export {selection.what} {given}".rstrip()
    out.attrs["synthetic_data"] = "yes" if any(synthetic for *_, synthetic in datasets) else "no"


def text_variable(out: Any, name: str, dimension: str, texts: Sequence[str], meaning: str) -> None:
    """A variable of texts."""
    import h5py  # noqa: PLC0415  comes with h5netcdf

    made = out.create_variable(name, (dimension,), dtype=h5py.string_dtype())
    made.attrs["long_name"] = meaning
    if texts:
        made[:] = np.array(list(texts), dtype=object)


def flag_attributes(name: str) -> dict[str, Any]:
    """What the codes of a variable mean."""
    meanings = FLAGS[name]
    first = 0 if name == "is_default" else 1
    return {
        "flag_values": np.arange(first, first + len(meanings), dtype=np.int8),
        "flag_meanings": " ".join(meanings),
    }
