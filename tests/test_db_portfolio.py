"""Portfolios in the database: how they are kept, planned, concluded and read. No computation."""

from __future__ import annotations

import json

import psycopg
import pytest

PLAN = "SELECT plan_portfolio(%s, %s)"
CHUNKS = "SELECT chunk_no, first_grid_id, last_grid_id, n_cells FROM batch_chunks WHERE batch_id = %s ORDER BY chunk_no"
SEOUL = {"latitude": 37.5665, "longitude": 126.978}
HISTORY = "SELECT batch_id FROM risk_history(37.5665, 126.978)"


def site(number=0, **known):
    return {"site_id": f"S{number}", "latitude": 37.5665, "longitude": 126.978, **known}


def ask(connection, sites, **params):
    insert = (
        "INSERT INTO batch_jobs (job_type, input_params) VALUES ('portfolio_risk_calculation', %s) RETURNING batch_id"
    )
    batch_id = connection.execute(insert, (json.dumps({"sites": sites, **params}),)).fetchone()[0]
    connection.commit()
    return batch_id


def plan(connection, batch_id, most=500):
    (n_chunks,) = connection.execute(PLAN, (batch_id, most)).fetchone()
    connection.commit()
    return n_chunks


def end_chunk(connection, batch_id, chunk_no, *, without=(), summary=None):
    """As a process that has computed a chunk ends it; sites have a bare run each, but for those without an answer."""
    (attempt,) = connection.execute(
        "SELECT attempt FROM claim_chunk(%s, %s, 'w', '90 seconds')", (batch_id, chunk_no)
    ).fetchone()
    connection.commit()
    assert connection.execute("SELECT hold_chunk(%s, %s, %s)", (batch_id, chunk_no, attempt)).fetchone() == (True,)
    connection.execute(
        "UPDATE portfolio_site SET reason = 'at sea' WHERE batch_id = %s AND site_no = ANY (%s)",
        (batch_id, list(without)),
    )
    connection.execute(
        "INSERT INTO risk_run (batch_id, site_no, site_id, latitude, longitude, grid_id, projection_id, risk_types,"
        " insurance_rate, building, building_source, surroundings, inputs, method_version, damage_set,"
        " total_risk_score, risk_level)"
        " SELECT s.batch_id, s.site_no, s.site_id, s.latitude, s.longitude, s.grid_id, 13, '{drought}', 0,"
        " '{}', '{}', '{}', '{}', '1', 'calibrated', 50, 'medium'"
        " FROM portfolio_site AS s JOIN batch_chunks AS c ON c.batch_id = s.batch_id AND c.chunk_no = %s"
        " AND s.site_no BETWEEN c.first_grid_id AND c.last_grid_id WHERE s.batch_id = %s AND s.reason IS NULL",
        (chunk_no, batch_id),
    )
    connection.execute(
        "UPDATE batch_chunks SET summary = %s WHERE batch_id = %s AND chunk_no = %s",
        (json.dumps(summary or summary_of(1)), batch_id, chunk_no),
    )
    done = connection.execute(
        "SELECT finish_chunk(%s, %s, 9, %s, '{\"read\": 0.5}')", (batch_id, chunk_no, len(without))
    ).fetchone()
    connection.commit()
    return done[0]


def summary_of(sites, value=None):
    """Of a chunk in which so many sites lose a tenth of their value, and one is at a high level."""
    worth = value or 0
    valued = sites if value else 0

    def every(number):
        return [number] * 33

    loss = {
        "sites": every(sites),
        "fraction": every(0.1 * sites),
        "valued": every(valued),
        "value": every(worth),
        "loss": every(worth / 10),
    }
    high = {
        "sites": every(1),
        "value": every(worth / 4),
        "of_sites": every(sites),
        "of_value": every(worth),
        "valued": every(valued),
    }
    return {
        "method_version": "1",
        "damage_set": "calibrated",
        "valued": valued,
        "asset_value": worth,
        "stale": 0,
        "defaulted": 1,
        "levels": {"total": {"medium": sites}},
        "statuses": {"drought": {"ok": sites - 1, "failed": 1}},
        "sums": {
            "by_risk": {"drought": loss},
            "sum": {"all": loss},
            "union": {"all": loss},
            "high": {"drought": high, "total": high},
        },
    }


def look(connection, batch_id, what):
    row = connection.execute(f"SELECT {what} FROM batch_jobs WHERE batch_id = %s", (batch_id,)).fetchone()
    return row[0] if len(row) == 1 else row


