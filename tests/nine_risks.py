"""A block that feeds all nine risks: seeded, warmer and wetter by scenario and decade; history ends in 2014."""

from __future__ import annotations

import numpy as np

from aiops.climate import Block, Tides

YEARS = np.arange(1991, 2101, dtype=np.int32)
STORM_YEARS = YEARS <= 2020
N_GAUGES = 3


def nine_risk_block(cells: int = 4, seed: int = 1, gaps: float = 0.0) -> Block:
    """Every yearly variable that a risk reads, attributes, warming and tides; a share of the years missing."""
    rng = np.random.default_rng(seed)
    shape = (YEARS.size, cells)
    past = {
        "wsdi": rng.gamma(1, 12, shape) - 4,
        "tx33": rng.poisson(15, shape),
        "tn25": rng.poisson(8, shape),
        "tx90p_days": rng.poisson(38, shape),
        "csdi": rng.gamma(1, 6, shape) - 3,
        "tnm12": rng.poisson(8, shape),
        "fd": rng.poisson(90, shape),
        "tnn": rng.normal(-14, 3, shape),
        "fwi95": rng.normal(22, 5, shape),
        "fwi21": rng.poisson(15, shape),
        "spei12_min": rng.normal(-1.2, 0.6, shape),
        "spei12_dry_share": rng.beta(1, 5, shape),
        "cdd": rng.normal(30, 8, shape),
        "wsi": rng.gamma(9, 0.05, shape),
        "rx1day": rng.gumbel(120, 40, shape),
        "rx5day": rng.gumbel(200, 60, shape),
        "rain80": rng.poisson(1.8, shape),
        "max_site_wind": np.where(rng.random(shape) < 0.4, 0, rng.gamma(20, 1.2, shape)),
        "s_tc": np.where(rng.random(shape) < 0.4, 0, rng.gamma(2, 4, shape)),
    }
    may_be_negative = ("tnn", "spei12_min")
    trend = np.linspace(0, 1, YEARS.size)[:, None] * (YEARS[:, None] > 2014)
    values = {}
    for name, x in past.items():
        series = x.astype(float) if name in may_be_negative else np.maximum(x.astype(float), 0)
        values[name] = np.stack([series * (1 + 0.2 * scenario * trend) for scenario in range(5)])
        if name in ("max_site_wind", "s_tc"):
            values[name][1:] = np.nan
            values[name][0, ~STORM_YEARS] = np.nan
        else:
            values[name][0, YEARS > 2014] = np.nan
        values[name][:, rng.random(shape) < gaps] = np.nan
    attributes = {
        "elevation_m": rng.uniform(0, 8, cells),
        "coast_distance_m": rng.uniform(0, 9000, cells),
        "river_distance_m": rng.uniform(100, 2500, cells),
        "forest_distance_m": rng.uniform(0, 2000, cells),
        "impervious_ratio": rng.uniform(0, 1, cells),
    }
    warming = np.stack([np.maximum(YEARS - 2005, 0) * 0.01 * scenario for scenario in range(5)])
    return Block(
        np.arange(1, cells + 1, dtype=np.int32), YEARS, values, np.ones((5, cells), bool), attributes, warming,
        tides=tides_of(cells, rng),
    )  # fmt: skip


def tides_of(cells: int, rng: np.random.Generator) -> Tides:
    """Three gauges of 40 years; the sea rises by 0.1 to 0.8 m."""
    gauge_years = np.arange(1981, 2021, dtype=np.int32)
    later = np.maximum(YEARS - 2014, 0)
    rise = np.stack([(YEARS - 2004.5) * 0.003 + later**2 * 1.6e-5 * scenario for scenario in range(5)])
    rise[0, YEARS > 2014] = np.nan
    return Tides(
        of_cell=(np.arange(cells) % N_GAUGES).astype(np.int32),
        maxima=rng.gumbel(4.7, 0.15, (gauge_years.size, N_GAUGES)),
        maxima_years=gauge_years,
        rise=np.repeat(rise[:, :, None], N_GAUGES, axis=2),
    )


def taken(block: Block, cells: slice) -> Block:
    """Some of the cells, as a chunk of them would be read."""
    tides = block.tides
    if tides is not None:
        tides = Tides(tides.of_cell[cells], tides.maxima, tides.maxima_years, tides.rise)
    return Block(
        block.grid_ids[cells],
        block.years,
        {name: values[..., cells] for name, values in block.values.items()},
        block.present[:, cells],
        {name: values[cells] for name, values in block.attributes.items()},
        block.warming,
        block.warming_is_regional,
        tides,
    )
