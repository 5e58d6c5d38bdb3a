"""Packages that are imported only when a solver needs them, and how long that took: solving is timed without it."""

from __future__ import annotations

import importlib
import time
from typing import Any

spent = 0.0  # seconds so far


def module(name: str) -> Any:
    """The module of that name, imported now if it was not before."""
    global spent
    begun = time.perf_counter()
    try:
        return importlib.import_module(name)
    finally:
        spent += time.perf_counter() - begun
