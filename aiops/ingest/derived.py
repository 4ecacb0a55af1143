"""Everything that is computed from what is stored: the indicators of the cells that a load has touched.

A load brings some of the inputs of an indicator, in any order; so each is computed anew from all that is stored, for
the cells that the load has touched, in the load's own transaction.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiops.climate import SCENARIOS
from aiops.db.cells import read_land
from aiops.db.climate import NOTHING, Overruled, Written, fill_series, read_series, write_series
from aiops.db.datasets import note_computed_variables, register_dataset
from aiops.db.indicators import delete_computed_series, given_series, synthetic_basins, synthetic_series
from aiops.db.inputs import (
    read_basins,
    read_evapotranspiration_methods,
    read_water_use,
    write_evapotranspiration_methods,
)
from aiops.ingest.aligned import HISTORY
from aiops.ingest.drought import DROUGHT_INDICATORS, RAIN, drought_indicators, monthly_rain
from aiops.ingest.evapotranspiration import DAILY_WEATHER, MONTHLY_WEATHER, PET, potential_evapotranspiration
from aiops.ingest.fire import FIRE_INDICATORS, FIRE_SOURCES, fire_indicators
from aiops.ingest.indicators import DAILY_SOURCES, PLAIN_INDICATORS, RELATIVE_INDICATORS, yearly_indicators
from aiops.ingest.origin import Generated, beside_given, key_of
from aiops.ingest.storms import STORM_INDICATORS, StormYears, stored_storms
from aiops.ingest.water import WATER_SOURCES, WSI, BasinWater, water_stress_indicators

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from aiops.climate import Series
    from aiops.db.connect import Connection

    Key = tuple[str, str, int]

CELLS_AT_ONCE = 12
"""Cells whose daily series are held in memory together while their indicators are computed."""
DAILY = tuple(sorted({*DAILY_SOURCES, *FIRE_SOURCES, *DAILY_WEATHER}))
"""Daily variables from which anything is computed."""
COMPUTED = frozenset(
    {
        *(name for names in PLAIN_INDICATORS.values() for name in names),
        *RELATIVE_INDICATORS,
        *FIRE_INDICATORS,
        *DROUGHT_INDICATORS,
        *STORM_INDICATORS,
        RAIN,
        PET,
        WSI,
    }
)
"""Everything that is computed."""
MADE_WHOLE = frozenset({*DROUGHT_INDICATORS, PET, WSI})
"""Of these a series stands on one method, fit or scale: what was computed earlier is replaced as a whole, and deleted
where nothing comes out any more."""
CELLS_UNDER_STORMS = 512
"""Cells whose winds are computed together."""
GIVEN = "given"
"""The method of a `pet_month` that came from a file."""


@dataclass(slots=True)
class Derived:
    """What was computed and written."""

    variables: set[str] = field(default_factory=set)
    written: list[Written] = field(default_factory=list)
    methods: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """How many cells have their evapotranspiration by which method."""
    deleted: int = 0
    """Series that were computed earlier, and of which nothing comes out any more."""
    became_synthetic: int = 0
    """Computed series that were real, and now follow from a generator's, too."""
    overruled: Overruled = field(default_factory=Overruled)
    """What gave way to what."""

    def total(self) -> Written:
        """What was written in all."""
        return sum(self.written, NOTHING)

    def notes(self) -> list[str]:
        """What a report says of how it was computed."""
        found = []
        if self.methods:
            cells = ", ".join(f"{method} in {count:,} cells" for method, count in sorted(self.methods.items()))
            found.append(f"potential evapotranspiration by {cells}")
        if self.deleted:
            found.append(f"{self.deleted:,} computed series deleted: what is stored now gives none of them")
        if self.became_synthetic:
            found.append(
                f"{self.became_synthetic:,} computed series became synthetic: they now follow from a generator's, too"
            )
        return [*found, *self.overruled.notes()]


@dataclass(frozen=True, slots=True)
class Brought:
    """What a load has written."""

    variables: frozenset[str]
    scenarios: frozenset[str]
    keep: frozenset[tuple[str, str, int]] = frozenset()
    """(variable, scenario, cell) that came from the file itself: its values are not computed over."""


