"""The libraries of the extra `netcdf`: imported when a gridded file is read, not before."""

from __future__ import annotations

from importlib.util import find_spec

from aiops.errors import BadInput

NEEDED = ("xarray", "h5netcdf", "h5py", "cftime", "pint")


def need_netcdf() -> None:
    """Go on only when gridded files can be read.

    Raises:
        BadInput: a library is not installed; the message says how to install all of them.
    """
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        raise BadInput(
            f"gridded files need {', '.join(lacking)}, which this installation lacks; run: pip install 'aiops[netcdf]'"
        )
