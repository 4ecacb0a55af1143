"""Packed series: one format for numpy and SQL."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops.db.packing import pack, unpack

AWKWARD = [0.0, -0.0, 1.5, np.nan, np.inf, -np.inf, 1e-45, -1.1754942e-38, 3.4028235e38, -2.25]


def same_bits(one, other):
    one, other = np.asarray(one, np.float32), np.asarray(other, np.float32)
    nan = np.isnan(one)
    return np.array_equal(nan, np.isnan(other)) and np.array_equal(one[~nan].view(np.int32), other[~nan].view(np.int32))


@given(arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32)))
def test_what_numpy_packs_it_unpacks(values):
    assert same_bits(unpack(pack(values)), values)


def test_sql_unpacks_what_numpy_packs(connection):
    (values,) = connection.execute("SELECT unpack_series(%s)", (pack(AWKWARD),)).fetchone()
    assert same_bits(values, AWKWARD)


def test_numpy_unpacks_what_sql_packs_and_null_keeps_its_place(connection):
    with_nulls = [1.0, None, 3.0, None]
    (packed,) = connection.execute("SELECT pack_series(%s::real[])", (with_nulls,)).fetchone()
    assert same_bits(unpack(packed), [1, np.nan, 3, np.nan])


def test_random_bits_come_through_sql_unchanged(connection):
    bits = np.random.default_rng(1).integers(-(2**31), 2**31, 5000, dtype=np.int64).astype(np.int32)
    values = bits.view(np.float32)
    (unpacked, again) = connection.execute(
        "SELECT unpack_series(%(packed)s), pack_series(unpack_series(%(packed)s))", {"packed": pack(values)}
    ).fetchone()
    assert same_bits(unpacked, values)
    assert same_bits(unpack(again), values)


def test_an_empty_series_is_empty(connection):
    assert connection.execute("SELECT unpack_series(''), pack_series('{}')").fetchone() == ([], b"")


def test_a_daily_series_of_eighty_years_is_unpacked_in_a_moment(connection):
    values = np.random.default_rng(2).normal(15, 10, 29_219)
    connection.execute("CREATE TABLE stored (packed bytea STORAGE EXTERNAL)")
    connection.execute("INSERT INTO stored VALUES (%s)", (pack(values),))
    connection.execute("SELECT cardinality(unpack_series(packed)) FROM stored")
    start = time.perf_counter()
    (unpacked,) = connection.execute("SELECT unpack_series(packed) FROM stored", binary=True).fetchone()
    seconds = time.perf_counter() - start
    assert same_bits(unpacked, values)
    # The form that reads byte by byte out of the stored value takes ten seconds; the bound is loose on purpose.
    assert seconds < 2


def test_bytes_that_are_no_whole_values_are_refused(connection):
    import psycopg
    import pytest

    with pytest.raises(psycopg.errors.InvalidBinaryRepresentation, match="5 bytes are not a whole number"):
        connection.execute("SELECT unpack_series('\\x0102030405')")
