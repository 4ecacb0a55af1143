"""JSON as it should not be, and requests nearly right: strategies of texts, since a value has no double keys."""

from __future__ import annotations

import json

from hypothesis import strategies as st

RISKS = ["extreme_heat", "cold_wave", "Drought", " typhoon ", "sea_level_rise", "inland_flood"]
SCENARIOS = ["ssp245", "SSP2", "ssp5-8.5", "historical", "Observed"]


def dumped(strategy):
    """Values of a strategy as JSON."""
    return strategy.map(json.dumps)


# --- anything ------------------------------------------------------------------------------------------------

odd_numbers = st.sampled_from(
    [
        "-0", "-0.0", "0e0", "1e400", "-1e400", "1e-400", "1e131071", "1e131073", "1e2147483648", "1e-16384",
        "2147483648", "-9223372036854775809", "9" * 2000, "1" + "0" * 400, "0." + "0" * 400 + "1", "37.5" + "0" * 5000,
        "1.0", "1e2", "343000.0", "2050.0", "2050.5", "NaN", "Infinity", "-Infinity", "0x10", "01", "1.", ".5", "+1",
    ]
)  # fmt: skip
odd_strings = st.sampled_from(
    [
        r'"\u0000"', r'"a\u0000b"', r'"\ud800"', r'"\udc00\ud800"', r'"\ud83d\ude00"', r'"\ud83d"', r'"\uD83Dx"', r'"\x"',  # noqa: E501
        '"\u1112\u1161\u11ab"', '"\ufb01"', '"\u202e"', '"\ufeff"', '"\u00ad"', '"\u0130"', '"\u1e9e"', '""', '" "', r'"\n"',  # noqa: E501
        '"' + "a" * 10_000 + '"', '"%s"', '"%(batch_id)s"', '"$1"', r'"\\"', r'"\""', "\"'; DROP TABLE batch_jobs; --\"",  # noqa: E501
        '"철근콘크리트구조"', '"rc"', '"office"', '"null"', '"true"', '"37.5"', "'a'", '"a', '"http://["', '"x@y"',
    ]
)  # fmt: skip
# No NUL and no lone surrogate as such: no client can send them. As escapes they come.
letters = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
strings = st.one_of(
    letters.map(json.dumps), letters.map(lambda text: json.dumps(text, ensure_ascii=False)), odd_strings
)
numbers = st.one_of(
    dumped(st.integers()),
    dumped(st.integers(-10, 2200)),
    dumped(st.floats(allow_nan=False, allow_infinity=False)),
    odd_numbers,
)
leaves = st.one_of(st.sampled_from(["null", "true", "false", "[]", "{}"]), numbers, strings)


def array_of(items):
    return st.lists(items, max_size=4).map(lambda found: f"[{','.join(found)}]")


def object_of(keys, values):
    """An object of any members; the same key may come more than once."""
    members = st.lists(st.tuples(keys, values), max_size=5)
    return members.map(lambda found: "{" + ",".join(f"{key}:{value}" for key, value in found) + "}")


anything = st.recursive(leaves, lambda inner: st.one_of(array_of(inner), object_of(strings, inner)), max_leaves=12)
depths = st.one_of(st.integers(2, 300), st.sampled_from([900, 3_000, 6_000, 20_000, 60_000]))
deep = st.one_of(
    depths.map(lambda depth: "[" * depth + "]" * depth),
    depths.map(lambda depth: '{"a":' * depth + "1" + "}" * depth),
    depths.map(lambda depth: "[" * depth),
)


# --- requests, nearly right ----------------------------------------------------------------------------------


