"""The audit of a measure: a table with what is measured and what is meant, and which of Goodhart's four kinds it shows.

A measure P that stands in for a goal G fails in four ways once it is chosen by (Manheim & Garrabrant 2018): the best P
are lucky (regressional), what holds in the bulk does not hold at the top (extremal), pushing P does not move G
(causal), somebody games P (adversarial).  Two columns can show the first two.  The third takes rows in which P was
pushed, and the fourth who each row is from; without them the finding is *not enough given*.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nomoi.errors import Refusal
from nomoi.measure.statistics import number as short
from nomoi.proxies import tables
from nomoi.proxies.findings import FAIL, NOT_ENOUGH, PASS, WARN, Audit, Finding

Z = 1.96  # standard errors from which a difference is one
TOP = 0.9  # the quantile of the measure from which rows are on top (ours)
FEWEST, FEW = 100, 20  # rows in all and on top, below which nothing is said of the top (ours)
NEARLY = 0.95  # a correlation from which next to nothing is luck (ours)
HALF = 0.5  # of what pushing should bring by the slope, below which the measure is said not to move the goal (ours)
FEWER, OFTEN = 0.1, 2  # of the top the share that may be theirs; how much oftener than others who games is there (ours)
OURS = 5  # rows that somebody must have, to be said to game (ours)


@dataclasses.dataclass(frozen=True)
class Rows:
    """The table: proxy, goal [n]; actor [n] as the number of its name, and pushed [n] 0 or 1, where they are given."""

    title: str
    proxy: np.ndarray
    goal: np.ndarray
    actor: np.ndarray | None = None
    actors: Sequence[str] = ()
    pushed: np.ndarray | None = None
    dropped: int = 0


def load(path: str | Path, proxy: str, goal: str, actor: str = "", pushed: str = "", drop: bool = False) -> Rows:
    """The columns of a CSV; empty cells are refused, or with `drop` their rows are left out and counted."""
    for option, given, what in (("proxy", proxy, "is measured"), ("need", goal, "is meant")):
        if not given:
            names = ", ".join(tables.head(path)[1][:30])
            raise Refusal(f"--{option} is not given; name the column of what {what}, one of {names}.")
    names = [proxy, goal, *([pushed] if pushed else [])]
    if len(set(names)) < len(names):
        raise Refusal(f"{path}: {', '.join(names)} names a column twice; what is measured, meant and pushed differ.")
    table = tables.load(path, [*names, *([actor] if actor else [])])
    found = {name: tables.numbers(table[name], name, path) for name in names}
    words, codes = tables.levels(table[actor], actor, path) if actor else ((), None)
    empty = [np.isnan(v) for v in found.values()] + ([codes < 0] if codes is not None else [])
    lost = np.logical_or.reduce(empty)
    if lost.any() and not drop:
        raise Refusal(f"{path} has an empty cell in {int(lost.sum()):,} of {len(lost):,} rows; fill them, or leave "
                      "those rows out with --drop.")  # fmt: skip
    for name in (proxy, goal):
        if not (len(found[name][~lost]) and found[name][~lost].std()):
            raise Refusal(f"{path}: {name} is the same in all rows; a column that varies would be right.")
    if pushed and not set(np.unique(found[pushed][~lost])) <= {0.0, 1.0}:
        raise Refusal(
            f"{path}: {pushed} has other values than 0 and 1; 1 where somebody pushed {proxy} would be right."
        )
    if pushed and found[pushed][~lost].all():
        raise Refusal(f"{path}: {pushed} is 1 in all rows; some in which nobody pushed {proxy} would be right.")
    kept = lambda v: None if v is None else v[~lost]  # noqa: E731
    return Rows(Path(path).name, found[proxy][~lost], found[goal][~lost], kept(codes), words,
                kept(found.get(pushed)) if pushed else None, int(lost.sum()))  # fmt: skip


def audit(rows: Rows) -> Audit:
    """Which of the four kinds the rows are consistent with."""
    free = np.ones(len(rows.goal), bool) if rows.pushed is None else rows.pushed == 0
    line = _line(rows.proxy[free], rows.goal[free])
    adversarial, guilty = _adversarial(rows, free)
    honest = free & ~guilty  # who games is no bend of the goal
    findings = [_regressional(rows.proxy[free], rows.goal[free]), _extremal(rows.proxy[honest], rows.goal[honest]),
                _causal(rows, line), adversarial]  # fmt: skip
    notes = [
        f"{len(rows.goal):,} rows" + (f", of which {int((~free).sum()):,} were pushed." if not free.all() else ".")
    ]
    if guilty.any():
        notes.append(f"Whether the goal bends is asked of the {int(honest.sum()):,} rows of the others.")
    if rows.dropped:
        notes.append(f"{rows.dropped:,} rows were left out because a cell is empty.")
    kinds = [f.check for f in findings if f.status in (FAIL, WARN)]
    notes.append(f"The rows are consistent with: {', '.join(kinds) or 'none of the four'}.")
    if {"extremal", "adversarial"} & set(kinds) and rows.actor is None:
        notes.append("A bend at the top and somebody who games the measure look alike in two columns; --group, who "
                     "each row is from, tells them apart.")  # fmt: skip
    bins = np.quantile(rows.proxy[free], np.linspace(0, 1, 21))
    place = np.clip(np.searchsorted(bins, rows.proxy[free], "right") - 1, 0, 19)
    means = [[float(v[place == k].mean()) for v in (rows.proxy[free], rows.goal[free])] for k in np.unique(place)]
    return Audit("measure", rows.title, findings, {"twentieths": means, "slope": line[1]}, notes, {"means": means})


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Intercept and slope of y on x; a slope of 0 where x does not vary."""
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread else 0.0
    return float(y.mean()) - slope * float(x.mean()), slope


