"""Loaded by Python itself into every process that has this folder in PYTHONPATH: poisons the chunks of one cell.

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


class Poisoner(importlib.abc.MetaPathFinder):
    """Lets the module be found and run as ever, and then exchanges its function."""

    def find_spec(self, name, path, target=None):
        if name != "workers.yearly.chunk":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            poison(module)

        spec.loader.exec_module = exec_module
        return spec


def poison(module):
    kind, cell = os.environ["CHAOS_POISON"].split(":")
    healthy = module.assess_block

    def assess(block, *rest):
        if int(cell) in block.grid_ids:
            globals()[kind]()
        return healthy(block, *rest)

    module.assess_block = assess


if "CHAOS_POISON" in os.environ:
    sys.meta_path.insert(0, Poisoner())
