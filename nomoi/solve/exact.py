"""Payoffs as exact numbers: what a payoff stands for, which payoffs are alike, and linear equations in whole numbers.

Kernel of the solvers of one-shot games.  No tolerance here is a share of the range of all payoffs: beside a payoff of
-1e10, what differs by 1 would then count as alike, and what is no equilibrium as one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

ULPS = 4  # units in the last place within which two payoffs are alike, unless both are whole: dust of sums (ours)
FEW = 2.0**40  # what has no more binary digits is taken as it is: a binary fraction, not a rounded one (ours)
# simple fractions have denominators that divide one of these: all up to 10, six decimals and all up to 16, primes to 31
DENOMINATORS = (2520, 9 * 7 * 11 * 13 * 10**6, 720 * 17 * 19 * 23 * 29 * 31)


def tidy(payoff: np.ndarray) -> np.ndarray:
    """The payoffs [...] of one player, those that are alike made equal: 0.1 + 0.2 becomes 0.3 if 0.3 is there too."""
    if (payoff == np.trunc(payoff)).all():
        return payoff
    values, place = np.unique(payoff, return_inverse=True)
    whole = values == np.trunc(values)
    unit = np.spacing(np.maximum(np.abs(values[1:]), np.abs(values[:-1])))
    near = (np.diff(values) <= ULPS * unit) & ~(whole[1:] & whole[:-1])
    if not near.any():
        return payoff
    group = np.append(0, np.cumsum(~near))
    for g in np.unique(group[1:][near]):
        alike = np.flatnonzero(group == g)  # the one that is written shortest stands for all
        values[alike] = min(values[alike].tolist(), key=lambda v: (not v.is_integer(), len(repr(v))))
    return values[place].reshape(payoff.shape)


def fractions(values: Sequence[float] | np.ndarray) -> list[Fraction]:
    """What numbers stand for: 0.1 a tenth, 1/3 a third; what is near no simple fraction stands for itself."""
    values = np.asarray(values, np.float64)
    top, bottom, power = _simple(values)
    parts = zip(*map(np.ndarray.tolist, (values, top, bottom, power)), strict=True)
    return [Fraction(int(p), q) * Fraction(2) ** e if q else Fraction(v) for v, p, q, e in parts]


def _simple(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(p, q, e) so that p / q * 2^e is a simple fraction near each value; q is 0 where there is none.

    Fractions times a power of two are seen as well, so that the unit of payoffs may be changed by one.
    """
    mantissa, power = np.frexp(values)
    plain = (values == np.trunc(values)) | (mantissa * FEW % 1 == 0)
    top, bottom, shift = np.zeros_like(values), np.zeros(values.shape, np.int64), np.zeros_like(power)
    for near, exponent in ((values, np.zeros_like(power)), (mantissa, power)):
        floor, unit = np.floor(near), np.spacing(np.abs(near))
        for d in DENOMINATORS:
            parts = (near - floor) * d
            p = np.rint(parts)
            slack = 2 * unit * d
            hit = ~plain & (bottom == 0) & (slack < 1e-3) & (np.abs(parts - p) <= slack) & (np.abs(floor) * d < 2.0**52)
            top[hit], bottom[hit], shift[hit] = (floor * d + p)[hit], d, exponent[hit]
    return top, bottom, shift


def whole(table: np.ndarray) -> tuple[list[list[int]], Fraction]:
    """One player's tidied payoffs [m, n] as whole numbers, and the unit by which they are to be multiplied."""
    if (table == np.trunc(table)).all() and np.abs(table).max() < 2**53:
        return table.astype(np.int64).tolist(), Fraction(1)
    values, place = np.unique(table, return_inverse=True)
    if _simple(values)[1].any():
        exact = fractions(values)
        unit = math.lcm(*(f.denominator for f in exact))
        numbers, scale = [int(f * unit) for f in exact], Fraction(1, unit)
    else:
        mantissa, power = np.frexp(values)
        least = int(power[values != 0].min())
        digits = (mantissa * 2.0**53).astype(np.int64).tolist()
        numbers = [d << e - least if d else 0 for d, e in zip(digits, power.tolist(), strict=True)]
        scale = Fraction(2) ** (least - 53)
    return np.array(numbers, object)[place.reshape(table.shape)].tolist(), scale


def balance(*terms: float) -> int:
    """The sign of a sum, 0 where it is 0 but for rounding of its terms: 2 units in the last place for each of them.

    Sums of whole numbers are exact.
    """
    total = sum(map(Fraction, terms))
    slack = 0 if all(t.is_integer() for t in terms) else 2 * len(terms) * Fraction(math.ulp(max(map(abs, terms))))
    return (total > slack) - (total < -slack)


def null(rows: Sequence[Sequence[int]], width: int) -> list[int] | None:
    """The solution [width] of rows @ x = 0 in whole numbers, but for a factor; [] if only 0 is, None if many are.

    By elimination without fractions (Bareiss 1968), so that numbers stay as short as determinants are.
    """
    left = [list(row) for row in rows]
    done, before, free, at = 0, 1, -1, []
    for column in range(width):
        lead = next((k for k in range(done, len(left)) if left[k][column]), None)
        if lead is None:
            if free >= 0:
                return None
            free = column
            continue
        left[done], left[lead] = left[lead], left[done]
        top = left[done]
        pivot = top[column]
        for k, row in enumerate(left):
            if k != done:
                factor = row[column]
                left[k] = [(pivot * x - factor * y) // before for x, y in zip(row, top, strict=True)]
        before, done = pivot, done + 1
        at.append(column)
    if free < 0:
        return []
    out = [0] * width
    out[free] = before
    for k, column in enumerate(at):
        out[column] = -left[k][free]
    return out if before > 0 else [-x for x in out]