def mostly(right, wrong=anything, of=60):
    """What is right, but for one in so many. (Not the lowest number: examples are made smaller towards that.)"""
    return st.integers(1, of).flatmap(lambda die: wrong if die == of // 2 else right)


def list_of(items, least=1, most=4):
    """A list of what is mostly right, as JSON."""
    members = st.lists(mostly(items, st.one_of(odd_numbers, leaves), 40), min_size=least, max_size=most)
    return members.map(lambda found: f"[{','.join(found)}]")


def nearly(fields, needed=(), strange=30):
    """An object with some of these fields, each mostly right; sometimes with a key that there is not, or one twice."""

    @st.composite
    def made(draw):
        there = [name for name in fields if name in needed or draw(st.booleans())]
        if there and draw(st.integers(1, 30)) == 13:
            there.remove(draw(st.sampled_from(there)))
        if there and draw(st.integers(1, 30)) == 13:
            there.append(draw(st.sampled_from(there)))
        members = [f"{json.dumps(name)}:{draw(mostly(fields[name]))}" for name in draw(st.permutations(there))]
        if draw(st.integers(1, strange)) == strange // 2:
            members.append(f"{draw(strings)}:{draw(st.one_of(leaves, deep))}")
        return "{" + ",".join(members) + "}"

    return made()


flags = dumped(st.booleans())
# Written out further than a machine's number goes, they are still numbers.
latitudes = st.one_of(
    dumped(st.floats(33, 39)), st.sampled_from(["33", "39", "37.5", "37.50", "3.7e1", "37.5" + "0" * 400])
)
longitudes = st.one_of(dumped(st.floats(124.5, 132)), st.sampled_from(["124.5", "132", "1.27e2", "127.0"]))
rates = st.one_of(dumped(st.floats(0, 1)), st.sampled_from(["0", "1", "0.50", "1e-400", "1E-5", "0." + "3" * 400]))
values = st.one_of(
    dumped(st.floats(0, 1e18)), dumped(st.integers(0, 10**18)), st.sampled_from(["1e18", "1e-400", "1.0"])
)
buildings = nearly(
    {
        "floor_area_m2": dumped(st.floats(1, 1e7)),
        "built_year": dumped(st.integers(1800, 2020)),
        "age_years": st.one_of(dumped(st.floats(0, 300)), st.sampled_from(["0", "1e-400", "20.0"])),
        "structure": st.sampled_from(['"RC"', '"철근콘크리트구조"', '"wood"', '"Steel  Frame"', '"벽돌조"']),
        "floors": st.one_of(dumped(st.integers(1, 200)), st.sampled_from(["2e2", "5.0"])),
        "basement_floors": dumped(st.integers(0, 20)),
        "use": st.sampled_from(['"office"', '"공장"', '"숙박시설"', '"retail"']),
        "water_tank": flags,
        "pilotis": flags,
        "in_flood_zone": flags,
    }
)
risk_types = list_of(dumped(st.sampled_from(RISKS)))
scenarios = dumped(st.sampled_from(SCENARIOS))
notify = nearly(
    {
        "webhook": st.sampled_from(['"https://example.org/a?b=c"', '"http://[::1]:80/"', '"HTTP://A:1"', "null"]),
        "email": st.sampled_from(['"a@example.org"', '"a.b+c@x-y.example.org"', "null"]),
    }
)
QUESTION = {
    "risk_types": risk_types,
    "scenario": scenarios,
    "target_year": st.one_of(dumped(st.integers(2020, 2100)), st.sampled_from(["2050.0", "2.05e3"])),
    "insurance_rate": rates,
    "force": flags,
    "notify": notify,
}
SITE = {
    "latitude": latitudes,
    "longitude": longitudes,
    "insurance_rate": rates,
    "asset_value": values,
    "building": buildings,
}
PLACE = ("latitude", "longitude")
requests = nearly(
    {
        **QUESTION,
        **SITE,
        "steps": list_of(st.sampled_from(['"exposure"', '"AAL"', '"vulnerability"'])),
        "projections": flags,
    },
    needed=PLACE,
)
portfolios = nearly(
    {
        **QUESTION,
        "sites": array_of(nearly({**SITE, "site_id": dumped(letters.map("n {}".format))}, needed=PLACE, strange=60)),
    },
    needed=("sites",),
)
yearly_batches = nearly(
    {
        "risk_types": risk_types,
        "scenarios": list_of(dumped(st.sampled_from(SCENARIOS))),
        "horizons": list_of(st.sampled_from(['"2050s"', '"BASELINE"', '"2090s"'])),
        "cells": list_of(
            st.one_of(dumped(st.integers(1, 451_351)), st.sampled_from(["1", "451351", "3.43e5", "343000.0"]))
        ),
        "bbox": st.one_of(
            st.sampled_from(["[126, 36, 128, 38]", "[124.5, 33.0, 132, 39]", "[127.0, 37.5, 127.0, 37.5]"]),
            list_of(dumped(st.floats(33, 132)), 4, 4),
        ),
        "force": flags,
    }
)


def or_anything(right):
    """Nearly right; sometimes anything at all, or nested without end."""
    return mostly(right, st.one_of(anything, deep), of=6)