def _regressional(p: np.ndarray, g: np.ndarray) -> Finding:
    """Of what the best seem to be worth above the mean, the part that is luck: 1 - r^2 of the spread of P."""
    name, n = "regressional", len(p)
    if n < 4 or not (np.ptp(p) and np.ptp(g)):
        return Finding(name, NOT_ENOUGH, n, 4, "too few rows that vary", "more rows")
    r = float(np.clip(np.corrcoef(p, g)[0, 1], -1, 1))
    reach = Z / math.sqrt(n - 3)
    low, high = (math.tanh(math.atanh(np.clip(r, -0.999999, 0.999999)) + s * reach) for s in (-1, 1))
    told = (f"correlation {short(r)} [{short(low)}, {short(high)}]: who is k spreads above the mean in the measure is "
            f"about {short(r)} k above it in the goal")  # fmt: skip
    if low <= 0:
        advice = "the measure tells nothing of the goal" if high >= 0 else "more of the measure goes with less"
        return Finding(name, FAIL, r, "above 0", told, f"{advice}: choose by another")
    luck = "expect the best by the measure to be less good than they look, and choose by the shrunken value"
    return Finding(name, PASS if low >= NEARLY else WARN, r, NEARLY, told, "" if low >= NEARLY else luck)


def _extremal(p: np.ndarray, g: np.ndarray) -> Finding:
    """Whether the goal bends down in the measure, and whether its slope is below zero on top."""
    name, top = "extremal", p >= np.quantile(p, TOP)
    if len(p) < FEWEST or top.sum() < FEW or not np.ptp(p[top]):
        few = f"{len(p):,} rows, {int(top.sum())} of them on top"
        return Finding(name, NOT_ENOUGH, len(p), FEWEST, few, "more rows, of which some are far up in the measure")
    z = (p - p.mean()) / p.std()
    bend, error = _quadratic(z, g / g.std())
    slope, slope_error = _slope(p[top], g[top])
    scale = p.std() / g.std()
    told = (f"bend {short(bend)} +- {short(Z * error)} (squares of spreads); among the top tenth the slope is "
            f"{short(slope * scale)} +- {short(Z * slope_error * scale)} spreads")  # fmt: skip
    if slope + Z * slope_error < 0:
        return Finding(name, FAIL, slope * scale, 0, told, "on top more of the measure goes with less of the goal: "
                       "stop choosing by it before that")  # fmt: skip
    if bend + Z * error < 0:
        return Finding(name, WARN, bend, 0, told, "what the measure buys becomes less the further it is pushed")
    return Finding(name, PASS, bend, 0, told)