class Deriver:
    """Computes and writes indicators of cells within one load."""

    def __init__(self, connection: Connection, dataset_id: int) -> None:
        self._connection = connection
        self._dataset_id = dataset_id
        self._storms: StormYears | None = None
        self._knows_storms = False
        self._basins: dict[str, BasinWater] | None = None
        self._generated_basins: set[str] = set()
        self._synthetic_id: int | None = None
        self.derived = Derived()

    def after(self, brought: Brought, grid_ids: Sequence[int]) -> Derived:
        """All that can follow from climate series that were brought for some cells."""
        for start in range(0, len(grid_ids), CELLS_AT_ONCE):
            cells = grid_ids[start : start + CELLS_AT_ONCE]
            if brought.variables & set(DAILY):
                self._from_days(brought, cells)
            elif brought.variables & {*MONTHLY_WEATHER, PET}:
                self._evapotranspiration(brought, self._read((*DAILY_WEATHER, *MONTHLY_WEATHER), cells), cells)
            if brought.variables & {*DAILY, *MONTHLY_WEATHER, *WATER_SOURCES}:
                self._from_months(brought, cells)
        self.storms(grid_ids, again=False)
        return self.derived

    def water(self, grid_ids: Sequence[int]) -> Derived:
        """`wsi` of cells whose basin, flow or use was brought."""
        for start in range(0, len(grid_ids), CELLS_AT_ONCE):
            cells = grid_ids[start : start + CELLS_AT_ONCE]
            stress = self._stress(self._read(WATER_SOURCES, cells), cells)
            self._replace((WSI,), stress, cells, self._generated((WSI, *WATER_SOURCES), cells))
        return self.derived

    def storms(self, grid_ids: Sequence[int], *, again: bool = True) -> Derived:
        """Wind and exposure of cells by the stored storms.

        Args:
            grid_ids: the cells.
            again: also where a cell has them already; else those may be a file's own, and stay.
        """
        if not self._knows_storms:
            self._storms, self._knows_storms = stored_storms(self._connection), True
        if self._storms is None:
            return self.derived
        for start in range(0, len(grid_ids), CELLS_UNDER_STORMS):
            cells = grid_ids[start : start + CELLS_UNDER_STORMS]
            there: set[tuple[str, int]] = set()
            if not again:
                past = read_series(self._connection, STORM_INDICATORS, cells, [HISTORY])
                generated = synthetic_series(self._connection, STORM_INDICATORS, cells)
                there = {(one.variable, one.grid_id) for one in past if key_of(one) not in generated}
            lacking = [cell for cell in cells if any((name, cell) not in there for name in STORM_INDICATORS)]
            if lacking:
                computed = self._storms.series(lacking)
                new = [one for one in computed if (one.variable, one.grid_id) not in there]
                self._write(new, self._storms.dataset_id)
        return self.derived

    def _from_days(self, brought: Brought, cells: Sequence[int]) -> None:
        weather = self._read((*DAILY, *MONTHLY_WEATHER), cells)
        # New history moves the baseline of every scenario of the cell.
        wanted = set(SCENARIOS) if HISTORY in brought.scenarios else brought.scenarios
        computed = indicators_of_days(weather, wanted)
        self._write_computed(computed, self._generated(DAILY, cells), brought)
        self._evapotranspiration(brought, weather, cells)

    def _evapotranspiration(self, brought: Brought, weather: Sequence[Series], cells: Sequence[int]) -> None:
        """`pet_month`, except of cells for which a file has given it: theirs is not mixed with another."""
        given = self._given((PET,), cells, brought)
        generated = self._generated((PET, *DAILY_WEATHER, *MONTHLY_WEATHER), cells)
        known = read_evapotranspiration_methods(self._connection, cells)
        stand = given_evapotranspiration(given, known, generated)
        by_generator = {grid_id for *_, grid_id in given & generated.series} - {
            grid_id for *_, grid_id in given - generated.series
        }
        self._note_methods(dict.fromkeys(stand, GIVEN), by_generator)
        open_ = [one for one in weather if one.grid_id not in stand]
        elevation = {
            grid_id: height for grid_id, (height, _) in read_land(self._connection, cells).items() if height is not None
        }
        potential = potential_evapotranspiration(open_, elevation)
        self._replace((PET,), potential.series, cells, generated, brought)
        by_generator = {one.grid_id for one in potential.series if generated.reaches(key_of(one))}
        self._note_methods(potential.methods, by_generator)
        for method in potential.methods.values():
            self.derived.methods[method] += 1

    def _from_months(self, brought: Brought, cells: Sequence[int]) -> None:
        months = self._read(WATER_SOURCES, cells)
        computed = [*drought_indicators(months), *self._stress(months, cells)]
        variables = (*DROUGHT_INDICATORS, WSI)
        self._replace(variables, computed, cells, self._generated((*variables, *WATER_SOURCES), cells), brought)

    def _stress(self, months: Sequence[Series], cells: Sequence[int]) -> list[Series]:
        if self._basins is None:
            self._basins = stored_basins(self._connection)
            self._generated_basins = synthetic_basins(self._connection)
        if not self._basins:
            return []
        basin_of = {
            grid_id: basin for grid_id, (_, basin) in read_land(self._connection, cells).items() if basin is not None
        }
        return list(water_stress_indicators(months, basin_of, self._basins))

    def _read(self, variables: Collection[str], cells: Sequence[int]) -> list[Series]:
        return read_series(self._connection, sorted(variables), cells, SCENARIOS)

    def _given(self, variables: Collection[str], cells: Sequence[int], brought: Brought | None) -> set[Key]:
        """(variable, scenario, cell) that this file or an earlier one has given, or a generator."""
        found = given_series(self._connection, variables, cells)
        if brought is not None:
            found |= {one for one in brought.keep if one[0] in variables and one[2] in cells}
        return found

    def _generated(self, variables: Collection[str], cells: Sequence[int]) -> Generated:
        """What a generator made of these variables, and of the water of these cells."""
        return Generated(
            synthetic_series(self._connection, variables, cells),
            self._generated_basins,
            {cell: basin for cell, (_, basin) in read_land(self._connection, cells).items() if basin is not None},
        )

    def _synthetic_dataset(self) -> int:
        """The data set of what follows from a generator's series."""
        if self._synthetic_id is None:
            self._synthetic_id = register_dataset(
                self._connection,
                name="indicators",
                source="computed while loading from stored series, some of them a generator's",
                file_sha256=None,
                first_year=None,
                last_year=None,
                synthetic=True,
                parameters={"while_loading": self._dataset_id},
            )
        return self._synthetic_id

    def _note_methods(self, methods: Mapping[int, str], by_generator: Collection[int]) -> None:
        """Note how evapotranspiration was made, apart in cells where it is a generator's or follows from such."""
        real = {cell: method for cell, method in methods.items() if cell not in by_generator}
        synthetic = {cell: method for cell, method in methods.items() if cell in by_generator}
        write_evapotranspiration_methods(self._connection, real, self._dataset_id)
        if synthetic:
            write_evapotranspiration_methods(self._connection, synthetic, self._synthetic_dataset())

    def _replace(
        self,
        variables: Collection[str],
        series: Sequence[Series],
        cells: Sequence[int],
        generated: Generated,
        brought: Brought | None = None,
    ) -> None:
        """Write all that comes out of some variables that are made whole, for some cells."""
        given = self._given(variables, cells, brought)
        found = {key_of(one) for one in series}
        self.derived.deleted += delete_computed_series(self._connection, variables, cells, found)
        # What was real and is no longer so is not what `write_series` would have to keep.
        kept = {key for key in found if key in generated.series or not generated.reaches(key)}
        self.derived.became_synthetic += delete_computed_series(self._connection, variables, cells, kept)
        self._write_computed(series, generated, brought, given=given, merge=False)

    def _write_computed(
        self,
        series: Iterable[Series],
        generated: Generated,
        brought: Brought | None = None,
        *,
        given: Collection[Key] = (),
        merge: bool = True,
    ) -> None:
        """Write what follows from series, apart where any of these are a generator's, and beside what was given."""
        keep = brought.keep if brought is not None else frozenset()
        computed, beside = beside_given(series, {*keep, *given}, generated)
        self._fill(beside)
        real: list[Series] = []
        synthetic: list[Series] = []
        for one in computed:
            (synthetic if generated.reaches(key_of(one)) else real).append(one)
        # Of a variable that the file has given as well, nothing is taken for computed.
        self._write(real, self._dataset_id, brought_too={variable for variable, _, _ in keep}, merge=merge)
        if synthetic:
            self._write(synthetic, self._synthetic_dataset(), merge=merge)

    def _write(
        self, series: Sequence[Series], dataset_id: int, *, brought_too: Collection[str] = (), merge: bool = True
    ) -> None:
        """Write under a data set, and note there what was computed: none of the variables that it has brought too."""
        if not series:
            return
        written = write_series(self._connection, series, dataset_id, merge=merge, overruled=self.derived.overruled)
        self.derived.written.append(written)
        variables = {one.variable for one in series}
        self.derived.variables |= variables
        if written.inserted or written.updated:
            note_computed_variables(self._connection, dataset_id, variables - set(brought_too))

    def _fill(self, series: Sequence[Series]) -> None:
        """What was computed, where what a file has given has no value."""
        written = fill_series(self._connection, series) if series else NOTHING
        if written.updated:
            self.derived.variables |= {one.variable for one in series}
            self.derived.written.append(Written(0, written.updated, 0))


