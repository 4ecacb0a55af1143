"""`aiops logs`, and what a real daemon logs."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys

import psycopg
import pytest
from climate import CELLS, write_climate
from daemons import environment, running_daemon, wait_for

from aiops.grid import latitude_of, longitude_of
from aiops.settings import settings

REFUSED = """
CREATE FUNCTION refuse_by_the_test() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refused by the test' USING ERRCODE = 'data_exception';
END
$$;
CREATE TRIGGER refuse_by_the_test BEFORE INSERT OR UPDATE ON hazard_packed
    FOR EACH ROW WHEN (NEW.grid_id = 343000) EXECUTE FUNCTION refuse_by_the_test()
"""


def ended(watching, batch_id):
    row = watching.execute("SELECT status, completed_at FROM batch_jobs WHERE batch_id = %s", (batch_id,)).fetchone()
    return row[0] if row[1] is not None else None


@pytest.mark.daemon
def test_the_log_of_a_failed_chunk_is_found_from_its_batch_and_the_daemons_lines_say_what_they_are_about(
    aiops, connection, connect, database, tmp_path
):
    write_climate(connection, cells=CELLS[:4])
    watching = connect(autocommit=True)
    log = tmp_path / "daemon.log"
    with running_daemon(database, log, LOG_FORMAT="json", BATCH_SIZE="2"):
        insert = "INSERT INTO batch_jobs (job_type) VALUES (%s) RETURNING batch_id"
        (good,) = watching.execute(insert, ("probability",)).fetchone()
        wait_for(lambda: ended(watching, good) == "completed")
        watching.execute(REFUSED)
        (bad,) = watching.execute(insert, ("hazard",)).fetchone()
        wait_for(lambda: ended(watching, bad) == "failed")
        watching.execute("DROP TRIGGER refuse_by_the_test ON hazard_packed")
        code, text, _ = aiops("retry", str(bad))
        assert (code, "hazard: " in text) == (0, True)
        watching.execute(
            "UPDATE probability_packed SET probabilities = probabilities[1:2] WHERE risk_type = 'extreme_heat'"
        )
        place = (f"{latitude_of(CELLS[1]):.2f}", f"{longitude_of(CELLS[1]):.2f}")
        request = json.loads(aiops("request", *place, "--json")[1])["batch_id"]
    lines = [json.loads(line) for line in log.read_text().splitlines()]

    def about(event, batch_id):
        return [line for line in lines if line["event"] == event and line.get("batch_id") == str(batch_id)]

    (planned, *_) = about("batch planned", good)
    assert planned["step"] == "plan"
    assert planned["seconds"] >= 0
    for line in about("chunk done", good):
        assert line["chunk"] in {1, 2}
        assert line["seconds"] == pytest.approx(sum(line["seconds_by_step"].values()), abs=0.001)
        assert line["seconds_by_step"].keys() == {"read", "compute", "write"}
    (failure,) = about("chunk failed", bad)
    assert (failure["chunk"], failure["step"], failure["for_good"]) == (1, "write", True)
    assert failure["seconds"] > 0
    assert "refused by the test" in failure["exception"]
    assert socket.gethostname() in failure["process"]
    (of_risk,) = about("risk failed", request)
    assert of_risk["risk"] == "extreme_heat"
    assert {line["step"] for line in about("step ended", request)} >= {"exposure", "vulnerability", "aal"}
    assert about("request done", request)[0]["seconds"] > 0

    # A later attempt made it good; what went wrong is still told.
    code, text, _ = aiops("logs", str(bad)[:8], "--chunk", "1")
    assert code == 0
    assert "chunk 1: done" in text
    assert "its last failure, which a later attempt made good" in text
    assert "refused by the test" in text
    assert "step write" in text
    assert f"compute {socket.gethostname()}" in text


@pytest.fixture
def failed(connection):
    """A batch of which one chunk has failed."""
    write_climate(connection, cells=CELLS[:4])
    (batch_id,) = connection.execute(
        "INSERT INTO batch_jobs (job_type) VALUES ('hazard') RETURNING batch_id"
    ).fetchone()
    connection.execute("SELECT plan_batch(%s, 2, '1', 'calibrated')", (batch_id,))
    for chunk in (1, 2):
        connection.execute("SELECT claim_chunk(%s, %s, 'compute here 7', '90 seconds')", (batch_id, chunk))
    connection.execute(
        "UPDATE batch_chunks SET seconds = '{\"read\": 0.5}', trace = 'Traceback of the test' WHERE chunk_no = 2"
    )
    connection.execute("SELECT finish_chunk(%s, 1, 2, 0, '{\"read\": 0.5}')", (batch_id,))
    connection.execute("SELECT fail_chunk(%s, 2, 1, 'ValueError: of the test', 'Traceback', true)", (batch_id,))
    connection.commit()
    return str(batch_id)


def test_the_log_tells_steps_chunks_errors_and_traces(aiops, failed):
    code, text, _ = aiops("logs", failed)
    assert code == 0
    for told in (
        f"hazard {failed}: failed",
        "error: 1 of 2 chunks failed; first: ValueError: of the test",
        "plan                   completed",
        "chunks: 1 done (2 cells), 1 failed (2 cells)",
        "chunk 2: failed, 2 from 343002 to 343003; attempt 1, failures of its own 0, by compute here 7",
        "seconds: read 0.5",
        "    Traceback of the test",
    ):
        assert told in text
    data = json.loads(aiops("logs", failed, "--json")[1])
    assert [row["chunk_no"] for row in data["in_trouble"]] == [2]
    assert {row["step"] for row in data["logs"]} == {None, "plan", "chunk 2"}
    chunk = json.loads(aiops("logs", failed, "--chunk", "2", "--json")[1])
    assert (chunk["error"], chunk["worker"]) == ("ValueError: of the test", "compute here 7")


def test_following_a_batch_that_has_ended_ends(aiops, failed):
    code, text, _ = aiops("logs", failed, "--follow")
    assert code == 0
    assert text.count("plan  ") == 1
    assert "failed, " in text
    lines = [json.loads(line) for line in aiops("logs", failed, "-f", "--json")[1].splitlines()]
    assert lines[-1]["status"] == "failed"


@pytest.mark.daemon
def test_following_a_batch_tells_what_happens_until_its_end(database, connect, tmp_path):
    other = connect(autocommit=True)
    (batch_id,) = other.execute("INSERT INTO batch_jobs (job_type) VALUES ('test') RETURNING batch_id").fetchone()
    said = tmp_path / "said"
    with said.open("wb") as out:
        following = subprocess.Popen(
            [sys.executable, "-m", "workers.cli", "logs", str(batch_id), "--follow"],
            env=environment(database),
            stdout=out,
        )
    try:
        wait_for(lambda: "queued, 0 %" in said.read_text())
        other.execute(
            "UPDATE batch_jobs SET status = 'running', progress = 30, current_step = 'x' WHERE job_type = 'test'"
        )
        wait_for(lambda: "running, 30 %, x" in said.read_text())
        following.send_signal(signal.SIGINT)
        assert following.wait(120) == 0
    finally:
        following.kill()
        following.wait()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["logs", "nothing"], "batch 'nothing': no batch's number; allowed: a UUID such as"),
        (["logs", "00000000-0000-0000-0000-000000000000"], "there is none of that number; aiops batches lists them"),
        (["cancel", "0000"], "there is none of that number"),
        (["retry", "0000"], "there is none of that number"),
    ],
)
def test_a_number_that_nobody_has_is_refused_in_one_line(aiops, arguments, message):
    code, _, said = aiops(*arguments)
    assert (code, message in said, said.count("\n")) == (2, True, 1)


def test_what_has_ended_is_neither_cancelled_nor_has_chunks_that_it_has_not(aiops, failed):
    code, _, said = aiops("cancel", failed)
    assert (code, f"batch {failed}: it has ended (failed); only what waits or runs" in said) == (2, True)
    code, _, said = aiops("logs", failed, "--chunk", "9")
    assert (code, f"--chunk: 9; allowed for batch {failed}: 1 to 2" in said) == (2, True)
    with psycopg.connect(settings().conninfo()) as connection:
        connection.execute("UPDATE batch_jobs SET status = 'cancelled'")
    code, _, said = aiops("retry", failed)
    assert (code, "it has ended (cancelled); only what has failed can be retried" in said) == (2, True)
