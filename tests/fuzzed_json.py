"""JSON as it should not be, and requests that are nearly right: strategies of texts, since a value has no double keys."""

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
        r'"\u0000"', r'"a\u0000b"', r'"\ud800"', r'"\udc00\ud800"', r'"\ud83d\ude00"', r'"\ud83d"', r'"\uD83Dx"', r'"\x"',
        '"\u1112\u1161\u11ab"', '"\ufb01"', '"\u202e"', '"\ufeff"', '"\u00ad"', '"\u0130"', '"\u1e9e"', '""', '" "', r'"\n"',
        '"' + "a" * 10_000 + '"', '"%s"', '"%(batch_id)s"', '"$1"', r'"\\"', r'"\""', "\"'; DROP TABLE batch_jobs; --\"",
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


def mostly(right, wrong=anything):
    """Mostly what is right."""
    return st.integers(0, 11).flatmap(lambda die: wrong if die == 0 else right)


def nearly(fields, needed=(), strange=0.05):
    """An object with some of these fields, each mostly right; sometimes with a key that there is not, or one twice."""

    @st.composite
    def made(draw):
        there = [name for name in fields if name in needed or draw(st.booleans())]
        if there and draw(st.integers(0, 15)) == 0:
            there.remove(draw(st.sampled_from(there)))
        if there and draw(st.integers(0, 15)) == 0:
            there.append(draw(st.sampled_from(there)))
        members = [f"{json.dumps(name)}:{draw(mostly(fields[name]))}" for name in draw(st.permutations(there))]
        if draw(st.floats(0, 1)) < strange:
            members.append(f"{draw(strings)}:{draw(st.one_of(leaves, deep))}")
        return "{" + ",".join(members) + "}"

    return made()


flags = dumped(st.booleans())
latitudes = dumped(st.one_of(st.floats(33, 39), st.sampled_from([33, 39, 37.5, 37])))
longitudes = dumped(st.one_of(st.floats(124.5, 132), st.sampled_from([124.5, 132, 127])))
rates = dumped(st.one_of(st.floats(0, 1), st.sampled_from([0, 1, 0.5])))
values = dumped(st.one_of(st.floats(0, 1e18), st.integers(0, 10**18)))
buildings = nearly(
    {
        "floor_area_m2": dumped(st.floats(1, 1e7)),
        "built_year": dumped(st.integers(1800, 2020)),
        "age_years": dumped(st.floats(0, 300)),
        "structure": st.sampled_from(['"RC"', '"철근콘크리트구조"', '"wood"', '"Steel  Frame"', '"벽돌조"']),
        "floors": dumped(st.integers(1, 200)),
        "basement_floors": dumped(st.integers(0, 20)),
        "use": st.sampled_from(['"office"', '"공장"', '"숙박시설"', '"retail"']),
        "water_tank": flags,
        "pilotis": flags,
        "in_flood_zone": flags,
    }
)
risk_types = dumped(st.lists(st.sampled_from(RISKS), min_size=1, max_size=4))
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
    "target_year": dumped(st.integers(2020, 2100)),
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
        "steps": dumped(st.lists(st.sampled_from(["exposure", "AAL", "vulnerability"]), min_size=1, max_size=3)),
        "projections": flags,
    },
    needed=PLACE,
)
portfolios = nearly(
    {**QUESTION, "sites": array_of(nearly({**SITE, "site_id": strings}, needed=PLACE, strange=0.02))},
    needed=("sites",),
)
yearly_batches = nearly(
    {
        "risk_types": risk_types,
        "scenarios": dumped(st.lists(st.sampled_from(SCENARIOS), min_size=1, max_size=3)),
        "horizons": dumped(st.lists(st.sampled_from(["2050s", "BASELINE", "2090s"]), min_size=1, max_size=3)),
        "cells": dumped(st.lists(st.integers(1, 451_351), min_size=1, max_size=4)),
        "bbox": st.sampled_from(["[126, 36, 128, 38]", "[124.5, 33.0, 132, 39]", "[127.0, 37.5, 127.0, 37.5]"]),
        "force": flags,
    }
)


def or_anything(right):
    """Nearly right; sometimes anything at all, or nested without end."""
    return st.one_of(right, right, right, right, anything, deep)