def indicators_of_days(weather: Sequence[Series], scenarios: Collection[str]) -> list[Series]:
    """What follows from days alone: the yearly indicators, and the rain of the months.

    Args:
        weather: daily series (others are passed over) of any cells, their history among them.
        scenarios: whose indicators are wanted.
    """
    useful = [one for one in weather if one.scenario == HISTORY or one.scenario in scenarios]
    found = [*yearly_indicators(useful), *fire_indicators(useful), *monthly_rain(useful)]
    return [one for one in found if one.scenario in scenarios]


def given_evapotranspiration(given: Collection[Key], methods: Mapping[int, str], generated: Generated) -> set[int]:
    """Cells whose evapotranspiration stands as it was given, and is not computed.

    Args:
        given: (variable, scenario, cell) of series that were given.
        methods: by cell, as noted.
        generated: what a generator made. Its evapotranspiration stands beside its weather alone.
    """
    keys = [key for key in given if key[0] == PET]
    stand = {key[2] for key in keys if key not in generated.series or generated.reaches(key)}
    gives_way = {grid_id for *_, grid_id in keys} - stand
    return stand | {grid_id for grid_id, method in methods.items() if method == GIVEN} - gives_way


def stored_basins(connection: Connection) -> dict[str, BasinWater]:
    """Flow and use of the basins that are stored."""
    uses: dict[str, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for basin_id, scenario, year, withdrawal in read_water_use(connection):
        uses[basin_id][scenario][year] = withdrawal
    return {basin_id: BasinWater(flow, uses.get(basin_id, {})) for basin_id, flow in read_basins(connection).items()}
