"""The registry and the table `risk_type` are one list."""

from __future__ import annotations

from aiops.risks import all_risks


def test_every_risk_stands_in_the_table_with_its_kind_and_aliases(connection) -> None:
    rows = connection.execute("SELECT risk_type, loss_kind, aliases FROM risk_type").fetchall()
    table = {risk_type: (loss_kind, tuple(aliases)) for risk_type, loss_kind, aliases in rows}
    assert table == {name: (risk.loss_kind.value, risk.aliases) for name, risk in all_risks().items()}


def test_the_table_is_in_the_order_of_the_methods(connection) -> None:
    rows = connection.execute("SELECT risk_type, position FROM risk_type ORDER BY position").fetchall()
    assert rows == [
        ("extreme_heat", 1), ("extreme_cold", 2), ("wildfire", 3), ("drought", 4), ("water_stress", 5),
        ("sea_level_rise", 6), ("river_flood", 7), ("urban_flood", 8), ("typhoon", 9),
    ]  # fmt: skip


def test_every_risk_has_a_korean_name(connection) -> None:
    rows = connection.execute("SELECT name, name_ko FROM risk_type").fetchall()
    assert all(name and name_ko and name != name_ko for name, name_ko in rows)
