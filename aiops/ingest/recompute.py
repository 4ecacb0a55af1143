"""The indicators of some cells from all that is stored of them: read, compute, write, each on its own.

What comes out is what a load of the same series would have computed (`Deriver`); but the computing holds no transaction
open, and values that a file has given stay as they are: what is computed stands between them, before and after.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aiops.climate import SCENARIOS, Series
from aiops.db.cells import read_land
from aiops.db.climate import NOTHING, Written, fill_series, merge_series, read_series, write_series
from aiops.db.datasets import note_computed_variables
from aiops.db.indicators import delete_computed_series, given_series, synthetic_basins, synthetic_series
from aiops.db.inputs import read_evapotranspiration_methods, write_evapotranspiration_methods
from aiops.ingest.aligned import HISTORY
from aiops.ingest.derived import (
    COMPUTED,
    DAILY,
    GIVEN,
    MADE_WHOLE,
    given_evapotranspiration,
    indicators_of_days,
    stored_basins,
)
from aiops.ingest.drought import drought_indicators
from aiops.ingest.evapotranspiration import MONTHLY_WEATHER, PET, potential_evapotranspiration
from aiops.ingest.origin import Generated, beside_given, key_of
from aiops.ingest.storms import STORM_INDICATORS, stored_storms
from aiops.ingest.variables import variable_of
from aiops.ingest.water import WATER_SOURCES, water_stress_indicators

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from aiops.db.connect import Connection
    from aiops.ingest.storms import StormYears
    from aiops.ingest.water import BasinWater

    Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class StoredInputs:
    """Everything that the indicators of some cells follow from, as of one moment."""

    grid_ids: list[int]
    weather: list[Series]
    """Daily and monthly weather of all scenarios."""
    months: list[Series]
    """WATER_SOURCES as they are stored."""
    given: set[Key]
    """(variable, scenario, cell) that were not computed. Their values stay, but for a generator's, where what is
    computed follows from real ones alone."""
    given_evapotranspiration: set[int]
    """Cells whose evapotranspiration came from a file."""
    elevation: dict[int, float]
    basin_of: dict[int, str]
    basins: dict[str, BasinWater]
    storms: StormYears | None
    """None where no storm is stored, or no cell lacks its winds."""
    winds: set[tuple[str, int]]
    """(variable, cell) of the storms' indicators that are there, other than a generator's."""
    generated: Generated
    """What a generator made."""


@dataclass(slots=True)
class ComputedSeries:
    """What is to be written for some cells."""

    cells: list[int] = field(default_factory=list)
    """The cells."""
    joined: list[Series] = field(default_factory=list)
    """To be joined with the years that are stored."""
    replaced: list[Series] = field(default_factory=list)
    """To replace what is stored: all of MADE_WHOLE that comes out; what was computed of any other is to be deleted."""
    filled: list[Series] = field(default_factory=list)
    """To stand where what a file has given has no value."""
    winds: list[Series] = field(default_factory=list)
    winds_dataset: int | None = None
    """Data set of the tracks that the winds follow from."""
    methods: dict[int, str] = field(default_factory=dict)
    """By cell: how its evapotranspiration was computed."""
    synthetic: set[Key] = field(default_factory=set)
    """(variable, scenario, cell) of what follows from a generator's series."""
    without: set[int] = field(default_factory=set)
    """Cells whose days and months gave nothing."""

    def add(self, other: ComputedSeries) -> None:
        """Take in what was computed for other cells."""
        self.cells += other.cells
        self.joined += other.joined
        self.replaced += other.replaced
        self.filled += other.filled
        self.winds += other.winds
        self.winds_dataset = other.winds_dataset or self.winds_dataset
        self.methods |= other.methods
        self.synthetic |= other.synthetic
        self.without |= other.without


def read_inputs(connection: Connection, grid_ids: Sequence[int]) -> StoredInputs:
    """What is stored of some cells; in a transaction of one snapshot it is of one moment.

    Memory: some 5 MB a cell with nine daily variables of all scenarios.
    """
    cells = list(grid_ids)
    sources = {*DAILY, *MONTHLY_WEATHER, *WATER_SOURCES}
    stored = read_series(connection, sorted(sources), cells, SCENARIOS)
    land = read_land(connection, cells)
    given = given_series(connection, COMPUTED, cells)
    methods = read_evapotranspiration_methods(connection, cells)
    past = read_series(connection, STORM_INDICATORS, cells, [HISTORY])
    synthetic = synthetic_series(connection, {*sources, *COMPUTED}, cells)
    winds = {(one.variable, one.grid_id) for one in past if key_of(one) not in synthetic}
    basin_of = {grid_id: basin for grid_id, (_, basin) in land.items() if basin is not None}
    generated = Generated(synthetic, synthetic_basins(connection), basin_of)
    return StoredInputs(
        grid_ids=cells,
        weather=[one for one in stored if one.variable not in WATER_SOURCES],
        months=[one for one in stored if one.variable in WATER_SOURCES],
        given=given,
        given_evapotranspiration=given_evapotranspiration(given, methods, generated),
        elevation={grid_id: height for grid_id, (height, _) in land.items() if height is not None},
        basin_of=basin_of,
        basins=stored_basins(connection),
        storms=stored_storms(connection) if len(winds) < len(STORM_INDICATORS) * len(cells) else None,
        winds=winds,
        generated=generated,
    )