# --- asking -------------------------------------------------------------------------------------------------


def test_the_sites_move_to_a_table_of_their_own_in_the_order_of_the_list(connection):
    batch_id = ask(connection, [site(0), {**SEOUL, "latitude": 35.1, "building": {"structure": "목조"}}])
    assert look(connection, batch_id, "input_params")["sites"] == 2
    rows = connection.execute(
        "SELECT site_no, site_id, latitude, grid_id = grid_id_of(latitude, longitude),"
        " site -> 'building' ->> 'structure' FROM portfolio_site WHERE batch_id = %s ORDER BY site_no",
        (batch_id,),
    ).fetchall()
    assert rows == [(0, "S0", 37.5665, True, None), (1, None, 35.1, True, "wood")]


def test_a_rollback_takes_the_sites_with_it(connection):
    connection.execute("SELECT request_risk_many(%s)", (json.dumps([site()]),))
    connection.rollback()
    assert connection.execute("SELECT count(*) FROM portfolio_site").fetchone() == (0,)


@pytest.mark.parametrize(
    ("sites", "field"),
    [
        ([site(), site(latitude=50)], r"sites\[1\]\.latitude"),
        ([site(asset_value=-1)], r"sites\[0\]\.asset_value"),
        ([site(building={"floors": "five"})], r"sites\[0\]\.building\.floors"),
        ([{"site_id": "no place"}], r"sites\[0\]\.latitude"),
        ([], "sites"),
    ],
)
def test_one_bad_site_refuses_the_whole_by_name_and_nothing_is_kept(connection, sites, field):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=field):
        ask(connection, sites)
    connection.rollback()
    assert connection.execute("SELECT count(*) FROM portfolio_site").fetchone() == (0,)


# --- planning -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_sites", "most", "n_chunks"),
    [(1, 500, 1), (50, 500, 1), (51, 500, 2), (1000, 500, 20), (3000, 500, 20), (10_000, 500, 40), (10, 3, 4)],
)
def test_chunks_are_many_enough_to_share_and_large_enough_to_pay(connection, n_sites, most, n_chunks):
    assert connection.execute("SELECT portfolio_chunks(%s, %s)", (n_sites, most)).fetchone() == (n_chunks,)


def test_every_site_is_in_one_chunk_and_every_chunk_has_a_job_ahead_of_the_yearly_ones(connection):
    batch_id = ask(connection, [site(number) for number in range(11)])
    assert plan(connection, batch_id, most=3) == 4
    chunks = connection.execute(CHUNKS, (batch_id,)).fetchall()
    assert [number for _, first, last, _ in chunks for number in range(first, last + 1)] == list(range(11))
    assert all(n == last - first + 1 for _, first, last, n in chunks)
    jobs = connection.execute(
        "SELECT j.queue_name, j.task_name, j.priority, (j.args ->> 'chunk_no')::integer = c.chunk_no"
        " FROM batch_chunks AS c JOIN procrastinate_jobs AS j ON j.id = c.job_id WHERE c.batch_id = %s",
        (batch_id,),
    ).fetchall()
    assert jobs == [("compute", "risk_chunk", 10, True)] * 4
    assert look(connection, batch_id, "status, total_items, open_chunks") == ("running", 11, 4)


def test_a_second_run_of_the_planning_job_makes_no_other_plan(connection):
    batch_id = ask(connection, [site(number) for number in range(4)])
    assert [plan(connection, batch_id, most=2) for _ in range(2)] == [2, 2]
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'risk_chunk'"
    assert connection.execute(jobs).fetchone() == (2,)


def test_planning_what_does_not_exist_is_an_error(connection):
    with pytest.raises(psycopg.errors.NoDataFound):
        connection.execute(PLAN, ("00000000-0000-0000-0000-000000000001", 500))


# --- the end ------------------------------------------------------------------------------------------------


