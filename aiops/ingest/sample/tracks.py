"""The sample's typhoons as best tracks: fixes every six hours, as an archive has them.

The storms are those of `storms`, which rain on the sample; here they get a speed, a strength that fades as they come
north, and areas of strong wind. The numbers are of the size of RSMC Tokyo's analyses near Korea, 2015 to 2020.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS
from aiops.indices.best_track import Tracks
from aiops.ingest.sample.days import PERIODS
from aiops.ingest.sample.noise import Stream, generator
from aiops.ingest.sample.plane import from_plane, to_plane
from aiops.ingest.sample.storms import GATE_LATITUDE, draw_storms
from aiops.ingest.storms import StormYears, fixes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from aiops.climate import Series
    from aiops.db.inputs import Fix
    from aiops.ingest.sample.storms import Storms

    Floats = NDArray[np.float64]

_HOURS = np.arange(-72, 43, 6)
"""Of the fixes, from the crossing of the gate."""
_SPEED_KMH, _SPEED_SPREAD, _GAIN_KMH = 30.0, 0.3, 0.25
"""Median speed at the gate and the spread of its logarithm; what it gains an hour, km/h."""
_LEAST_SPEED_KMH = 12.0
_WIND_KT, _WIND_SPREAD, _WIND_LIMITS = 45.0, 0.30, (20.0, 95.0)
"""Median of the largest wind at the gate, knots, the spread of its logarithm, its limits."""
_GROWTH_KT, _STRONGEST_KT = 0.5, 105.0
"""Stronger an hour before the gate, up to this."""
_FADING_HOURS = 58.0
"""Beyond the gate the wind falls to 37 % in this time."""
_STORM_KT, _STRONG_KT, _TYPHOON_KT = 34.0, 48.0, 64.0
_RADIUS_30, _RADIUS_50 = (180.0, 0.40), (78.0, 0.30)
"""Of the winds of 30 and 50 knots: median, nautical miles, and the spread of its logarithm, at 55 knots."""
_SHORTER = 0.7
"""The shortest radius over the longest one; the longest points to the east."""
_AMBIENT_HPA, _DROP_HPA = 1010.0, 0.0095
"""The pressure falls with the square of the wind."""
_EAST, _NO_SIDE = 2, 0
_DEPRESSION, _STORM, _STRONG, _TYPHOON = 2, 3, 4, 5


def sample_tracks(seed: int) -> Tracks:
    """Best tracks of the sample's history, storm after storm."""
    storms = draw_storms(seed, SCENARIOS[0])
    random = generator(seed, Stream.TRACKS, SCENARIOS[0])
    n = storms.year.size
    speed = _SPEED_KMH * np.exp(_SPEED_SPREAD * random.standard_normal(n))
    wind_at_gate = np.clip(_WIND_KT * np.exp(_WIND_SPREAD * random.standard_normal(n)), *_WIND_LIMITS)
    size = random.standard_normal(n)

    crossing = storms.first_day.astype("datetime64[m]") + np.rint(
        60.0 * (12.0 + 24.0 * (1.0 - storms.first_day_share))
    ).astype("timedelta64[m]")
    time = crossing.astype("datetime64[D]").astype("datetime64[m]")[:, None] + (_HOURS * 60).astype("timedelta64[m]")
    hours = (time - crossing[:, None]).astype(np.float64) / 60.0
    latitude, longitude = _positions(storms, hours, speed)
    before = np.minimum(wind_at_gate[:, None] - _GROWTH_KT * hours, np.maximum(_STRONGEST_KT, wind_at_gate[:, None]))
    wind = np.where(hours < 0.0, before, wind_at_gate[:, None] * np.exp(-hours / _FADING_HOURS))
    wind = 5.0 * np.rint(wind / 5.0)
    return _with_year_end(_as_tracks(storms, time, latitude, longitude, wind, size))


def storm_indicators(seed: int, grid_ids: Sequence[int]) -> list[Series]:
    """`max_site_wind` and `s_tc` of cells, as history: scenarios have none of their own."""
    first, last = PERIODS[SCENARIOS[0]]
    return list(StormYears(sample_tracks(seed), tuple(range(first, last + 1)), 0).series(grid_ids))


