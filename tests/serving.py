"""`aiops serve` as a real process, and asking it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from daemons import environment, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Api:
    """A server that answers."""

    url: str
    process: subprocess.Popen
    log: Path

    def client(self, **options) -> httpx.Client:
        """One that asks it: without the environment's proxy, and without certificates, which take long to read."""
        return httpx.Client(base_url=self.url, trust_env=False, verify=False, **{"timeout": 30, **options})


@contextmanager
def running_api(database, log, **settings) -> Iterator[Api]:
    """The process, at a free port; asked to end at the end."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.cli", "serve", "--port", "0"],
            env=environment(database, **{"LOG_FORMAT": "json", **settings}),
            stdout=said,
            stderr=said,
        )
    try:

        def url():
            assert process.poll() is None, log.read_text()
            found = re.search(r'\burl(?:": "|=)(http://[^"\s]+?)/?["\s]', log.read_text())
            return found and found[1]

        yield Api(wait_for(url, 60), process, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def events_of(client: httpx.Client, batch_id: str, **headers) -> list[dict]:
    """All states that the stream of a batch tells, to its end."""
    with client.stream("GET", f"/api/batch/{batch_id}/events", headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        return [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]


class Reader(threading.Thread):
    """Reads a stream beside the test."""

    def __init__(self, api: Api, batch_id: str) -> None:
        super().__init__(daemon=True)
        self._api, self._batch_id = api, batch_id
        self.lines: list[str] = []
        self.ended = False
        self.start()

    def run(self) -> None:
        path = f"/api/batch/{self._batch_id}/events"
        # A server that goes away in the middle ends a stream, too; `ended` is said of a good end alone.
        with suppress(httpx.HTTPError), self._api.client(timeout=None) as client, client.stream("GET", path) as answer:
            for line in answer.iter_lines():
                self.lines.append(line)
            self.ended = True

    @property
    def states(self) -> list[dict]:
        return [json.loads(line[6:]) for line in list(self.lines) if line.startswith("data: ")]