def _quadratic(z: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Coefficient of z^2 in y on 1, z, z^2, and its error, robust to unequal spread (HC1)."""
    x = np.stack([np.ones_like(z), z, z * z], 1)
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    rest, inverse = y - x @ beta, np.linalg.pinv(x.T @ x)
    cover = inverse @ (x.T * rest**2 @ x) @ inverse * len(y) / (len(y) - 3)
    return float(beta[2]), math.sqrt(max(cover[2, 2], 0.0))


def _slope(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope of y on x, and its error, robust to unequal spread (HC1)."""
    a, b = _line(x, y)
    far, rest = x - x.mean(), y - a - b * x
    spread = float((far**2).sum())
    return b, math.sqrt(float((far**2 * rest**2).sum()) * len(x) / (len(x) - 2)) / spread


def _causal(rows: Rows, line: tuple[float, float]) -> Finding:
    """Of what pushing the measure should bring the goal by the slope among others, how much came."""
    name = "causal"
    if rows.pushed is None:
        return Finding(name, NOT_ENOUGH, None, None, "nobody pushed the measure, so far as the columns tell",
                       "push it in rows drawn by lot, mark them 1 in a column, and give it by --pushed")  # fmt: skip
    on, off = rows.pushed == 1, rows.pushed == 0
    if min(on.sum(), off.sum()) < FEW:
        return Finding(name, NOT_ENOUGH, int(min(on.sum(), off.sum())), FEW, "too few rows pushed, or not", "more rows")
    moved, shift_error = _gap(rows.proxy, on, off)
    came, error = _gap(rows.goal, on, off)
    due = line[1] * moved
    if abs(moved) < Z * shift_error or not due:
        return Finding(name, NOT_ENOUGH, moved, None, "the pushed rows are no higher in the measure", "push harder")
    share, reach = came / due, Z * error / abs(due)
    told = (f"pushed rows have {short(moved)} more of the measure; the slope promises {short(due)} of the goal, and "
            f"{short(came)} +- {short(Z * error)} came")  # fmt: skip
    if share + reach < HALF:
        return Finding(name, FAIL, share, HALF, told, "the measure goes with the goal and does not move it: push what "
                       "moves both")  # fmt: skip
    if share + reach < 1:
        return Finding(name, WARN, share, 1, told, "pushing brings less than the slope promises")
    return Finding(name, PASS, share, 1, told + ", if it was drawn by lot who was pushed")


def _gap(v: np.ndarray, on: np.ndarray, off: np.ndarray) -> tuple[float, float]:
    """Difference of the means, and its error."""
    error = math.sqrt(v[on].var(ddof=1) / on.sum() + v[off].var(ddof=1) / off.sum())
    return float(v[on].mean() - v[off].mean()), error


def _adversarial(rows: Rows, free: np.ndarray) -> tuple[Finding, np.ndarray]:
    """Of the rows on top, the share of actors who are there too often and have less of the goal than the measure says.

    What the measure says is the line through the rows below the top.  Also [n] the rows of those actors.
    """
    name, nobody = "adversarial", np.zeros(len(rows.goal), bool)
    if rows.actor is None:
        told = "who each row is from is not told"
        return Finding(name, NOT_ENOUGH, None, None, told, "name that column by --group"), nobody
    p, g, actor = rows.proxy[free], rows.goal[free], rows.actor[free]
    top = p >= np.quantile(p, TOP)
    many = np.bincount(actor, minlength=len(rows.actors))
    judged = np.flatnonzero(many >= OURS)
    if len(p) < FEWEST or top.sum() < FEW or len(judged) < 2:
        few = f"{len(p):,} rows of {int((many > 0).sum()):,} actors, {len(judged)} with {OURS} or more"
        return Finding(name, NOT_ENOUGH, len(p), FEWEST, few, f"more rows of each, at least {OURS}"), nobody
    a, b = _line(p[~top], g[~top])
    rest, guilty = g - a - b * p, list[int]()
    for k in judged:
        mine = actor == k
        error = rest[mine].std(ddof=1) / math.sqrt(many[k])
        often = top[mine].mean() > OFTEN * top.mean()
        if often and rest[mine].mean() + _strict(len(judged), int(many[k])) * error < 0:
            guilty.append(int(k))
    share = float(np.isin(actor[top], guilty).mean())
    if not guilty:
        told = f"none of {len(judged)} actors is on top too often with less of the goal than the measure says"
        return Finding(name, PASS, share, FEWER, told), nobody
    who = ", ".join(rows.actors[k] for k in guilty[:5]) + (" and others" if len(guilty) > 5 else "")
    told = f"on top more than twice as often as others, with less of the goal than the measure says: {who}"
    advice = "look at what they do: a measure that is gamed needs one beside it that they cannot move"
    return Finding(name, FAIL if share > FEWER else WARN, share, FEWER, told, advice), np.isin(rows.actor, guilty)


def _strict(tests: int, rows: int) -> float:
    """Errors below zero from which a mean of `rows` is below it, where as many `tests` are made (Bonferroni)."""
    from scipy.special import stdtrit

    return float(stdtrit(rows - 1, 1 - 0.05 / tests))
