"""Risks are found by their files, and known under all their names."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import sys
from typing import TYPE_CHECKING

import pytest

import aiops.risks
from aiops.errors import BadInput
from aiops.risks import DamageSet, Indicator, LossKind, ReturnLevels, Risk, all_risks, find_risk
from aiops.risks._registry import all_risks as cached
from aiops.stats.codes import Estimator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

A_RISK = """
from aiops.risks import LossKind, Risk
RISK = Risk("{name}", {aliases}, LossKind.DIRECT, damage_sets={{}}, hazard=())
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose files count as files of `aiops.risks`."""
    monkeypatch.setattr(aiops.risks, "__path__", [*aiops.risks.__path__, str(tmp_path)])
    before = set(sys.modules)
    importlib.invalidate_caches()
    cached.cache_clear()
    yield tmp_path
    cached.cache_clear()
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_every_file_of_the_folder_without_an_underscore_is_a_risk() -> None:
    files = {module.name for module in pkgutil.iter_modules(aiops.risks.__path__)}
    assert set(all_risks()) == {name for name in files if not name.startswith("_")}
    assert {"extreme_heat", "river_flood"} <= set(all_risks())


def test_a_tenth_risk_is_one_new_file(folder: Path) -> None:
    (folder / "heavy_snow.py").write_text(A_RISK.format(name="heavy_snow", aliases='("snow",)'))
    assert find_risk("snow").name == "heavy_snow"
    assert "heavy_snow" in all_risks()


def test_a_file_that_is_no_risk_or_takes_anothers_name_is_refused(folder: Path) -> None:
    file = folder / "heavy_snow.py"
    file.write_text("")
    with pytest.raises(TypeError, match="heavy_snow must define RISK, a Risk named 'heavy_snow'"):
        all_risks()
    file.write_text(A_RISK.format(name="heavy_snow", aliases='("inland_flood",)'))
    del sys.modules["aiops.risks.heavy_snow"]
    importlib.invalidate_caches()
    with pytest.raises(ValueError, match="'inland_flood' belongs to both heavy_snow and river_flood"):
        all_risks()


@pytest.mark.parametrize("name", ["extreme_heat", "high_temperature", " Extreme Heat", "HIGH-TEMPERATURE"])
def test_a_risk_is_known_under_its_name_and_aliases_however_written(name: str) -> None:
    assert find_risk(name).name == "extreme_heat"


def test_an_unknown_risk_is_refused_with_the_allowed_names() -> None:
    with pytest.raises(BadInput, match=r"risk type: 'earthquake' is unknown; allowed: .*extreme_heat .*river_flood"):
        find_risk("earthquake")


def test_an_unknown_damage_set_is_refused_with_the_allowed_names() -> None:
    with pytest.raises(BadInput, match="damage set: 'guessed' is unknown; allowed: calibrated reference"):
        find_risk("extreme_heat").damage_set("guessed")


@pytest.mark.parametrize("risk", all_risks().values(), ids=lambda risk: risk.name)
def test_every_risk_is_described_whole(risk: Risk) -> None:
    assert set(risk.damage_sets) == {"calibrated", "reference"}
    assert isinstance(risk.loss_kind, LossKind)
    assert sum(term.weight for term in risk.hazard) == pytest.approx(1)
    assert all(term.low < term.high for term in risk.hazard)
    with pytest.raises(dataclasses.FrozenInstanceError):
        risk.name = "another"  # type: ignore[misc]


def test_a_damage_set_that_cannot_be_is_refused() -> None:
    x = Indicator("x")
    with pytest.raises(ValueError, match="edges must ascend"):
        DamageSet(x, (3, 1), (0, 0.1, 0.2), Estimator.COUNT)
    with pytest.raises(ValueError, match="2 edges need 3 rates; got 2"):
        DamageSet(x, ReturnLevels((20, 50)), (0, 0.1), Estimator.GEV)
    for rates in ((0.2, 0.1), (-0.1, 0), (0, 1.1)):
        with pytest.raises(ValueError, match="rates must not fall"):
            DamageSet(x, (1,), rates, Estimator.COUNT)