def test_the_last_chunk_completes_the_portfolio_with_the_sums_of_all(connection):
    batch_id = ask(connection, [site(number) for number in range(4)])
    plan(connection, batch_id, most=2)
    assert end_chunk(connection, batch_id, 1, summary=summary_of(2, value=1000.0))
    assert look(connection, batch_id, "status, progress, results") == ("running", 50, None)
    assert end_chunk(connection, batch_id, 2, summary=summary_of(2, value=3000.0))
    status, progress, results = look(connection, batch_id, "status, progress, results")
    assert (status, progress) == ("completed", 100)
    assert results["asset_value"] == 4000
    assert (results["sites"], results["answered"], results["sites_with_value"]) == (4, 4, 4)
    assert len(results["projection_table"]) == 33
    chosen = results["totals"]
    assert (chosen["scenario"], chosen["target_year"]) == ("ssp245", 2050)
    assert chosen["losses"]["by_risk"]["drought"] == {
        "sites": 4, "expected_loss": 400, "asset_value": 4000, "aal": 0.1, "mean_aal": 0.1,
    }  # fmt: skip
    assert chosen["high_level"]["total"] == {
        "sites": 2, "of_sites": 4, "share_of_sites": 0.5,
        "asset_value": 1000, "of_asset_value": 4000, "share_of_asset_value": 0.25,
    }  # fmt: skip
    assert results["risk_status"] == {"drought": {"ok": 2, "failed": 2}}
    assert results["levels"] == {"medium": 4}
    assert results["compute_seconds"] == {"read": 1.0}


def test_the_historical_baseline_has_totals_too(connection):
    batch_id = ask(connection, [site()], scenario="historical")
    plan(connection, batch_id)
    end_chunk(connection, batch_id, 1)
    chosen = look(connection, batch_id, "results")["totals"]
    assert (chosen["scenario"], chosen["target_year"]) == ("historical", None)


def test_amounts_are_unknown_not_zero_where_no_site_has_a_value(connection):
    batch_id = ask(connection, [site()])
    plan(connection, batch_id)
    end_chunk(connection, batch_id, 1)
    results = look(connection, batch_id, "results")
    assert results["asset_value"] is None
    loss, high = results["totals"]["losses"]["sum"]["all"], results["totals"]["high_level"]["total"]
    assert (loss["expected_loss"], loss["aal"], loss["mean_aal"]) == (None, None, 0.1)
    assert (high["asset_value"], high["share_of_asset_value"], high["share_of_sites"]) == (None, None, 1)


def test_sites_without_an_answer_are_counted_and_the_first_twenty_listed(connection):
    batch_id = ask(connection, [site(number) for number in range(30)])
    plan(connection, batch_id)
    end_chunk(connection, batch_id, 1, without=range(5, 30))
    status, failed, warnings, results = look(connection, batch_id, "status, failed_items, warnings, results")
    assert (status, failed, results["without_answer"], results["answered"]) == ("completed", 25, 25, 5)
    assert warnings[0] == "25 of 30 sites have no answer and are left out of the totals; the first 20:"
    assert warnings[1:21] == [f"site {number} (S{number}): at sea" for number in range(5, 25)]
    assert any("defaults stand" in one for one in warnings[21:])
    assert "drought: failed at 1 sites" in warnings[21:]


def test_a_portfolio_without_any_answer_fails_with_the_reason(connection):
    batch_id = ask(connection, [site(0), site(1)])
    plan(connection, batch_id)
    end_chunk(connection, batch_id, 1, without=(0, 1), summary={"trace": "Traceback: why"})
    status, error, trace = look(connection, batch_id, "status, error_message, error_stack_trace")
    assert (status, error) == ("failed", "none of the 2 sites has an answer; first: site 0 (S0): at sea")
    assert trace == "Traceback: why"
    assert connection.execute("SELECT count(*) FROM current_run").fetchone() == (0,)


def test_a_failed_chunk_leaves_no_totals_and_nobody_hears_of_the_others_until_it_is_retried(connection):
    batch_id = ask(connection, [site(number) for number in range(4)])
    plan(connection, batch_id, most=2)
    end_chunk(connection, batch_id, 1, without=(1,))
    connection.execute("SELECT claim_chunk(%s, 2, 'w', '90 seconds')", (batch_id,))
    connection.execute("SELECT fail_chunk(%s, 2, 1, 'broken', 'trace', true)", (batch_id,))
    connection.commit()
    status, error, failed, results = look(connection, batch_id, "status, error_message, failed_items, results")
    assert (status, error, failed) == ("failed", "1 of 2 chunks failed; first: broken", 3)
    assert "totals" not in results
    assert connection.execute("SELECT count(*) FROM current_run").fetchone() == (0,)
    assert connection.execute(HISTORY).fetchall() == []

    assert connection.execute("SELECT retry_batch(%s)", (batch_id,)).fetchone() == (1,)
    connection.commit()
    end_chunk(connection, batch_id, 2)
    status, error, failed, results = look(connection, batch_id, "status, error_message, failed_items, results")
    assert (status, error, failed, results["answered"]) == ("completed", None, 1, 3)
    assert connection.execute("SELECT site_no FROM current_run").fetchall() == [(3,)]  # all at one place: the last
    assert connection.execute(HISTORY).fetchall() == [(batch_id,)] * 3


