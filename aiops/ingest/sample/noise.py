"""Random numbers of the generator.

There is one stream per purpose, scenario and cell, so that nothing depends on which cells are asked for.
Weather is correlated in space by a handful of regional modes (smooth bumps over the country, each a series of its
own) and a national one, and in time because every mode is a first-order autoregression with a quick part (fronts)
and a slow part (blocking, monsoon breaks).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS
from aiops.ingest.sample.plane import to_plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]

_CENTRES = tuple(product((33.2, 34.5, 35.8, 37.1, 38.4), (126.0, 127.5, 129.0, 130.8)))
"""Middles of the regional bumps (latitude, longitude)."""
_RADIUS_KM = 110.0
N_MODES = len(_CENTRES) + 1
_NEGLIGIBLE = 1e-16


class Stream(IntEnum):
    """What random numbers are for; a number is never given to another purpose."""

    AIR_MASS = 1
    CLEAR_SKY = 2
    RAIN = 3
    LOCAL_TEMPERATURE = 4
    LOCAL_RAIN = 5
    STORMS = 6
    HUMIDITY = 7
    WIND = 8
    LOCAL_HUMIDITY = 9
    LOCAL_WIND = 10
    TRACKS = 11
    TIDES = 12


@dataclass(frozen=True, slots=True)
class Field:
    """How a standard normal field is spread over space and time."""

    stream: Stream
    national: float
    """Share of the variance that the whole country has in common."""
    local: float
    """Share of the variance that belongs to a cell alone (white in time); 0 where the caller adds none."""
    quick: float
    """Lag-one-day autocorrelation of the quick part."""
    slow: float
    """Lag-one-day autocorrelation of the slow part."""
    slow_share: tuple[float, ...]
    """Share of the variance in the slow part, by month."""


def generator(seed: int, stream: Stream, scenario: str, member: int = 0) -> np.random.Generator:
    """The random generator of one purpose, scenario and member (a cell, a mode)."""
    key = (int(stream), SCENARIOS.index(scenario), member)
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key)))


def mode_series(field: Field, seed: int, scenario: str, slow_share: Floats) -> Singles:
    """Series of all modes, standard normal: (days, modes); `slow_share` is the field's, by day (days,)."""
    random = generator(seed, field.stream, scenario)
    quick, slow = (_autoregression(random, len(slow_share), rho) for rho in (field.quick, field.slow))
    share = slow_share[:, None]
    return np.ascontiguousarray(np.sqrt(1.0 - share) * quick + np.sqrt(share) * slow, dtype=np.float32)


def loadings(field: Field, latitudes: Sequence[float], longitudes: Sequence[float]) -> Singles:
    """Weight of every mode at every cell, (modes, cells): variances add up to 1 − `local`."""
    places = to_plane(latitudes, longitudes)
    centres = np.asarray(_CENTRES)
    offset = to_plane(centres[:, 0], centres[:, 1])[:, None] - places
    bumps = np.exp(-(offset**2).sum(axis=2) / (2.0 * _RADIUS_KM**2))
    bumps *= np.sqrt((1.0 - field.national - field.local) / (bumps**2).sum(axis=0))
    national = np.full((1, len(places)), np.sqrt(field.national))
    return np.vstack([national, bumps]).astype(np.float32)


def local_noise(seed: int, stream: Stream, scenario: str, grid_ids: Sequence[int], n_days: int) -> Singles:
    """White standard normal noise of each cell alone: (cells, days)."""
    noise = np.empty((len(grid_ids), n_days), dtype=np.float32)
    for row, grid_id in zip(noise, grid_ids, strict=True):
        generator(seed, stream, scenario, grid_id).standard_normal(out=row, dtype=np.float32)
    return noise


def _autoregression(random: np.random.Generator, n_days: int, rho: float) -> Floats:
    """Stationary first-order autoregressions of all modes: (days, modes).

    The filter 1 / (1 − ρB) is the product of (1 + ρᵏBᵏ) over k = 1, 2, 4, 8 …, each one a shifted sum.
    """
    series = random.standard_normal((n_days, N_MODES))
    series[1:] *= np.sqrt(1.0 - rho**2)
    shift = 1
    while shift < n_days and rho**shift > _NEGLIGIBLE:
        series[shift:] += rho**shift * series[:-shift]
        shift *= 2
    return series
