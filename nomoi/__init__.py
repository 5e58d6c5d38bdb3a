"""nomoi: a laboratory for one question, how can we live together?

>>> import nomoi
>>> village = nomoi.govern(nomoi.Harvest(), nomoi.Levy(rate=2.0))

Names are loaded when they are first used, so that `nomoi --help` does not wait for JAX.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "govern": "nomoi.core",
    "Situation": "nomoi.core",
    "Institution": "nomoi.core",
    "Outcome": "nomoi.core",
    "Harvest": "nomoi.situations.harvest",
    "Berries": "nomoi.situations.berries",
    "Cleanup": "nomoi.situations.cleanup",
    "Mushrooms": "nomoi.situations.mushrooms",
    "Pool": "nomoi.situations.pool",
    "Matrix": "nomoi.situations.matrix",
    "Levy": "nomoi.institutions.levy",
    "Contract": "nomoi.institutions.contract",
    "Altar": "nomoi.institutions.altar",
    "Taboo": "nomoi.institutions.taboo",
    "Sanction": "nomoi.institutions.sanction",
    "rollout": "nomoi.core.rollout",
    "compare": "nomoi.runs.compare",
    "Refusal": "nomoi.errors",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"nomoi has no {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