def compute_indicators(inputs: StoredInputs, scenarios: Collection[str] = SCENARIOS) -> ComputedSeries:
    """All that follows from what is stored.

    Args:
        inputs: of some cells, all their scenarios.
        scenarios: whose days are to be looked at; what follows from months is made of all, since a cell has one method
            for all its scenarios.
    """
    generated = inputs.generated
    days, beside = beside_given(indicators_of_days(inputs.weather, scenarios), inputs.given, generated)
    weather = [one for one in inputs.weather if one.grid_id not in inputs.given_evapotranspiration]
    potential = potential_evapotranspiration(weather, inputs.elevation)
    months, then = _as_stored(inputs, beside, days, potential.series)
    whole, whole_beside = beside_given(
        [*drought_indicators(months), *water_stress_indicators(months, inputs.basin_of, inputs.basins)],
        inputs.given,
        then,
    )
    replaced = [*potential.series, *whole]
    touched = {one.grid_id for one in (*days, *replaced)} | {grid_id for _, _, grid_id in inputs.given}
    return ComputedSeries(
        cells=list(inputs.grid_ids),
        joined=days,
        replaced=replaced,
        filled=[*beside, *whole_beside],
        winds=_lacking_winds(inputs),
        winds_dataset=inputs.storms.dataset_id if inputs.storms is not None else None,
        methods={**dict.fromkeys(inputs.given_evapotranspiration, GIVEN), **potential.methods},
        synthetic={
            *(key for one in (*days, *potential.series) if generated.reaches(key := key_of(one))),
            *(key for one in whole if then.reaches(key := key_of(one))),
            *(key for key in inputs.given & generated.series if key[0] == PET and generated.reaches(key)),
        },
        without={one.grid_id for one in (*inputs.weather, *inputs.months)} - touched,
    )


def write_indicators(connection: Connection, computed: ComputedSeries, dataset_of: Callable[[bool], int]) -> Written:
    """Write what was computed, in the caller's transaction.

    Args:
        connection: the caller's.
        computed: of cells that are as they were read.
        dataset_of: gives the data set of what follows from a generator's series (True), or from observations and
            climate models (False); asked only where there is something of the kind.
    """
    written: list[Written] = []
    becoming = {key_of(one) for one in computed.replaced}
    delete_computed_series(connection, MADE_WHOLE, computed.cells, becoming)
    # What was real and is no longer so is not what `write_series` would have to keep.
    kept = becoming - (computed.synthetic - synthetic_series(connection, MADE_WHOLE, computed.cells))
    delete_computed_series(connection, MADE_WHOLE, computed.cells, kept)
    by_generator = {grid_id for variable, _, grid_id in computed.synthetic if variable == PET}
    for is_synthetic in (False, True):
        joined, replaced = (
            [one for one in series if (key_of(one) in computed.synthetic) == is_synthetic]
            for series in (computed.joined, computed.replaced)
        )
        methods = {cell: method for cell, method in computed.methods.items() if (cell in by_generator) == is_synthetic}
        if joined or replaced or methods:
            dataset_id = dataset_of(is_synthetic)
            for series, merge in ((joined, True), (replaced, False)):
                if series:
                    written.append(write_series(connection, series, dataset_id, merge=merge))
            write_evapotranspiration_methods(connection, methods, dataset_id)
    if computed.filled:
        written.append(fill_series(connection, computed.filled))
    if computed.winds and computed.winds_dataset is not None:
        written.append(write_series(connection, computed.winds, computed.winds_dataset))
        note_computed_variables(connection, computed.winds_dataset, STORM_INDICATORS)
    return sum(written, NOTHING)


def _as_stored(
    inputs: StoredInputs, filled: Iterable[Series], joined: Iterable[Series], replaced: Iterable[Series]
) -> tuple[list[Series], Generated]:
    """The series of months as they will be stored when what was computed has been written, and whose they are then."""
    generated = inputs.generated
    found = {key_of(one): one for one in inputs.months}
    by_generator = set(generated.series)
    for key in [key for key in found if key[0] in MADE_WHOLE and key not in inputs.given]:
        del found[key]
        by_generator.discard(key)
    for one in (one for one in filled if one.variable in WATER_SOURCES):
        found[key_of(one)] = merge_series(variable_of(one.variable).cadence, one, found[key_of(one)])
    for one in (one for one in joined if one.variable in WATER_SOURCES):
        key = key_of(one)
        old, was, becomes = found.get(key), key in generated.series, generated.reaches(key)
        # As `write_series` has it: what is real stays, and the two are never joined.
        if old is not None and becomes and not was:
            continue
        join = old is not None and becomes == was
        found[key] = merge_series(variable_of(one.variable).cadence, old, one) if old is not None and join else one
        (by_generator.add if becomes else by_generator.discard)(key)
    for one in replaced:
        key = key_of(one)
        found[key] = one
        (by_generator.add if generated.reaches(key) else by_generator.discard)(key)
    return list(found.values()), replace(generated, series=by_generator)


def _lacking_winds(inputs: StoredInputs) -> list[Series]:
    """Winds of cells that have none; those that are there may be a file's own, and stay."""
    lacking = [cell for cell in inputs.grid_ids if any((name, cell) not in inputs.winds for name in STORM_INDICATORS)]
    if inputs.storms is None or not lacking:
        return []
    return [one for one in inputs.storms.series(lacking) if (one.variable, one.grid_id) not in inputs.winds]
