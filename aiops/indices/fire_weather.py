"""Fire weather: the six codes and indices of the Canadian system from daily weather, and their yearly figures.

The system asks for noon weather; from daily data the proxies are the maximum temperature, the minimum humidity,
the mean wind (m/s × 3.6) and the day's rain. It needs days: monthly or yearly means give no fire weather.

Sources: Van Wagner, C. E. (1987), Forestry Technical Report 35; Van Wagner, C. E. & Pickett, T. L. (1985),
Forestry Technical Report 33 (Canadian Forestry Service).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aiops.errors import BadInput
from aiops.indices import fire_codes, yearly
from aiops.indices.calendar import daily_axis
from aiops.indices.quantiles import quantile
from aiops.indices.series import (
    FIRE_WEATHER,
    HUMIDITY,
    RAIN,
    TEMPERATURE,
    WIND,
    like_input,
    quantity,
    same_shape,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from aiops.indices.yearly import YearsAndValues

    Floats = NDArray[np.float64]

START_FFMC, START_DMC, START_DC = 85.0, 6.0, 15.0
LONGEST_GAP = 14
"""After more missing days than these the codes know nothing of the weather: they start again."""
HIGH_DANGER = 21.3
"""FWI from which fire danger is high in the European scale (EFFIS)."""
HIGHEST_CODE = 1e4
DAYS_NEEDED = 350
_BLOCK_VALUES = 65_536  # a dozen working arrays of this size stay in the processor's caches


class FireWeather(NamedTuple):
    """Codes and indices, each (days, cells) or (days,)."""

    ffmc: Floats
    """Fine Fuel Moisture Code, 0 to 101."""
    dmc: Floats
    """Duff Moisture Code, ≥ 0."""
    dc: Floats
    """Drought Code, ≥ 0."""
    isi: Floats
    """Initial Spread Index, ≥ 0."""
    bui: Floats
    """Buildup Index, ≥ 0."""
    fwi: Floats
    """Fire Weather Index, ≥ 0."""


def fire_weather_index(
    temperature: ArrayLike,
    humidity: ArrayLike,
    wind_kmh: ArrayLike,
    rain: ArrayLike,
    month: ArrayLike,
    ffmc: ArrayLike = START_FFMC,
    dmc: ArrayLike = START_DMC,
    dc: ArrayLike = START_DC,
) -> FireWeather:
    """The fire weather of each day, with the day lengths of places north of 30° N.

    The recursion runs on over New Year. On a day on which any input is missing the three codes are carried over
    and the three indices are NaN. After more than 14 missing days on end the codes are NaN too, and start again
    from 85, 6, 15 on the next day that has all inputs. Before a cell's first such day all six are NaN.

    Args:
        temperature: at noon (daily maximum), °C, (days, cells) or (days,).
        humidity: relative, at noon (daily minimum), %, same shape.
        wind_kmh: at noon (daily mean), 10 m above ground, km/h, same shape.
        rain: of 24 hours, mm, same shape.
        month: 1 to 12, (days,); the days follow each other without gaps.
        ffmc: code of the day before the first, a number or (cells,).
        dmc: the same.
        dc: the same.

    Raises:
        BadInput: shapes that do not fit, units that cannot be, a month outside 1 to 12, a start code that is
            missing or out of its range.
    """
    weather = {
        "temperature": quantity("temperature", temperature, TEMPERATURE),
        "humidity": quantity("humidity", humidity, HUMIDITY),
        "wind_kmh": quantity("wind_kmh", wind_kmh, WIND),
        "rain": quantity("rain", rain, RAIN),
    }
    same_shape(**weather)
    n_days, n_cells = weather["temperature"].shape
    months = _months(month, n_days)
    state = _State.start(
        _start("ffmc", ffmc, 101.0, n_cells),
        _start("dmc", dmc, HIGHEST_CODE, n_cells),
        _start("dc", dc, HIGHEST_CODE, n_cells),
    )
    result = FireWeather(*(np.empty((n_days, n_cells)) for _ in FireWeather._fields))
    rows = max(1, _BLOCK_VALUES // max(n_cells, 1))
    # log 0 (no humidity, no duff moisture) is −∞ and ends as the 0 that the equations mean.
    with np.errstate(divide="ignore"):
        for first in range(0, n_days, rows):
            block = slice(first, first + rows)
            _block(
                state,
                [values[block] for values in weather.values()],
                months[block],
                FireWeather(*(values[block] for values in result)),
            )
    return FireWeather(*(like_input(values, temperature) for values in result))


def fwi95(fwi: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """95th percentile of the year's daily FWI (Hyndman & Fan's type 7); NaN below 350 days.

    Not the annual maximum, which saturates.

    Args:
        fwi: daily, (days, cells) or (days,).
        dates: datetime64[D] (days,), strictly increasing.

    Returns:
        The years (years,) and the percentile (years, cells) or (years,).

    Raises:
        BadInput: dates that are not daily, values that are no FWI.
    """
    values = quantity("fwi", fwi, FIRE_WEATHER)
    axis = daily_axis(dates, values.shape[0])
    percentile, days = quantile(np.moveaxis(axis.padded_years(values), 1, 0), 0.95, 7)
    return axis.years, like_input(np.where(days >= DAYS_NEEDED, percentile, np.nan), fwi)


def fwi_days_above(fwi: ArrayLike, dates: ArrayLike, threshold: float = HIGH_DANGER) -> YearsAndValues:
    """Days per year with an FWI of at least the threshold; NaN below 350 days.

    Arguments, shapes and errors as `fwi95`.
    """
    days, axis = yearly.whole_years("fwi", fwi, dates, FIRE_WEATHER)
    enough = yearly.count(~np.isnan(days), axis) >= DAYS_NEEDED
    counts = yearly.count(days >= threshold, axis)
    return axis.years, like_input(np.where(enough, counts, np.nan), fwi)


@dataclass(frozen=True, slots=True)
class _State:
    """What a day leaves to the next, (cells,) each, changed in place."""

    moisture: Floats
    duff: Floats
    drought: Floats
    gap: NDArray[np.int64]
    """Missing days since the last that had all inputs; from the start beyond any gap, as nothing is known."""

    @classmethod
    def start(cls, ffmc: Floats, dmc: Floats, dc: Floats) -> _State:
        """Before the first day."""
        gap = np.full(ffmc.size, LONGEST_GAP + 2)
        return cls(fire_codes.moisture_of(ffmc), dmc.copy(), dc.copy(), gap)

    def step_over(self, missing: NDArray[np.bool_], step: Callable[[], None]) -> NDArray[np.bool_]:
        """Take a day's step where the day has all inputs; where the codes are lost in a gap, say so: (cells,)."""
        kept = [code[missing] for code in (self.moisture, self.duff, self.drought)]
        step()
        for code, before in zip((self.moisture, self.duff, self.drought), kept, strict=True):
            code[missing] = before
        self.gap[:] = np.where(missing, self.gap + 1, 0)
        restarted = self.gap == LONGEST_GAP + 1
        self.moisture[restarted] = fire_codes.moisture_of(START_FFMC)
        self.duff[restarted] = START_DMC
        self.drought[restarted] = START_DC
        return self.gap > LONGEST_GAP


