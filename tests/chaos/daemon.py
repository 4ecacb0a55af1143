"""Real daemons: `aiops worker` as processes, found by what they do, and asked what they said."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import psutil
from daemons import environment

STOP_SECONDS = 40
"""A daemon that takes longer than this to stop is a failure; it promises 25."""


class Daemon:
    """One daemon. It is not started again when its parent ends, unless `keep` is called again and again."""

    def __init__(self, guardian, database, log, **settings):
        self._guardian = guardian
        self.log = log
        self._environment = environment(database, **{"LOG_FORMAT": "json", "LOG_LEVEL": "info", **settings})
        self.process = None
        self.starts = 0
        self.start()

    def start(self):
        """Start it, or start it again."""
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workers"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        self._guardian.watch(self.process.pid)
        self.starts += 1

    def keep(self):
        """Start it again if its parent has ended, as an init system would."""
        if self.process.poll() is not None:
            self._guardian.forget(self.process.pid)
            self.start()

    def is_running(self):
        return self.process.poll() is None

    def family(self):
        """The parent and its living processes."""
        if not self.is_running():
            return []
        try:
            parent = psutil.Process(self.process.pid)
            return [parent, *(one for one in parent.children(recursive=True) if is_alive(one))]
        except psutil.NoSuchProcess:
            return []

    def processes(self, role):
        """Its living processes of a role: `control`, `compute`."""
        return [one for one in self.family() if role in arguments_of(one)]

    def stop(self, seconds=STOP_SECONDS):
        """SIGTERM, and wait for its end; its exit code."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def end(self):
        """End all of it at once, whatever state it is in."""
        family = self.family()
        for one in family:
            one.kill()
        self.process.wait(STOP_SECONDS)
        psutil.wait_procs(family, 5)
        self._guardian.forget(self.process.pid)

    def lines(self):
        """What it has logged, as dictionaries; lines that are no JSON (a dying process's trace) as their text."""
        said = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                said.append(json.loads(line))
            except ValueError:
                said.append({"event": line})
        return said

    def said(self, text):
        """The lines whose event holds a text."""
        return [line for line in self.lines() if text in str(line.get("event"))]


def arguments_of(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def is_alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def freeze(process):
    """SIGSTOP a process, and wait until it stands."""
    process.suspend()
    deadline = time.monotonic() + 60
    while process.status() not in {psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP}:
        assert time.monotonic() < deadline, "the process does not stop"
        time.sleep(0.01)
