"""Programs: kept on this machine once they are compiled, and compiled without effort where they run for a moment."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from nomoi.runs import errand

MOMENT = 100_000  # world steps below which a program runs for a moment (ours)


def keep() -> None:
    """What is compiled here is not compiled again on this machine; a place that the caller chose for that stands."""
    if jax.config.jax_compilation_cache_dir:
        return
    with contextlib.suppress(OSError, RuntimeError):  # no home, or none that can be written: compiled anew
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nomoi" / "xla"
        home.mkdir(parents=True, exist_ok=True)
        jax.config.update("jax_compilation_cache_dir", str(home))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def single() -> None:
    """Products in whole single precision on every machine, so that a record is of the same arithmetic on all.

    A GPU's own choice rounds the factors to ten bits (TF32); a caller's choice stands.
    """
    if jax.config.jax_default_matmul_precision is None and jax.default_backend() != "cpu":
        jax.config.update("jax_default_matmul_precision", "float32")


def device() -> dict[str, Any]:
    """On what is computed here: on processors also with how many threads, by which XLA splits sums, and so rounds."""
    kind = jax.devices()[0].device_kind
    return {"device": kind} | ({"threads": errand.threads()} if jax.default_backend() == "cpu" else {})


def jit(function: Callable[..., Any], steps: int = 0) -> Any:
    """`jax.jit`, without effort where the program is of so few world steps that compiling it takes longer than it runs.

    On a CPU that costs a fifth to a third of the time to compile, and the program is four times as slow.
    """
    return jax.jit(function, compiler_options=_hurry() if steps <= MOMENT else None)


@lru_cache
def _hurry() -> dict[str, Any] | None:
    options = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
    if jax.default_backend() != "cpu":
        return None
    try:
        jax.jit(lambda: jnp.zeros(()), compiler_options=options).lower().compile()
    except Exception:  # a version of XLA that knows no such options
        return None
    return options