def _block(state: _State, weather: list[Floats], month: NDArray[np.intp], result: FireWeather) -> None:
    """The days of a block, written into the block's rows of the result."""
    temperature, humidity, wind_kmh, rain = weather
    fine_fuel = fire_codes.FineFuelDays.of(temperature, humidity, wind_kmh, rain)
    duff = fire_codes.DuffDays.of(temperature, humidity, rain, month)
    drought = fire_codes.DroughtDays.of(temperature, rain, month)
    missing = np.isnan(temperature + humidity + wind_kmh + rain)
    incomplete = np.any(missing, axis=1)
    moisture = np.empty_like(temperature)

    for day in range(month.size):

        def step(day: int = day) -> None:
            fine_fuel.step(day, state.moisture)
            duff.step(day, state.duff)
            drought.step(day, state.drought)

        lost: NDArray[np.bool_] | None = None
        if incomplete[day]:
            lost = state.step_over(missing[day], step)
        else:
            step()
            state.gap[:] = 0
        moisture[day], result.dmc[day], result.dc[day] = state.moisture, state.duff, state.drought
        if lost is not None:
            for codes in (moisture, result.dmc, result.dc):
                codes[day, lost] = np.nan

    result.ffmc[:] = fire_codes.fine_fuel_moisture_code(moisture)
    result.isi[:] = fire_codes.initial_spread_index(moisture, wind_kmh)
    result.bui[:] = fire_codes.buildup_index(result.dmc, result.dc)
    for index in (result.isi, result.bui):
        index[missing] = np.nan
    result.fwi[:] = fire_codes.fire_weather(result.isi, result.bui)


def _months(month: ArrayLike, n_days: int) -> NDArray[np.intp]:
    """Checked months, (days,)."""
    raw = np.asarray(month)
    if raw.shape != (n_days,):
        raise BadInput(f"month: shape {raw.shape} given; allowed: ({n_days},), one month a day")
    if raw.dtype.kind not in "iu" or (raw.size and (raw.min() < 1 or raw.max() > 12)):
        raise BadInput("month: allowed: whole numbers 1 to 12")
    return raw.astype(np.intp)


def _start(name: str, code: ArrayLike, highest: float, n_cells: int) -> Floats:
    """A checked start code for every cell."""
    given = np.asarray(code, dtype=np.float64)
    if given.ndim > 1 or (given.ndim == 1 and given.size != n_cells):
        raise BadInput(f"{name}: shape {given.shape} given; allowed: a number or ({n_cells},)")
    if not np.all((given >= 0.0) & (given <= highest)):
        raise BadInput(f"{name}: allowed: 0 to {highest:g}, none missing")
    return np.broadcast_to(given, (n_cells,)).astype(np.float64)
