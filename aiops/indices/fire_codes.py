"""The equations of the Canadian Forest Fire Weather Index System, day by day and in bulk.

Written in the moisture content m (%) of the fine fuels, of which the code FFMC is the scale that is shown:
FFMC = 59.5 (250 − m) / (147.27723 + m). Whatever does not depend on yesterday is computed for many days at once.

Sources: Van Wagner, C. E. (1987): Development and structure of the Canadian Forest Fire Weather Index System.
Forestry Technical Report 35; Van Wagner, C. E. & Pickett, T. L. (1985): Equations and FORTRAN program for the
Canadian Forest Fire Weather Index System. Forestry Technical Report 33. Numbers in brackets are its equations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

FF_SCALE = 250.0 * 59.5 / 101.0
"""147.27723: with it m → FFMC → m is the identity (the report prints 147.2, with which it drifts)."""
WETTEST = 250.0
DMC_DAY_LENGTH = np.array([6.5, 7.5, 9.0, 12.8, 13.9, 13.9, 12.4, 10.9, 9.4, 8.0, 7.0, 6.0])
"""Effective day length Le by month, hours, north of 30° N (table 1)."""
DC_DAY_LENGTH = np.array([-1.6, -1.6, -1.6, 0.9, 3.8, 5.8, 6.4, 5.0, 2.4, 0.4, -1.6, -1.6])
"""Day length factor Lf by month, north of 20° N (table 2)."""
FFMC_RAIN, DMC_RAIN, DC_RAIN = 0.5, 1.5, 2.8
"""Rain, mm, that does not reach the fuel of each code."""


@dataclass(frozen=True, slots=True)
class Wetting:
    """The cells that more rain falls on than a code's threshold, day after day, in one row."""

    cells: NDArray[np.intp]
    ends: NDArray[np.intp]
    """(days + 1,): the cells of day d stand at ends[d] to ends[d + 1]."""
    rain: Floats
    """Rain of each, mm."""

    @classmethod
    def above(cls, rain: Floats, threshold: float) -> Wetting:
        """Of the days of a block, (days, cells)."""
        days, cells = np.nonzero(rain > threshold)
        ends = np.searchsorted(days, np.arange(rain.shape[0] + 1))
        return cls(cells=cells, ends=ends, rain=rain[days, cells])


@dataclass(frozen=True, slots=True)
class FineFuelDays:
    """What the weather of a block of days does to the moisture of fine fuels."""

    dry_equilibrium: Floats
    wet_equilibrium: Floats
    drying: Floats
    """Share of the distance to the equilibrium that is left after the day."""
    wetting: Floats
    rain: Wetting
    soak: Floats
    """42.5·rf·(1 − exp(−6.93/rf)) of each rainy cell (part of 3a)."""
    excess: Floats
    """0.0015·√rf of each rainy cell (part of 3b)."""

    @classmethod
    def of(cls, temperature: Floats, humidity: Floats, wind_kmh: Floats, rain: Floats) -> FineFuelDays:
        """Equations 2, 4 to 8, for (days, cells)."""
        log_humidity = np.log(humidity)
        near_saturation = np.exp((humidity - 100.0) / 10.0)
        warmth = 0.18 * (21.1 - temperature) * (1.0 - np.exp(-0.115 * humidity))
        pace = 0.581 * np.exp(0.0365 * temperature)
        gust = 0.0694 * np.sqrt(wind_kmh)
        wet = Wetting.above(rain, FFMC_RAIN)
        net = wet.rain - FFMC_RAIN
        return cls(
            dry_equilibrium=0.942 * np.exp(0.679 * log_humidity) + 11.0 * near_saturation + warmth,
            wet_equilibrium=0.618 * np.exp(0.753 * log_humidity) + 10.0 * near_saturation + warmth,
            drying=_left_after_day(humidity / 100.0, gust, pace),
            wetting=_left_after_day((100.0 - humidity) / 100.0, gust, pace),
            rain=wet,
            soak=42.5 * net * (1.0 - np.exp(-6.93 / net)),
            excess=0.0015 * np.sqrt(net),
        )

    def step(self, day: int, moisture: Floats) -> None:
        """One day's rain and drying, in place (1 to 3, 8, 9)."""
        wet = slice(self.rain.ends[day], self.rain.ends[day + 1])
        if wet.start < wet.stop:
            cells = self.rain.cells[wet]
            before = moisture[cells]
            after = np.exp(-100.0 / (251.0 - before))
            after *= self.soak[wet]
            after += before
            before -= 150.0
            np.maximum(before, 0.0, out=before)
            before *= before
            before *= self.excess[wet]
            after += before
            moisture[cells] = np.minimum(after, WETTEST, out=after)
        dry = self.dry_equilibrium[day]
        left = np.where(moisture > dry, self.drying[day], self.wetting[day])
        # The equilibrium the fuel moves towards; its own moisture where it lies between the two.
        target = np.minimum(moisture, dry)
        np.maximum(target, self.wet_equilibrium[day], out=target)
        moisture -= target
        moisture *= left
        moisture += target


