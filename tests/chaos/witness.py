"""Somebody who listens to the progress of everything, and remembers it."""

from __future__ import annotations

import json
import threading
import time

import psycopg


class Witness:
    """Listens in a thread of its own, over as many sessions as it takes; `end` ends it."""

    def __init__(self, rig):
        self._rig = rig
        self._heard = []
        self._asked_to_stop = threading.Event()
        self._listens = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="witness", daemon=True)
        self._thread.start()
        assert self._listens.wait(120)

    def end(self):
        """Stop listening."""
        self._asked_to_stop.set()
        self._thread.join(10)

    def stop(self):
        """Stop listening, and write down what was heard where the check of the invariants finds it."""
        self.end()
        columns = [list(column) for column in zip(*self._heard, strict=True)] or [[], [], [], []]
        self._rig.watch.execute(
            "INSERT INTO chaos.heard (batch_id, status, progress, crashes)"
            " SELECT * FROM unnest(%s::uuid[], %s::text[], %s::integer[], %s::integer[])",
            columns,
        )

    def _listen(self):
        while not self._asked_to_stop.is_set():
            crashes = self._rig.crashes  # what this session hears was told before the next crash
            try:
                with self._rig.server.connect(self._rig.database, application_name="witness") as own:
                    own.execute("LISTEN aiops_progress")
                    self._listens.set()
                    while not self._asked_to_stop.is_set():
                        for notification in own.notifies(timeout=0.2):
                            told = json.loads(notification.payload)
                            self._heard.append((told["batch_id"], told["status"], told["progress"], crashes))
            except psycopg.Error:
                time.sleep(0.1)
