"""Generated requests over the OpenAPI document: no fault, and nothing that the document does not say."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import psycopg
import pytest
from asking import SEOUL, compute, copied_database, write_inputs
from serving import running_api

from aiops.grid import grid_id_of
from aiops.report import words
from aiops.settings import settings
from workers.api.shapes import BATCH_ID, SCHEMAS

CASES = int(os.environ.get("AIOPS_HTTP_CASES", "100"))
"""`make test-http` takes 2,000."""
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,negative_data_rejection"
)
PHASES = "examples,fuzzing" if CASES <= 100 else "examples,coverage,fuzzing"
LEFT_OUT = ["/api/batch/{batch_id}/events"]
"""A stream of a batch that nobody computes does not end."""


@pytest.fixture(scope="module")
def api(migrated_server, server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("schema")
    with pytest.MonkeyPatch.context() as patch, copied_database(migrated_server, server, "api_schema") as database:
        patch.chdir(folder)
        settings.cache_clear()
        patch.setenv("DATABASE_URL", database)
        with psycopg.connect(database) as connection:
            write_inputs(connection, 1)
        with psycopg.connect(database, autocommit=True) as connection:
            compute(connection, [grid_id_of(*SEOUL)])
            connection.execute("INSERT INTO batch_jobs (batch_id, job_type) VALUES (%s, 'test')", (BATCH_ID,))
        settings.cache_clear()
        with running_api(database, folder / "api.log", API_RATE_LIMIT="0", LOG_LEVEL="info") as one:
            yield one


def test_generated_requests_find_no_fault_and_nothing_undocumented(api, tmp_path):
    with api.client() as client:
        document = client.get("/openapi.json").json()
    operations = sum(len(one) for path, one in document["paths"].items() if path not in LEFT_OUT)
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{api.url}/openapi.json",
            "--checks", CHECKS, "--phases", PHASES, "--mode", "all",
            "--seed", os.environ.get("AIOPS_SEED", "1"),
            "--max-examples", str(CASES // operations + CASES // 50), "--suppress-health-check", "all", "--no-color",
            "--generation-database", "none", "--request-timeout", "20",
            *(part for path in LEFT_OUT for part in ("--exclude-path", path)),
        ],
        capture_output=True, text=True, timeout=1500, check=False, cwd=tmp_path,
        env={**os.environ, "NO_PROXY": "*", "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    generated = re.search(r"(\d[\d,]*) generated", said)
    assert generated is not None, said[-3000:]
    assert int(generated[1].replace(",", "")) >= CASES
    assert "request failed" not in api.log.read_text()


def test_every_endpoint_is_described_with_its_errors_and_what_is_asked_has_examples(api):
    with api.client() as client:
        document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            assert one["summary"], path
            assert all("Error" not in str(content) for content in one["responses"].values()), path
            if path.startswith("/api/"):
                assert {"401", "429", "503"} <= one["responses"].keys(), path
                assert "application/problem+json" in one["responses"]["503"]["content"]
            if method == "post" and "requestBody" in one:
                assert one["requestBody"]["content"]["application/json"]["examples"]
    for name in (
        "/api/risk/calculate", "/api/portfolio", "/api/batches", "/api/results", "/api/overview", "/healthz", "/readyz",
        "/metrics",
    ):  # fmt: skip
        assert name in document["paths"]


def test_the_document_names_what_the_database_names_in_its_order(connection):
    def listed(query):
        return [name for (name,) in connection.execute(query)]

    risks = listed("SELECT risk_type FROM risk_type ORDER BY position")
    levels = "SELECT score_level(score) FROM generate_series(0, 100) AS score GROUP BY 1 ORDER BY min(score)"
    result_statuses = listed("SELECT result_status_name(code::smallint) FROM generate_series(1, 5) AS code")
    row = SCHEMAS["Results"]["properties"]["hazard"]["items"]["properties"]
    batch = SCHEMAS["Status"]["properties"]
    assert row["risk_type"]["enum"] == risks == list(words.RISKS)
    assert row["scenario"]["enum"] == listed("SELECT scenario FROM scenario ORDER BY position")
    assert row["horizon"]["enum"] == listed("SELECT horizon FROM horizon ORDER BY position")
    assert row["status"]["enum"] == [*result_statuses, "absent"]
    assert row["hazard_level"]["enum"] == [*listed(levels), None]
    assert set(batch["job_type"]["enum"]) == set(listed("SELECT job_type FROM job_type"))
    (allowed,) = connection.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'batch_jobs'::regclass AND contype = 'c' AND conname LIKE '%status%'"
    ).fetchone()
    assert batch["status"]["enum"] == re.findall(r"'([a-z]+)'", allowed)
