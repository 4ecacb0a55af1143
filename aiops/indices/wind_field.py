"""The wind around a tropical cyclone: Holland's radial profile with the storm's own motion added to it.

The profile has the storm's analysed largest wind, its pressure, and the radii of 50 and 30 knots; what is not
analysed is taken from an empirical radius of the largest wind and Holland's (1980) exponent. Winds are 10-minute
means at 10 m over open ground: the land's roughness is not in them, as it is not in the damage curve that they are
read with.

Sources: Holland, G. J. (1980): An analytic model of the wind and pressure profiles in hurricanes. Mon. Weather Rev.
108, 1212–1218; Holland, G. J., Belanger, J. I. & Fritz, A. (2010): A revised model for radial profiles of hurricane
winds. Mon. Weather Rev. 138, 4393–4401; Willoughby, H. E., Darling, R. W. R. & Rahn, M. E. (2006): Parametric
representation of the primary hurricane vortex. Part II. Mon. Weather Rev. 134, 1102–1120.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import lambertw

from aiops.indices.track_steps import offsets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aiops.indices.track_steps import Steps

    Floats = NDArray[np.float64]

KNOT = 0.514444
"""m/s."""
GALE = 30.0 * KNOT
"""Where a storm's wind begins, m/s: the outer of the two areas that are analysed."""
REACH = 1000.0
"""km; farther from the centre no site is in a storm's wind."""
MOTION_SHARE = 0.5
"""Share of the storm's motion that adds to the wind on its right side."""
AMBIENT_PRESSURE = 1010.0
"""hPa around a storm of the western North Pacific."""
_DENSITY = 1.15  # kg m⁻³
_LEAST_DROP = 5.0  # hPa
_SHAPES = (0.64, 1.6)  # 1 to 2.5 aloft (Holland 1980), times the square of 0.8, the surface wind's share
_EXPONENT = 0.5
_OUTER_EXPONENTS = (0.3, 1.5)
_RINGS = np.arange(10.0, REACH + 1.0, 10.0)


@dataclass(frozen=True, slots=True)
class Profile:
    """The symmetric wind around a centre, (steps, 1) each."""

    largest: Floats
    """m/s, without the storm's motion."""
    added: Floats
    """What the motion adds on the right side, m/s."""
    radius: Floats
    """Of the largest wind, km."""
    shape: Floats
    """Holland's b."""
    bend_from: Floats
    """Radius from which the exponent changes, km."""
    bend_to: Floats
    """Radius to which it does, km; infinite where it stays."""
    outer_exponent: Floats

    @classmethod
    def of(cls, steps: Steps) -> Profile:
        """The profile of each step."""
        wind = KNOT * steps.wind
        motion = np.hypot(steps.east, steps.north)
        largest = np.maximum(wind - MOTION_SHARE * motion, 0.5 * wind)
        drop = 100.0 * np.maximum(AMBIENT_PRESSURE - steps.pressure, _LEAST_DROP)
        shape = np.clip(largest**2 * _DENSITY * np.e / drop, *_SHAPES)
        # Willoughby et al. (2006), equation 7a, from wind and latitude alone. Theirs is the mean wind around the eye at
        # flight level; the analysed largest wind stands for it.
        radius = 46.4 * np.exp(-0.0155 * wind + 0.0169 * np.abs(steps.latitude))
        inner = _core_radius(steps.area_50.radius, 50.0 * KNOT / largest, shape)
        radius = np.where(np.isnan(inner), radius, inner)
        bend_from = np.where(np.isnan(inner), radius, steps.area_50.radius)
        exponent = _fitted_exponent(steps.area_30.radius / radius, GALE / largest, shape)
        bends = ~np.isnan(exponent) & (steps.area_30.radius > bend_from)
        columns = (
            largest,
            wind - largest,
            radius,
            shape,
            bend_from,
            np.where(bends, steps.area_30.radius, np.inf),
            np.where(bends, exponent, _EXPONENT),
        )
        return cls(*(values[:, np.newaxis] for values in columns))

    def at(self, distance: Floats) -> Floats:
        """Share of the largest wind at a distance, km, from the centre: (steps, cells)."""
        log_ratio = self.shape * (np.log(self.radius) - np.log(np.maximum(distance, 1.0)))
        outward = np.clip((distance - self.bend_from) / (self.bend_to - self.bend_from), 0.0, 1.0)
        exponent = _EXPONENT + outward * (self.outer_exponent - _EXPONENT)
        share: Floats = np.exp(exponent * (log_ratio + 1.0 - np.exp(log_ratio)))
        return share

    def gale_radius(self) -> Floats:
        """The ring, km, within which winds of 30 knots lie, (steps, 1); 0 where there are none."""
        gale = self.at(_RINGS[np.newaxis, :]) * (self.largest + self.added) >= GALE
        outermost = _RINGS.size - np.argmax(gale[:, ::-1], axis=1)
        radius = np.where(gale.any(axis=1), _RINGS[np.minimum(outermost, _RINGS.size - 1)], 0.0)
        return radius[:, np.newaxis]


def site_wind(steps: Steps, latitude: Floats, longitude: Floats) -> Floats:
    """Wind at each cell in each step, m/s, (steps, cells): 0 below 30 knots and outside the gale radius.

    The motion adds to the circulation as a vector that fades like the profile does; on the storm's right side, at
    the radius of the largest wind, the sum is the analysed largest wind. A step without one brings no wind.
    """
    profile = Profile.of(steps)
    east, north = offsets(steps, latitude, longitude)
    distance = np.sqrt(east * east + north * north)
    motion = np.hypot(steps.east, steps.north)[:, np.newaxis]
    # The wind turns against the clock: towards (−north, east) of the offset from the centre.
    along = steps.north[:, np.newaxis] * east - steps.east[:, np.newaxis] * north
    cosine = along / np.maximum(motion * distance, 1e-6)
    together = np.sqrt(profile.largest**2 + profile.added**2 + 2.0 * profile.largest * profile.added * cosine)
    wind = profile.at(distance) * together
    return np.where((wind >= GALE) & (distance <= profile.gale_radius()), wind, 0.0)


def _core_radius(radius: Floats, share: Floats, shape: Floats) -> Floats:
    """Radius of the largest wind for which the profile has `share` of it at `radius`; NaN where none has.

    With y = (r_max/r)^b the profile is y·e^(1−y) = share², which Lambert's W solves.
    """
    known = ~np.isnan(radius) & (share < 0.98)
    squared = np.where(known, share, 0.5) ** (1.0 / _EXPONENT)
    ratio = -np.real(lambertw(-squared / np.e, 0))
    return np.where(known, radius * ratio ** (1.0 / shape), np.nan)


def _fitted_exponent(relative_radius: Floats, share: Floats, shape: Floats) -> Floats:
    """Exponent with which the profile has `share` of the largest wind at a radius (in radii of the largest)."""
    known = (relative_radius > 1.1) & (share < 0.98)
    ratio = np.where(known, relative_radius, 2.0) ** -shape
    exponent = np.log(np.where(known, share, 0.5)) / (np.log(ratio) + 1.0 - ratio)
    return np.where(known, np.clip(exponent, *_OUTER_EXPONENTS), np.nan)
