"""Loaded by Python itself into every process that has this folder in PYTHONPATH: poisons the computation of one cell.

CHAOS_POISON is `KIND:GRID_ID`; the kinds are the functions below. Nothing else of the program is changed.
"""

from __future__ import annotations

import ctypes
import importlib.abc
import importlib.util
import os
import re
import sys
import time


def segfault():
    ctypes.string_at(0)


def loop():
    while True:
        time.sleep(0.01)


def dawdle():
    time.sleep(4)


def hold_the_interpreter():
    # Backtracks for longer than the sun will shine, and gives no other thread a turn.
    re.match(r"(a+)+$", "a" * 64 + "b")


def eat_memory():
    eaten = []
    while True:
        eaten.append(bytearray(os.urandom(1) * (1 << 26)))


COMPUTED_BY = {"workers.yearly.chunk": "assess_block", "workers.ondemand.cell": "_assess"}
"""Where a block of cells is computed: for a batch, and for a request."""


class Poisoner(importlib.abc.MetaPathFinder):
    """Lets a module be found and run as ever, and then exchanges its function."""

    def __init__(self, module):
        self._module = module

    def find_spec(self, name, path, target=None):
        if name != self._module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            poison(module, COMPUTED_BY[name])

        spec.loader.exec_module = exec_module
        return spec


def poison(module, function):
    kind, cell = os.environ["CHAOS_POISON"].split(":")
    healthy = getattr(module, function)

    def assess(block, *rest):
        if int(cell) in block.grid_ids:
            globals()[kind]()
        return healthy(block, *rest)

    setattr(module, function, assess)


if "CHAOS_POISON" in os.environ:
    sys.meta_path[:0] = [Poisoner(name) for name in COMPUTED_BY]
