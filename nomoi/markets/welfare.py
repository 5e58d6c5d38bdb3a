"""The two welfare theorems, as computations on a given allocation.

First: with non-satiation and prices that all take as given, a competitive equilibrium is Pareto optimal; no convexity
is needed.
It need not maximise the sum of utilities: it maximises a weighted sum, each weight being one over the marginal
utility of
income (Negishi 1960), and where utilities are quasi-linear and nobody is at a corner, the plain sum.
Second: with convexity each Pareto optimum is an equilibrium after transfers, unless somebody is left with no more
than the
least wealth there is (Arrow's exceptional case, 1951).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from nomoi.errors import Refusal
from nomoi.markets import programs
from nomoi.markets.clearing import netputs
from nomoi.markets.economy import Economy, convex
from nomoi.markets.technologies import Activities
from nomoi.markets.utilities import Leontief
from nomoi.markets.verify import Certificate, verify

NOISE = 1e-5  # gains that a convex program finds where there are none (ours): roots of its rounding, 1e-10


@dataclasses.dataclass(frozen=True, eq=False)
class Improvement:
    """gains [consumers]: how much better all could be off at once, in the logarithm of utility (homothetic) or in units
    of the good that money is (quasi-linear); `total` their sum; `better` [consumers, goods] how."""

    gains: np.ndarray
    better: np.ndarray

    @property
    def total(self) -> float:
        return float(self.gains.sum())

    @property
    def optimal(self) -> bool:
        """Whether nobody can be made better off without making another worse off, as far as the program can tell."""
        return self.total <= NOISE

    def data(self) -> dict[str, object]:
        return {
            "optimal": self.optimal,
            "total": self.total,
            "gains": self.gains.tolist(),
            "better": self.better.tolist(),
        }


@dataclasses.dataclass(frozen=True, eq=False)
class Transfers:
    """prices [goods] sum to one; amounts [consumers] in these units, which sum to 0; the certificate of the target.

    supported   whether the target is an equilibrium under them;  why   if not
    """

    prices: np.ndarray
    amounts: np.ndarray
    certificate: Certificate
    why: str = ""

    @property
    def supported(self) -> bool:
        return self.certificate.holds

    def data(self) -> dict[str, object]:
        return {
            "prices": self.prices.tolist(),
            "transfers": self.amounts.tolist(),
            "supported": self.supported,
            "why": self.why,
            "certificate": self.certificate.data(),
        }


def allotted(economy: Economy, allocation: np.ndarray) -> np.ndarray:
    """An allocation [consumers, goods], checked for shape and sign."""
    x = np.asarray(allocation, float)
    if x.shape != economy.endowments.shape or not np.isfinite(x).all() or (x < 0).any():
        raise Refusal(
            f"an allocation of {economy.title} has {len(economy.consumers)} rows of {economy.l} amounts of 0 or more."
        )
    return x


def improvement(economy: Economy, allocation: np.ndarray) -> Improvement:
    """The largest sum of gains, none below 0, that can be made of what there is: a convex program.

    0 if and only if the allocation is Pareto optimal.  What uses more than there is gets a `Refusal`.
    """
    x, cp = allotted(economy, allocation), programs.cvxpy()
    if economy.exchange and (x.sum(0) > economy.supply * (1 + 1e-6) + 1e-12).any():
        raise Refusal(
            f"the allocation uses more than {economy.title} has: {x.sum(0).tolist()} of {economy.supply.tolist()}."
        )
    plan = programs.plan(economy)
    gains = cp.Variable(len(x), nonneg=True)
    limits = list(plan.limits)
    have = np.array([programs.at(c.utility, row) for c, row in zip(economy.consumers, x, strict=True)])
    for i, c in enumerate(economy.consumers):
        if np.isfinite(have[i]):  # who has nothing at all would gain without end in logarithms
            limits.append(programs.level(c.utility, cp.multiply(plan.x[i], economy.scale)) >= have[i] + gains[i])
        else:
            limits.append(gains[i] == 0)
    programs.solve(cp.Problem(cp.Maximize(cp.sum(gains)), limits), economy)
    found, better = np.maximum(gains.value, 0.0), np.maximum(plan.x.value, 0.0) * economy.scale
    real = np.array([programs.at(c.utility, better[i]) - have[i] for i, c in enumerate(economy.consumers)])
    if (np.where(np.isfinite(have), found - real, 0.0) > 1e-3 * (1 + found)).any():
        raise Refusal(f"the convex program of {economy.title} was not solved: what it says is better is not.")
    return Improvement(found, better)


def optimum(economy: Economy, weights: np.ndarray) -> np.ndarray:
    """The allocation [consumers, goods] that maximises a weighted sum of utilities (their logarithms where homothetic).

    Where all are homothetic it is an equilibrium in which each owns a part of everything as large as its weight, and is
    computed as that; otherwise by a convex program, good to about 1e-5.
    """
    parts = np.asarray(weights, float) / np.sum(weights)
    if all(c.utility.homothetic for c in economy.consumers):
        owners = tuple(
            dataclasses.replace(c, endowment=part * economy.supply, shares=np.full(len(economy.producers), part))
            for c, part in zip(economy.consumers, parts, strict=True)
        )
        found = dataclasses.replace(economy, consumers=owners).equilibria()
        if len(found):
            return found[0].allocation
    cp, plan = programs.cvxpy(), programs.plan(economy)
    goal = sum(
        w * programs.level(c.utility, cp.multiply(plan.x[i], economy.scale))
        for i, (c, w) in enumerate(zip(economy.consumers, weights, strict=True))
    )
    programs.solve(cp.Problem(cp.Maximize(goal), plan.limits), economy)
    return np.maximum(plan.x.value, 0.0) * economy.scale


def supporting(economy: Economy, target: np.ndarray) -> np.ndarray:
    """Prices [goods] at which nobody would leave the target.

    From marginal rates of substitution and from processes that run, where these settle all prices; else the dual
    values of a program that looks for how much could be spared with all as well off.
    """
    known = _settled(economy, target)
    if known is not None:
        return known
    cp, plan = programs.cvxpy(), programs.plan(economy)
    limits, spare = list(plan.limits[:-1]), cp.Variable(nonneg=True)
    for i, c in enumerate(economy.consumers):
        have = programs.at(c.utility, target[i])
        if np.isfinite(have):
            limits.append(programs.level(c.utility, cp.multiply(plan.x[i], economy.scale)) >= have)
    share = economy.supply / economy.scale
    # how much of everything could be spared with all as well off (Debreu 1951); what it costs are the prices
    clears = plan.clears.args[0] + spare * share <= plan.clears.args[1]
    programs.solve(cp.Problem(cp.Maximize(spare), [*limits, clears]), economy)
    p = np.maximum(clears.dual_value, 0.0) / economy.scale
    p = np.where(p * economy.scale < 1e-6 * (p @ economy.scale), 0.0, p)
    return p / p.sum()


def _settled(economy: Economy, target: np.ndarray) -> np.ndarray | None:
    """The prices [goods] at which p_k = lambda_i grad_ik wherever i has some of k, and processes in use break even;
    None where these equations leave some price open."""
    from scipy.optimize import nnls

    L, rows = economy.l, []
    who = [i for i, c in enumerate(economy.consumers) if not isinstance(c.utility, Leontief)]
    for place, i in enumerate(who):
        u, x = economy.consumers[i].utility, target[i]
        slope = u.gradient(x)
        inside = (x > u.least + 1e-9 * economy.scale) & (slope > 0) & np.isfinite(slope)
        slope = slope * economy.scale / max(float((slope * economy.scale)[inside].max(initial=0.0)), 1e-300)
        for k in np.flatnonzero(inside):
            row = np.zeros(L + len(who))
            row[k], row[L + place] = 1.0, -slope[k]
            rows.append(row)
    units = [q.technology.matrix for q in economy.producers if isinstance(q.technology, Activities)]
    if units:
        unit = np.concatenate(units, 1) / economy.scale[:, None]
        levels = nnls(unit, target.sum(0) / economy.scale - economy.supply / economy.scale)[0]
        for j in np.flatnonzero(levels > 1e-9):
            rows.append(np.r_[unit[:, j] / np.abs(unit[:, j]).max(), np.zeros(len(who))])
    held = np.any(np.abs(np.array(rows).reshape(-1, L + len(who))) > 0, 0)
    held[:L] |= economy.wanted  # who has nothing says nothing about prices
    matrix = np.array(rows).reshape(-1, L + len(who))[:, held]
    _, sizes, vectors = np.linalg.svd(matrix, full_matrices=True)
    sizes = np.r_[sizes, np.zeros(matrix.shape[1] - len(sizes))]
    if matrix.shape[1] < 2 or sizes[-2] < 1e-9:  # a second solution
        return None
    value = np.zeros(L + len(who))
    value[held] = vectors[-1]
    value = value[:L] * np.sign(value[:L].sum())
    if sizes[-1] > 1e-4 or (value < -1e-12).any():
        return None  # rates differ: the target is no optimum
    p = np.maximum(value, 0.0) / economy.scale
    return p / p.sum()


def transfers(economy: Economy, target: np.ndarray) -> Transfers:
    """Prices and transfers under which a Pareto optimal allocation [consumers, goods] is a competitive equilibrium.

    A target that is not optimal, and Arrow's exceptional case, come back not supported, with the reason.
    """
    convex(economy, "supporting prices")
    x = allotted(economy, target)
    p = supporting(economy, x)
    net = _made(economy, p, x)
    earned = economy.endowments @ p + economy.shares @ (net @ p)
    amounts = x @ p - earned
    certificate = verify(economy, p, x, net, amounts)
    why = ""
    if not certificate.holds:
        poor = [
            c.name
            for c, row in zip(economy.consumers, x, strict=True)
            if row @ p <= c.utility.least @ p + 1e-6 and (c.utility.wanted & (p < 1e-6)).any()
        ]
        why = (
            f"Arrow's exceptional case: {poor[0]} is left with the least wealth there is, and would take without end "
            "of what costs nothing."
            if poor
            else "it is not Pareto optimal: no prices support it."
        )
    return Transfers(p, amounts, certificate, why)


def _made(economy: Economy, p: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[producers, goods] netputs that make the target at prices p."""
    from scipy.optimize import nnls

    units = economy.processes(p)
    firms = sum((q.technology.supply(p) for q in economy.producers), np.zeros(economy.l))
    short = target.sum(0) - economy.supply - firms
    levels = nnls(units / economy.scale[:, None], short / economy.scale)[0] if units.shape[1] else np.zeros(0)
    return netputs(economy, p, levels)


def curve(economy: Economy, points: int = 91) -> list[np.ndarray]:
    """Pareto optima [consumers, goods] of an exchange economy of two, from all for the second to all for the first.

    By the second theorem each is an equilibrium of who owns some part of everything.
    """
    if len(economy.consumers) != 2 or not economy.exchange:
        raise Refusal("a contract curve is of an exchange economy of two consumers.")
    out = []
    for part in 1 / (1 + np.exp(-np.linspace(-7, 7, points))):  # closer together where one has nearly all
        split = economy.owning(np.array([part, 1 - part])[:, None] * economy.supply)
        out += [e.allocation for e in split.equilibria()]
    return sorted(out, key=lambda x: float(economy.consumers[0].utility.value(x[0])))
