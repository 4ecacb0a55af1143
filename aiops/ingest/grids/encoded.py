"""How the numbers of a NetCDF variable stand for values: packed, and with codes for what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.errors import FileRefused
from aiops.ingest.report import printable

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_DEFAULT_FILL = 9.9e36
"""NC_FILL_FLOAT and NC_FILL_DOUBLE, 9.969e36, stand where nothing was ever written."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How numbers of the file stand for values: which are missing, by how much they are scaled."""

    missing: tuple[float, ...]
    scale: float
    offset: float
    unsigned: bool

    @classmethod
    def of(cls, variable: Any, path: Path, field: str) -> Packing:
        """By the attributes of a variable.

        Raises:
            FileRefused: one of them is no number.
        """
        numbers: dict[str, list[float]] = {}
        for key in ("_FillValue", "missing_value", "scale_factor", "add_offset"):
            try:
                numbers[key] = [float(x) for x in np.atleast_1d(variable.attrs.get(key, []))]
            except (TypeError, ValueError):
                given = printable(str(variable.attrs[key]))
                raise FileRefused(f"{path}: {printable(field)}: {key} is {given}; allowed: a number") from None
        scale, offset = (
            (numbers[key] or [default])[0] for key, default in (("scale_factor", 1.0), ("add_offset", 0.0))
        )
        if not (np.isfinite(scale) and np.isfinite(offset) and scale):
            raise FileRefused(
                f"{path}: {printable(field)}: scale_factor {scale:g}, add_offset {offset:g}; allowed: finite, and not 0"
            )
        return cls(
            missing=tuple(numbers["_FillValue"] + numbers["missing_value"]),
            scale=scale,
            offset=offset,
            unsigned=str(variable.attrs.get("_Unsigned")) == "true",
        )

    def unpack(self, numbers: NDArray[Any]) -> NDArray[np.floating]:
        """Values, NaN where missing; single precision only where the file has that and nothing is scaled."""
        given = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
        if self.unsigned and given.dtype.kind == "i":
            given = given.view(given.dtype.str.replace("i", "u"))
        missing = np.zeros(given.shape, dtype=bool)
        for code in self.missing:
            missing |= given == _as_stored(code, given.dtype)
        if given.dtype.kind == "f":
            missing |= np.abs(given) >= _DEFAULT_FILL
            missing &= ~np.isinf(given)
        exact = given.dtype.kind == "f" and given.dtype.itemsize == 4 and self.scale == 1.0 and self.offset == 0.0
        values: NDArray[np.floating] = given.astype(np.float32 if exact else np.float64)
        if not exact:
            values = values * self.scale + self.offset
        values[missing] = np.nan
        return values


def _as_stored(code: float, dtype: np.dtype[Any]) -> Any:
    """A code for what is missing as the values' own type has it."""
    if dtype.kind == "f":
        # One that was written in another precision than the values is the same code.
        return np.asarray(code).astype(dtype)
    if dtype.kind == "u" and -(2.0 ** (8 * dtype.itemsize - 1)) <= code < 0:
        # Types of classic files have a sign, and so has an attribute of theirs: -1 of a byte is 255.
        return code + 2.0 ** (8 * dtype.itemsize)
    return code