def sample_fixes(seed: int) -> list[Fix]:
    """The tracks as rows of `best_track`."""
    tracks = sample_tracks(seed)
    return list(fixes_of(tracks, _names(tracks)))


def _names(tracks: Tracks) -> list[tuple[str, str | None]]:
    """Number and name of each storm; its number is none that an archive could give."""
    first = np.flatnonzero(np.diff(tracks.storm, prepend=-1))
    years = tracks.time[first].astype("datetime64[Y]")
    return [
        (f"synthetic {year}-{np.count_nonzero(years[: n + 1] == year):02d}", "SYNTHETIC")
        for n, year in enumerate(years)
    ]


def _positions(storms: Storms, hours: Floats, speed: Floats) -> tuple[Floats, Floats]:
    """Latitude and longitude of each storm and fix: straight, and faster and faster."""
    ahead = speed[:, None] * hours + 0.5 * _GAIN_KMH * hours**2
    # A storm that gains speed has not come from where it goes: before its slowest hour it went at its slowest.
    slowest = (_LEAST_SPEED_KMH - speed[:, None]) / _GAIN_KMH
    before = speed[:, None] * slowest + 0.5 * _GAIN_KMH * slowest**2 + _LEAST_SPEED_KMH * (hours - slowest)
    ahead = np.where(hours < slowest, before, ahead)
    gate = to_plane(GATE_LATITUDE, 127.5)[1]
    heading = storms.heading[:, None]
    return from_plane(storms.crossing_km[:, None] + ahead * np.sin(heading), gate + ahead * np.cos(heading))


def _as_tracks(
    storms: Storms, time: NDArray[np.datetime64], latitude: Floats, longitude: Floats, wind: Floats, size: Floats
) -> Tracks:
    """Fixes of (storms, fixes) one after the other; from a depression on nothing is analysed."""
    analysed = wind >= _STORM_KT
    grade = np.select([wind >= _TYPHOON_KT, wind >= _STRONG_KT, analysed], [_TYPHOON, _STRONG, _STORM], _DEPRESSION)
    radii = {}
    for name, (median, spread), least in (("30", _RADIUS_30, _STORM_KT), ("50", _RADIUS_50, 50.0)):
        longest = median * np.exp(spread * size)[:, None] * np.sqrt(wind / 55.0)
        radii[name] = np.where(wind >= least, 10.0 * np.rint(longest / 10.0), np.nan)
    sides = {name: np.where(np.isnan(radius), _NO_SIDE, _EAST) for name, radius in radii.items()}
    columns = {
        "storm": np.broadcast_to(np.arange(storms.year.size)[:, None], time.shape),
        "time": time,
        "grade": grade,
        "latitude": np.round(latitude, 1),
        "longitude": np.round(longitude, 1),
        "pressure": np.rint(_AMBIENT_HPA - _DROP_HPA * wind**2),
        "wind": np.where(analysed, wind, np.nan),
        "direction_50": sides["50"],
        "longest_50": radii["50"],
        "shortest_50": 10.0 * np.rint(_SHORTER * radii["50"] / 10.0),
        "direction_30": sides["30"],
        "longest_30": radii["30"],
        "shortest_30": 10.0 * np.rint(_SHORTER * radii["30"] / 10.0),
    }
    return Tracks(**{name: values.ravel() for name, values in columns.items()})


def _with_year_end(tracks: Tracks) -> Tracks:
    """A depression in the tropics on the last days: an archive's last year counts when it reaches 31 December."""
    last_year = PERIODS[SCENARIOS[0]][1]
    time = np.datetime64(f"{last_year}-12-30", "m") + (6 * 60 * np.arange(8)).astype("timedelta64[m]")
    n = time.size
    added = {
        "storm": np.full(n, tracks.storm[-1] + 1),
        "time": time,
        "grade": np.full(n, _DEPRESSION),
        "latitude": np.linspace(8.0, 9.4, n).round(1),
        "longitude": np.linspace(150.0, 146.5, n).round(1),
        "pressure": np.full(n, 1004.0),
        "direction_50": np.full(n, _NO_SIDE),
        "direction_30": np.full(n, _NO_SIDE),
        **{name: np.full(n, np.nan) for name in ("wind", "longest_50", "shortest_50", "longest_30", "shortest_30")},
    }
    return Tracks(**{name: np.concatenate([getattr(tracks, name), values]) for name, values in added.items()})
