"""Loaded by Python itself into every process that has this folder in PYTHONPATH: daemons can be told to poll rarely.

CHAOS_RARE_POLLS is a file. As long as it is there, a worker that nothing is announced to looks for jobs once a minute:
then what is announced and what is polled for cannot be confused, however slow the machine. Nothing else of the program
is changed.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import sys

SECONDS = 60.0


class Finder(importlib.abc.MetaPathFinder):
    """Lets the module be found and run as ever, and then exchanges its worker's pause."""

    def find_spec(self, name, path, target=None):
        if name != "procrastinate.worker":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            module.Worker.fetch_job_polling_interval = property(pause, keep_pause)

        spec.loader.exec_module = exec_module
        return spec


def pause(worker):
    return SECONDS if os.path.exists(os.environ["CHAOS_RARE_POLLS"]) else worker.own_pause  # noqa: PTH110 (as it starts)


def keep_pause(worker, seconds):
    worker.own_pause = seconds


if "CHAOS_RARE_POLLS" in os.environ:
    sys.meta_path.insert(0, Finder())
