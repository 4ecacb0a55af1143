"""Sites for tests: a plain one that is known throughout, many of all kinds, and one out of many."""

from __future__ import annotations

import dataclasses

import numpy as np

from aiops.assess.sites import STRUCTURES, USES, Buildings, Sites

ATTRIBUTES = {
    "elevation_m": 50.0,
    "coast_distance_m": 40_000.0,
    "river_distance_m": 5_000.0,
    "forest_distance_m": 3_000.0,
    "impervious_ratio": 0.4,
}
BUILDING = {
    "floor_area_m2": 1_000,
    "age_years": 15,
    "structure": "other",
    "floors": 5,
    "basement_floors": 0,
    "use": "other",
    "water_tank": True,
    "pilotis": False,
    "in_flood_zone": False,
}
nan = float("nan")


def one_site(latitude: float = 36.0, asset_value: float = nan, insurance_rate: float = 0.0, **known: object) -> Sites:
    """A site that every table gives its plainest row; attributes and fields of the building by name, None unknown."""
    attributes = {name: known.get(name, value) for name, value in ATTRIBUTES.items()}
    building = {name: known.get(name, value) for name, value in BUILDING.items()}
    assert known.keys() <= {*ATTRIBUTES, *BUILDING}
    return Sites(
        latitude=np.array([latitude]),
        longitude=np.array([127.0]),
        attributes={name: np.array([nan if value is None else value], float) for name, value in attributes.items()},
        buildings=Buildings.of([building]),
        asset_value=np.array([asset_value]),
        insurance_rate=np.array([insurance_rate]),
    )


def many_sites(n: int, seed: int = 0, unknown: float = 0.2) -> Sites:
    """Sites of all kinds; a share of what there is to know is unknown."""
    rng = np.random.default_rng(seed)

    def some(values: np.ndarray) -> np.ndarray:
        return np.where(rng.random(n) < unknown, nan, values)

    columns = {
        "floor_area_m2": rng.uniform(1, 30_000, n),
        "age_years": rng.integers(-1, 60, n),
        "floors": rng.integers(1, 40, n),
        "basement_floors": rng.integers(0, 6, n),
        "structure": rng.choice(STRUCTURES, n),
        "use": rng.choice(USES, n),
        "water_tank": rng.random(n) < 0.5,
        "pilotis": rng.random(n) < 0.3,
        "in_flood_zone": rng.random(n) < 0.3,
    }
    records = [
        {name: column[site].item() for name, column in columns.items() if rng.random() >= unknown} for site in range(n)
    ]
    return Sites(
        latitude=rng.uniform(33, 39, n),
        longitude=rng.uniform(125, 132, n),
        attributes={
            "elevation_m": some(np.where(rng.random(n) < 0.5, rng.uniform(-5, 15, n), rng.uniform(0, 1_500, n))),
            "coast_distance_m": some(10 ** rng.uniform(1, 5.2, n)),
            "river_distance_m": some(10 ** rng.uniform(1, 4, n)),
            "forest_distance_m": some(10 ** rng.uniform(1, 4, n)),
            "impervious_ratio": some(rng.random(n)),
        },
        buildings=Buildings.of(records),
        asset_value=some(10 ** rng.uniform(6, 13, n)),
        insurance_rate=np.where(rng.random(n) < 0.1, 1.0, rng.random(n)),
    )


def taken(sites: Sites, places: slice) -> Sites:
    """Some of the sites."""
    buildings = sites.buildings
    columns = {
        field.name: getattr(buildings, field.name)[places]
        for field in dataclasses.fields(buildings)
        if field.name != "defaulted"
    }
    return Sites(
        latitude=sites.latitude[places],
        longitude=sites.longitude[places],
        attributes={name: values[places] for name, values in sites.attributes.items()},
        buildings=Buildings(
            **columns,
            defaulted={name: where[places] for name, where in buildings.defaulted.items() if where[places].any()},
        ),
        asset_value=sites.asset_value[places],
        insurance_rate=sites.insurance_rate[places],
    )


def names_of(defaulted: dict[str, np.ndarray], site: int = 0) -> set[str]:
    """What a default stands for at a site."""
    return {name for name, where in defaulted.items() if where[site]}