@dataclass(frozen=True, slots=True)
class DuffDays:
    """What the weather of a block of days does to the Duff Moisture Code."""

    growth: Floats
    rain: Wetting
    effective: Floats
    """Effective rain of each rainy cell, mm (11)."""

    @classmethod
    def of(cls, temperature: Floats, humidity: Floats, rain: Floats, month: NDArray[np.intp]) -> DuffDays:
        """Equations 11 and 16, for (days, cells)."""
        length = DMC_DAY_LENGTH[month - 1][:, np.newaxis]
        wet = Wetting.above(rain, DMC_RAIN)
        return cls(
            # (16) with the factor 100 of (17)
            growth=1.894e-4 * length * np.maximum(temperature + 1.1, 0.0) * (100.0 - humidity),
            rain=wet,
            effective=0.92 * wet.rain - 1.27,
        )

    def step(self, day: int, duff: Floats) -> None:
        """One day's rain and drying, in place (12 to 17)."""
        wet = slice(self.rain.ends[day], self.rain.ends[day + 1])
        if wet.start < wet.stop:
            cells = self.rain.cells[wet]
            effective = self.effective[wet]
            before = duff[cells]
            log_before = np.log(before)
            slope = np.where(before <= 65.0, 14.0 - 1.3 * log_before, 6.2 * log_before - 17.2)
            slope = np.where(before <= 33.0, 100.0 / (0.5 + 0.3 * before), slope)
            # Both moistures less their 20 % residue, which (12) adds and (15) takes away again; the program of
            # 1985 has 280·exp(−0.023 P) in (12) and 43.43·5.6348 in (15), and so meets the published table.
            moisture = 280.0 * np.exp(-0.023 * before)
            moisture += 1000.0 * effective / (48.77 + slope * effective)
            duff[cells] = np.maximum(43.43 * (5.6348 - np.log(moisture)), 0.0)
        duff += self.growth[day]


@dataclass(frozen=True, slots=True)
class DroughtDays:
    """What the weather of a block of days does to the Drought Code."""

    growth: Floats
    rain: Wetting
    store: Floats
    """3.937·rd/800 of each rainy cell (part of 20)."""

    @classmethod
    def of(cls, temperature: Floats, rain: Floats, month: NDArray[np.intp]) -> DroughtDays:
        """Equations 18 and 22, for (days, cells)."""
        length = DC_DAY_LENGTH[month - 1][:, np.newaxis]
        wet = Wetting.above(rain, DC_RAIN)
        return cls(
            growth=0.5 * np.maximum(0.36 * np.maximum(temperature + 2.8, 0.0) + length, 0.0),
            rain=wet,
            store=3.937 / 800.0 * (0.83 * wet.rain - 1.27),
        )

    def step(self, day: int, drought: Floats) -> None:
        """One day's rain and drying, in place (19 to 21, 23)."""
        wet = slice(self.rain.ends[day], self.rain.ends[day + 1])
        if wet.start < wet.stop:
            cells = self.rain.cells[wet]
            before = drought[cells]
            gain = np.exp(before / 400.0)
            gain *= self.store[wet]
            gain += 1.0
            before -= 400.0 * np.log(gain)
            drought[cells] = np.maximum(before, 0.0, out=before)
        drought += self.growth[day]


def moisture_of(ffmc: ArrayLike) -> Floats:
    """Moisture content of fine fuels, %, of a Fine Fuel Moisture Code (1)."""
    code = np.asarray(ffmc, dtype=np.float64)
    return FF_SCALE * (101.0 - code) / (59.5 + code)


def fine_fuel_moisture_code(moisture: Floats) -> Floats:
    """The code, 0 to 101, of a moisture content, % (10)."""
    code: Floats = np.clip(59.5 * (WETTEST - moisture) / (FF_SCALE + moisture), 0.0, 101.0)
    return code


def initial_spread_index(moisture: Floats, wind_kmh: Floats) -> Floats:
    """ISI from the moisture of fine fuels, %, and the wind, km/h (24 to 26)."""
    fuel = 91.9 * np.exp(-0.1386 * moisture) * (1.0 + np.exp(5.31 * np.log(moisture)) / 4.93e7)
    return 0.208 * np.exp(0.05039 * wind_kmh) * fuel


def buildup_index(duff: Floats, drought: Floats) -> Floats:
    """BUI from DMC and DC (27); 0 where both are."""
    part = 0.8 * drought
    both = duff + 0.4 * drought
    share = np.divide(part, both, out=np.zeros_like(both), where=both != 0.0)
    more_duff = duff - (1.0 - share) * (0.92 + (0.0114 * duff) ** 1.7)
    return np.maximum(np.where(duff <= 0.4 * drought, share * duff, more_duff), 0.0)


def fire_weather(spread: Floats, buildup: Floats) -> Floats:
    """FWI from ISI and BUI (28 to 30)."""
    low = 0.626 * buildup**0.809 + 2.0
    high = 1000.0 / (25.0 + 108.64 * np.exp(-0.023 * buildup))
    intensity = 0.1 * spread * np.where(buildup <= 80.0, low, high)
    log_intensity = 0.434 * np.log(np.maximum(intensity, 1.0))
    index: Floats = np.where(intensity > 1.0, np.exp(2.72 * log_intensity**0.647), intensity)
    return index


def _left_after_day(share: Floats, gust: Floats, pace: Floats) -> Floats:
    """10^−k, k the log rate (5, 6 for drying with share H/100; 7a, 7b for wetting with 1 − H/100)."""
    log_share = np.log(share)
    rate = 0.424 * (1.0 - np.exp(1.7 * log_share))
    eighth = share * share
    eighth *= eighth
    eighth *= eighth
    rate += gust * (1.0 - eighth)
    left: Floats = np.exp(-np.log(10.0) * rate * pace)
    return left
