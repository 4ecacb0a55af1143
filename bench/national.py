"""A seeded data set the size of the country: every yearly variable and scenario of so many land cells, and all beside.

For measuring how fast a yearly batch runs. The values are of the size and spread that Korean ones have, so that every
kernel has its usual work (spells are zero in most years, storms in some); none of them was observed. Written block by
block as binary COPY, through the triggers that any load goes through.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import psycopg

from aiops.climate import SCENARIOS
from aiops.db import copy_rows as binary
from aiops.db.datasets import register_dataset
from aiops.db.inputs import write_gauge_maxima, write_gauges, write_sea_level_rise, write_warming
from aiops.db.packing import PACKED
from aiops.grid import FRAME, N_CELLS, latitude_of, longitude_of
from aiops.ingest.sample.days import PERIODS
from aiops.ingest.sample.geography import BORDER, COAST, ISLANDS
from aiops.ingest.sample.land import coast_distance_km
from aiops.ingest.sample.plane import inside, to_plane
from aiops.ingest.sample.tides import gauge_maxima, gauges, sea_level_rise
from aiops.ingest.sample.warming import global_warming, warming_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SEED = 7
CELLS_AT_ONCE = 1000
KOREAN_PER_GLOBAL = 1.4
PAST_ONLY = ("max_site_wind", "s_tc")
"""Nobody projects storms: history alone."""

COPY_SERIES = (
    "COPY climate_data (variable, grid_id, scenario, first_year, values, dataset_id) FROM STDIN (FORMAT BINARY)"
)
COPY_CELLS = (
    "COPY location_grid (grid_id, elevation_m, slope, coast_distance_m, river_distance_m, river_elevation_m,"
    " forest_distance_m, impervious_ratio, crest_m) FROM STDIN (FORMAT BINARY)"
)


@dataclass(frozen=True, slots=True)
class Nation:
    """What was loaded."""

    cells: int
    series: int
    values: int
    bytes_on_disk: int
    """Of the climate series with their keys."""
    seconds: float


class _Weather(NamedTuple):
    """Of some cells in some years of a scenario."""

    random: np.random.Generator
    warmer: Floats
    """K since 1991–2020, (1, years)."""
    north: Floats
    """Degrees north of 36 °N, (cells, 1)."""
    height: Floats
    """km, (cells, 1)."""

    @property
    def shape(self) -> tuple[int, int]:
        """(cells, years)."""
        return self.north.shape[0], self.warmer.shape[1]

    def days(self, mean: Floats) -> Floats:
        """A count of days of such a mean."""
        return self.random.poisson(np.maximum(np.broadcast_to(mean, self.shape), 0.02)).astype(np.float64)

    def some_years(self, share: float) -> NDArray[np.bool_]:
        """In which years something happens at all."""
        return self.random.random(self.shape) < share


def load_nation(
    conninfo: str, n_cells: int, *, seed: int = SEED, told: Callable[[float], None] | None = None
) -> Nation:
    """Fill an empty, migrated database.

    One transaction, begun by emptying the table: the server then need not log what it can throw away as a whole.

    Args:
        conninfo: the database.
        n_cells: land cells, spread evenly; beyond some 100,000, the sea nearest the land as well.
        seed: of all values.
        told: the share that is done.
    """
    started = time.monotonic()
    grid_ids = land_cells(n_cells)
    n_series = n_values = 0
    with psycopg.connect(conninfo) as connection:
        dataset_id = register_dataset(
            connection,
            name="national",
            source="SYNTHETIC: random numbers of the size of Korean climate, for timing",
            file_sha256=None,
            first_year=PERIODS["historical"][0],
            last_year=PERIODS["ssp585"][1],
            synthetic=True,
            parameters={"seed": seed, "cells": n_cells},
        )
        write_gauges(connection, gauges(), dataset_id)
        write_gauge_maxima(connection, gauge_maxima(seed), dataset_id)
        write_sea_level_rise(connection, sea_level_rise(), dataset_id)
        write_warming(connection, warming_rows(), dataset_id)
        connection.execute("TRUNCATE climate_data")
        for start in range(0, n_cells, CELLS_AT_ONCE):
            block = grid_ids[start : start + CELLS_AT_ONCE]
            random = np.random.default_rng([seed, start])
            attributes = _surroundings(random, block)
            _copy(connection, COPY_CELLS, [_cell_rows(block, attributes)])
            buffers = list(_series_rows(random, block, attributes["elevation_m"], dataset_id))
            _copy(connection, COPY_SERIES, [buffer for buffer, _, _ in buffers])
            n_series += sum(series for _, series, _ in buffers)
            n_values += sum(values for _, _, values in buffers)
            if told is not None:
                told((start + block.size) / n_cells)
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        size = connection.execute(
            "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('climate_data')"
        ).fetchone()
    return Nation(n_cells, n_series, n_values, int(size[0]), time.monotonic() - started)


def land_cells(n_cells: int) -> NDArray[np.int32]:
    """So many cells of Korean land, ascending, spread evenly over it; what the land lacks, the sea by the coast has.

    Raises:
        ValueError: more than the frame has.
    """
    if not 1 <= n_cells <= N_CELLS:
        raise ValueError(f"cells: {n_cells}; allowed: 1 to {N_CELLS}")
    every = np.arange(1, N_CELLS + 1, dtype=np.int32)
    latitude, longitude = latitude_of(every), longitude_of(every)
    near = (longitude >= 125.0) & (longitude <= 130.0) & (latitude < 38.8)  # a third of the frame is open sea
    places = to_plane(latitude[near], longitude[near])
    land = np.zeros(N_CELLS, dtype=np.bool_)
    land[near] = np.any([inside(places, outline) for outline in ((*COAST, *BORDER), *ISLANDS.values())], axis=0)
    ground = every[land]
    if n_cells <= ground.size:
        return ground[np.linspace(0, ground.size - 1, n_cells).round().astype(np.intp)]
    sea = every[~land]
    middle = FRAME.south + (FRAME.north - FRAME.south) / 2.0
    nearest = np.argsort(
        np.hypot(latitude[~land] - middle, longitude[~land] - (FRAME.west + FRAME.east) / 2.0), kind="stable"
    )
    return np.sort(np.concatenate([ground, sea[nearest[: n_cells - ground.size]]]))


def _series_rows(
    random: np.random.Generator, grid_ids: NDArray[np.int32], elevation_m: Floats, dataset_id: int
) -> Iterator[tuple[bytes, int, int]]:
    """Binary rows of all series of some cells, with their number and that of their values."""
    n = grid_ids.size
    north, height = (latitude_of(grid_ids) - 36.0)[:, np.newaxis], elevation_m[:, np.newaxis] / 1000.0
    ids, dataset = binary.integers(grid_ids), binary.integers(np.full(n, dataset_id), 8)
    for scenario in SCENARIOS:
        first, last = PERIODS[scenario]
        warmer = KOREAN_PER_GLOBAL * global_warming(scenario, np.arange(first, last + 1))[np.newaxis]
        for variable, values in _yearly_values(_Weather(random, warmer, north, height)).items():
            if variable in PAST_ONLY and scenario != SCENARIOS[0]:
                continue
            columns = [
                binary.constant(variable, n),
                ids,
                binary.constant(scenario, n),
                binary.integers(np.full(n, first), 2),
                _packed(values),
                dataset,
            ]
            yield binary.copy_buffer(columns, n), n, values.size


def _yearly_values(weather: _Weather) -> dict[str, Floats]:
    """The yearly variables of the catalogue, (cells, years) each."""
    random, warmer, north, height, shape = *weather[:4], weather.shape
    storms = weather.some_years(0.5)
    rain = np.maximum(115.0 - 12.0 * north + 6.0 * warmer + 36.0 * random.gumbel(0.0, 1.0, shape), 20.0)
    wind = random.gamma(12.0, 1.9, shape)
    return {
        "wsdi": weather.days(6.0 + 14.0 * warmer) * weather.some_years(0.7),
        "csdi": weather.days(5.0 - 1.5 * warmer) * weather.some_years(0.5),
        "tx33": weather.days(12.0 + 9.0 * warmer - 25.0 * height),
        "tn25": weather.days(9.0 + 9.0 * warmer - 4.0 * north - 25.0 * height),
        "tx90p_days": weather.days(37.0 + 18.0 * warmer),
        "tnm12": weather.days(5.0 + 4.0 * north - 1.5 * warmer + 30.0 * height),
        "fd": weather.days(90.0 + 12.0 * north - 12.0 * warmer + 60.0 * height),
        "txx": random.normal(35.0 + warmer - 6.0 * height, 1.2, shape),
        "tnn": random.normal(-13.0 - 2.0 * north + warmer - 6.0 * height, 2.5, shape),
        "rx1day": rain,
        "rx5day": rain * random.uniform(1.3, 2.2, shape),
        "rain80": weather.days(1.6 + 0.2 * warmer - 0.3 * north),
        "sdii": random.normal(15.0, 2.0, shape),
        "cdd": np.round(random.gamma(20.0, 1.4, shape)),
        "prcptot": random.normal(1300.0 - 60.0 * north, 220.0, shape),
        "fwi95": np.maximum(random.normal(19.0 + warmer, 3.5, shape), 0.0),
        "fwi21": weather.days(12.0 + 2.0 * warmer),
        "spei12_min": random.normal(-1.3 - 0.1 * warmer, 0.7, shape),
        "spei12_dry_share": np.round(12.0 * random.beta(1.0, 5.0, shape)) / 12.0,
        "wsi": random.gamma(9.0, 0.05, shape),
        "max_site_wind": np.where(storms & (wind >= 15.4), wind, 0.0),
        "s_tc": np.where(storms & (wind >= 15.4), 0.5 * wind, 0.0),
    }


def _surroundings(random: np.random.Generator, grid_ids: NDArray[np.int32]) -> dict[str, Floats]:
    """The columns of `location_grid` that risks look at, (cells,) each; heights of defences where there are some."""
    n = grid_ids.size
    coast_m = 1000.0 * coast_distance_km(to_plane(latitude_of(grid_ids), longitude_of(grid_ids)))
    elevation = 1.0 + 2.0 * (coast_m / 1000.0) ** 0.8 + random.gamma(0.7, 150.0, n) * -np.expm1(-coast_m / 8000.0)
    low = (elevation < 6.0) & (coast_m < 10_000.0)
    river_m = 20.0 + random.gamma(1.0, 1_500.0, n)
    return {
        "elevation_m": elevation,
        "slope": np.minimum(random.gamma(1.0, 8.0, n), 70.0),
        "coast_distance_m": coast_m,
        "river_distance_m": river_m,
        "river_elevation_m": np.maximum(elevation - random.gamma(1.0, 6.0, n) * np.sqrt(river_m / 500.0), 0.0),
        "forest_distance_m": 5.0 + random.gamma(1.0, 600.0, n),
        "impervious_ratio": random.beta(1.0, 3.0, n),
        "crest_m": np.where(low & (random.random(n) < 0.75), elevation + random.uniform(0.3, 1.4, n), np.nan),
    }


def _cell_rows(grid_ids: NDArray[np.int32], attributes: dict[str, Floats]) -> bytes:
    columns = [binary.integers(grid_ids), *(_real(values) for values in attributes.values())]
    return binary.copy_buffer(columns, grid_ids.size)


def _real(values: Floats) -> binary.Fields:
    """A real column; NaN is NULL."""
    null = b"\xff\xff\xff\xff"
    return binary.Fields(None, [null if np.isnan(value) else struct.pack("!if", 4, value) for value in values])


def _packed(values: Floats) -> binary.Fields:
    """A bytea column of packed series from (cells, years)."""
    n_cells, n_years = values.shape
    rows = np.empty(n_cells, dtype=[("length", ">i4"), ("series", PACKED, (n_years,))])
    rows["length"], rows["series"] = PACKED.itemsize * n_years, values
    return binary.Fields(rows.view(np.uint8).reshape(n_cells, -1))


def _copy(connection: psycopg.Connection, statement: str, buffers: list[bytes]) -> None:
    """Several inputs of a COPY as one."""
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(binary.HEADER)
        for buffer in buffers:
            copy.write(memoryview(buffer)[len(binary.HEADER) : -len(binary.TRAILER)])
        copy.write(binary.TRAILER)