def test_a_cancelled_portfolio_speaks_for_no_place(connection):
    batch_id = ask(connection, [site(number) for number in range(4)])
    plan(connection, batch_id, most=2)
    end_chunk(connection, batch_id, 1)
    assert connection.execute("SELECT cancel_batch(%s)", (batch_id,)).fetchone() == (True,)
    connection.commit()
    assert connection.execute("SELECT count(*) FROM current_run").fetchone() == (0,)
    assert connection.execute(HISTORY).fetchall() == []
    waiting = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'risk_chunk'"
    assert connection.execute(waiting).fetchone()[0] <= 1


def test_whoever_wants_to_be_told_is_told_by_the_transaction_that_ends_it(connection):
    batch_id = ask(connection, [site()], notify={"webhook": "https://example.org/hook"})
    assert look(connection, batch_id, "input_params")["notify"] == ["webhook"]
    plan(connection, batch_id)
    told = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_webhook'"
    assert connection.execute(told).fetchone() == (0,)
    end_chunk(connection, batch_id, 1)
    assert connection.execute(told).fetchone() == (1,)


def test_a_yearly_batch_is_concluded_as_before(connection):
    (batch_id,) = connection.execute(
        "INSERT INTO batch_jobs (job_type) VALUES ('hazard') RETURNING batch_id"
    ).fetchone()
    connection.execute("SELECT plan_batch(%s, 5, '1', 'calibrated')", (batch_id,))
    status, results, warnings = look(connection, batch_id, "status, results, warnings")
    assert status == "completed"
    assert results == {
        "cells": 0, "skipped": 0, "rows": 0, "chunks": 0, "chunks_failed": 0, "compute_seconds": {},
    }  # fmt: skip
    assert warnings == ["no cell has climate data in what was asked for: nothing was computed"]


# --- reading ------------------------------------------------------------------------------------------------


def test_every_site_has_one_row_of_results_whatever_became_of_it(connection):
    batch_id = ask(connection, [site(0, asset_value=5e9), site(1, insurance_rate=0.5), site(2)], insurance_rate=0.1)
    plan(connection, batch_id, most=2)
    rows = "SELECT site_no, site_id, asset_value, insurance_rate, status, reason FROM portfolio_results(%s)"
    assert {row[4] for row in connection.execute(rows, (batch_id,))} == {"waiting"}
    end_chunk(connection, batch_id, 1, without=(0,))
    end_chunk(connection, batch_id, 2)
    assert connection.execute(rows, (batch_id,)).fetchall() == [
        (0, "S0", 5e9, 0.1, "failed", "at sea"),
        (1, "S1", None, 0.5, "ok", None),
        (2, "S2", None, 0.1, "ok", None),
    ]


def test_ten_thousand_sites_conclude_in_a_blink(connection):
    """A generous limit for a slow machine; measured: a quarter of a second."""
    batch_id = ask(connection, [{**SEOUL, "longitude": 125 + number / 2000} for number in range(10_000)])
    assert plan(connection, batch_id) == 40
    nine = [f"risk {number}" for number in range(9)]
    whole = summary_of(250, value=1e12)
    sums = whole["sums"]
    for part, names in (("by_risk", nine), ("high", nine), ("sum", ["a", "b"]), ("union", ["a", "b"])):
        template = next(iter(sums[part].values()))
        sums[part] |= dict.fromkeys(names, template)
    for chunk_no in range(1, 40):
        end_chunk(connection, batch_id, chunk_no, summary=whole)
    took = "SELECT extract(epoch FROM clock_timestamp() - %s)::float8"
    (before,) = connection.execute("SELECT clock_timestamp()").fetchone()
    end_chunk(connection, batch_id, 40, summary=whole)
    assert look(connection, batch_id, "status") == "completed"
    assert connection.execute("SELECT count(*) FROM current_run").fetchone() == (10_000,)
    assert connection.execute(took, (before,)).fetchone()[0] < 10
