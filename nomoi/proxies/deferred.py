"""An expression walked once, for those who compute it ten thousand times.

The parser's own walk is given what is yet to come in place of numbers, and NumPy's functions put off in place of NumPy:
what it returns is then a closure.  Numbers that it meets are computed while it walks.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nomoi.proxies.expression import Expression

Run = Callable[[Any], Any]  # rows of numbers [names, ...] -> [...]


def deferred(expression: Expression, names: Sequence[str], constants: Mapping[str, float]) -> Run:
    """A function of rows s [names, ...] that gives what the expression gives where names[i] is s[i]."""
    values = {name: Later(operator.itemgetter(i)) for i, name in enumerate(names)}
    value = expression({**values, **constants}, _NumPy())
    run = value.run if isinstance(value, Later) else lambda _: value

    def compute(s: Any) -> Any:
        with np.errstate(all="ignore"):  # what is not finite is refused by whoever asked
            return run(s)

    return compute


class Later:
    """A number that is known once there are rows: `run` takes them."""

    def __init__(self, run: Run):
        self.run = run

    def __add__(self, other: Any) -> Later:
        return _put_off(operator.add, self, other)

    def __radd__(self, other: Any) -> Later:
        return _put_off(operator.add, other, self)

    def __sub__(self, other: Any) -> Later:
        return _put_off(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Later:
        return _put_off(operator.sub, other, self)

    def __mul__(self, other: Any) -> Later:
        return _put_off(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Later:
        return _put_off(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Later:
        return _put_off(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Later:
        return _put_off(operator.truediv, other, self)

    def __pow__(self, other: Any) -> Later:
        return _put_off(operator.pow, self, other)

    def __rpow__(self, other: Any) -> Later:
        return _put_off(operator.pow, other, self)

    def __neg__(self) -> Later:
        return _put_off(operator.neg, self)

    def __lt__(self, other: Any) -> Later:
        return _put_off(operator.lt, self, other)

    def __le__(self, other: Any) -> Later:
        return _put_off(operator.le, self, other)

    def __gt__(self, other: Any) -> Later:
        return _put_off(operator.gt, self, other)

    def __ge__(self, other: Any) -> Later:
        return _put_off(operator.ge, self, other)

    def __eq__(self, other: Any) -> Later:  # type: ignore[override]
        return _put_off(operator.eq, self, other)

    def __ne__(self, other: Any) -> Later:  # type: ignore[override]
        return _put_off(operator.ne, self, other)

    __hash__ = None  # type: ignore[assignment]


class _NumPy:
    """NumPy's functions, each put off where one of its arguments is; at once where none is."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        f = getattr(np, name)
        return lambda *args: _put_off(f, *args) if any(isinstance(a, Later) for a in args) else f(*args)


def _put_off(f: Callable[..., Any], *args: Any) -> Later:
    """f of args, some of which are yet to come."""
    runs = [a.run if isinstance(a, Later) else _always(a) for a in args]
    if len(runs) == 1:
        (one,) = runs
        return Later(lambda s: f(one(s)))
    if len(runs) == 2:
        left, right = runs
        return Later(lambda s: f(left(s), right(s)))
    return Later(lambda s: f(*[run(s) for run in runs]))


def _always(number: Any) -> Run:
    """NumPy's number, so that a power or a quotient of it is NumPy's too; one that is not real is not a number."""
    kept = np.float64(np.nan) if isinstance(number, complex) else np.float64(number)
    return lambda _: kept
