"""Files that commands write: whole or not at all, and never in place of a device."""

from __future__ import annotations

import os
import resource
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from aiops.errors import BadInput, CannotWrite
from workers.cli.whole_file import refuse_place, write_whole


@contextmanager
def small_disk(size):
    """No file may become larger than so many bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path):
    file = tmp_path / "out.csv"
    with write_whole(file, force=False) as unfinished:
        unfinished.write_text("whole")
        assert not file.exists()
    assert file.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [file]


def test_a_disk_that_is_full_leaves_what_was_there_and_is_not_the_users_fault(tmp_path):
    file = tmp_path / "out.csv"
    file.write_text("before")
    with (
        pytest.raises(CannotWrite, match=r"out\.csv cannot be written"),
        small_disk(1000),
        write_whole(file, force=True) as unfinished,
    ):
        unfinished.write_bytes(b"x" * 5000)
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("command", ["export", "portfolio", "report"])
def test_a_device_is_not_replaced_by_a_file(aiops, tmp_path, command):
    sites = tmp_path / "sites.csv"
    sites.write_text("site_id,latitude,longitude\na,37.5,127\n")
    ask = {
        "export": ["export", "risk", "-o", "/dev/null", "--force"],
        "portfolio": ["portfolio", sites, "--out", "/dev/null"],
        "report": ["report", "place", "37.5", "127", "-o", "/dev/null", "--force"],
    }
    code, _, said = aiops(*ask[command])
    assert (code, "/dev/null is no place for a file" in said) == (2, True)
    assert Path("/dev/null").is_char_device()


def test_a_place_in_no_folder_or_that_is_taken_is_refused(tmp_path):
    (tmp_path / "taken").touch()
    for place, force in (("taken", False), ("nowhere/file", True), (".", True)):
        with pytest.raises(BadInput, match="--out"):
            refuse_place(tmp_path / place, force=force)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may take another account's place")
def test_a_folder_that_the_account_may_not_write_to_is_refused(open_folder):
    os.seteuid(65534)
    try:
        with pytest.raises(BadInput, match="this account may not write to"):
            refuse_place(open_folder / "out.csv", force=False)
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_portfolio_never_takes_the_place_of_its_sites(aiops, tmp_path, force):
    sites = tmp_path / "sites.csv"
    sites.write_text("site_id,latitude,longitude\na,37.5,127\n")
    (tmp_path / "same.csv").symlink_to(sites)
    for out in (sites, tmp_path / "same.csv"):
        code, _, said = aiops("portfolio", sites, "--out", out, *force)
        assert (code, "is the file of the sites itself; allowed: another file" in said) == (2, True)
    assert sites.read_text().startswith("site_id,latitude")


def test_a_portfolio_overwrites_a_file_only_by_force(aiops, connection, tmp_path):
    sites, kept = tmp_path / "sites.csv", tmp_path / "keep.csv"
    sites.write_text("site_id,latitude,longitude\na,37.5,127\n")
    kept.write_text("mine")
    code, _, said = aiops("portfolio", sites, "--out", kept)
    assert (code, "keep.csv is there already; --force overwrites it" in said) == (2, True)
    assert kept.read_text() == "mine"
    assert connection.execute("SELECT count(*) FROM batch_jobs").fetchone() == (0,)
