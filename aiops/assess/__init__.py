"""Probability and hazard of any risk on a block of cells."""

from typing import Final

METHOD_VERSION: Final = "2"
"""Part of every result's hash: raised whenever the same input may give other numbers."""
