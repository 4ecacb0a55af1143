"""Ends what a test run started, whatever ends the run: a last test, Ctrl-C, a crash, kill -9.

Runs beside the tests until its standard input closes. A line is `+PID` or `-PID`: a process to end, or one that
has ended by itself.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import psutil


class Guardian:
    """The tests' end of it."""

    def __init__(self, folder, postgres):
        self._process = subprocess.Popen(
            [sys.executable, __file__, folder, postgres], stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def watch(self, pid):
        self._tell(f"+{pid}")

    def forget(self, pid):
        self._tell(f"-{pid}")

    def end(self):
        self._process.communicate()

    def _tell(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


def main(folder, postgres):
    from aiops.db.embedded import EmbeddedServer

    watched = {}
    for line in sys.stdin:
        pid = int(line[1:])
        if line[0] == "-":
            watched.pop(pid, None)
        elif psutil.pid_exists(pid):
            watched[pid] = psutil.Process(pid)
    for process in watched.values():
        if process.is_running():  # the same process, not another one of that number
            family = [process, *process.children(recursive=True)]
            for one in family:
                one.kill()
    server = EmbeddedServer(folder / "server", postgres)
    if server.home.data.is_dir():
        server.stop("immediate")
    for place in (server.home.folder, folder):
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
