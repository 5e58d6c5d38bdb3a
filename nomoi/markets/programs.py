"""Convex programs, written with CVXPY and solved by Clarabel (the extra `markets`)."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

from nomoi.errors import Refusal
from nomoi.markets.economy import Economy
from nomoi.markets.nest import Nest
from nomoi.markets.quasilinear import QuasiLinear
from nomoi.markets.technologies import Activities, Smooth
from nomoi.markets.utilities import Ces, Leontief, Linear, StoneGeary, Utility


def cvxpy() -> Any:
    """The library, imported late; a sentence where it is not installed."""
    try:
        import clarabel  # noqa: F401
        import cvxpy as cp
    except ImportError:
        raise Refusal("convex programs need cvxpy and clarabel; pip install 'nomoi[markets]' brings them.") from None
    return cp


def eisenberg_gale(economy: Economy) -> list[np.ndarray]:
    """Prices [goods], best guess first, of a Fisher market: max sum of money_i log u_i within supply; dual values are
    prices.

    Linear utilities are solved exactly from who buys what; otherwise prices are as good as the program's (1e-6).
    """
    money = economy.proportional
    if money is None:
        raise Refusal(f"{economy.title} is no Fisher market: all must own the same part of every good.")
    for c in economy.consumers:
        if not c.utility.homothetic:
            raise Refusal(
                f"{c.name} is not homothetic ({c.utility.family}), and Eisenberg & Gale's program asks for it."
            )
    cp = cvxpy()
    n, some = len(economy.consumers), economy.supply > 0
    x = cp.Variable((n, economy.l), nonneg=True)
    if all(isinstance(c.utility, Linear) for c in economy.consumers):
        worth = np.array([c.utility.worth for c in economy.consumers]) * economy.supply  # type: ignore[attr-defined]
        goal = money @ cp.log(cp.sum(cp.multiply(worth / worth.max(1, keepdims=True), x), axis=1))
    else:
        goal = sum(
            money[i] * level(c.utility, cp.multiply(x[i], economy.scale)) for i, c in enumerate(economy.consumers)
        )
    clears = cp.sum(x, axis=0) <= some.astype(float)
    solve(cp.Problem(cp.Maximize(goal), [clears]), economy)
    p = np.where(some, np.maximum(clears.dual_value, 0.0) / economy.scale, 0.0)
    if all(isinstance(c.utility, Linear) for c in economy.consumers):
        return polished(economy, p, x.value)
    return [p / p.sum()]


def linear_exchange(economy: Economy) -> list[np.ndarray]:
    """Prices [goods], best guess first, of an exchange economy with linear utilities, by a program of which every
    feasible point is an equilibrium: log p_k + log u_i(x_i) >= log worth_ik + log(what i owns is worth), and no more
    than there is.
    """
    if not all(isinstance(c.utility, Linear) for c in economy.consumers):
        raise Refusal("linear_exchange takes linear utilities alone; complementarity takes the others.")
    cp = cvxpy()
    n, L = len(economy.consumers), economy.l
    worth = np.array([c.utility.worth for c in economy.consumers]) * economy.scale  # type: ignore[attr-defined]
    worth, owned = worth / worth.max(1, keepdims=True), economy.endowments / economy.scale
    x, q = cp.Variable((n, L), nonneg=True), cp.Variable(L)
    limits = [cp.sum(x, axis=0) <= economy.supply / economy.scale, cp.sum(q) == 0]
    for i in range(n):
        mine, wants = np.flatnonzero(owned[i] > 0), np.flatnonzero(worth[i] > 0)
        if len(mine):
            income = cp.log_sum_exp(q[mine] + np.log(owned[i, mine]))
            limits.append(q[wants] + cp.log(worth[i] @ x[i]) - income >= np.log(worth[i, wants]))
    # of all equilibria the one whose prices differ least
    solve(cp.Problem(cp.Minimize(cp.sum_squares(q)), limits), economy)
    p = np.exp(q.value - np.max(q.value)) / economy.scale
    return polished(economy, p, x.value)


def solve(problem: Any, economy: Economy) -> None:
    """Solve a program, or refuse in a sentence."""
    import warnings

    import cvxpy as cp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for close in (1e-10, 1e-8, 1e-6):  # what it asks for may be more than rounding allows
            try:
                problem.solve(solver=cp.CLARABEL, tol_gap_abs=close, tol_gap_rel=close, tol_feas=close)
            except cp.SolverError:
                continue
            break
    if problem.status not in ("optimal", "optimal_inaccurate"):
        raise Refusal(
            f"the convex program of {economy.title} has no solution ({problem.status}); it may have no "
            "equilibrium: see its assumptions."
        )


def polished(economy: Economy, p: np.ndarray, x: np.ndarray) -> list[np.ndarray]:
    """Prices [goods] of linear exchange made exact by who buys what, x [consumers, goods] in shares of supply; and as
    they are.  How little is bought by rounding alone is tried out, as the certificate tells."""
    with np.errstate(divide="ignore", invalid="ignore"):
        tried = [_exact(economy, p, x, least) for least in (1e-3, 1e-5, 1e-7)]
    return [q for q in tried if np.isfinite(q).all() and (q >= 0).all() and q.sum() > 0] + [p / p.sum()]


def _exact(economy: Economy, p: np.ndarray, x: np.ndarray, least: float) -> np.ndarray:
    """Prices [goods] if whoever spends more than `least` of income on a good holds it among the best.

    Within a group of consumers and goods that money ties together, prices stand in the ratios of worths; between
    groups, each must spend what its goods are worth.
    """
    n, L = x.shape
    worth = np.array([c.utility.worth for c in economy.consumers])  # type: ignore[attr-defined]
    flow = x * p * economy.scale
    share = flow / np.maximum(flow.sum(1, keepdims=True), 1e-300)
    i, k = np.nonzero((share > least) & (worth > 0))
    # the tree of the largest flows (to the graph 0 is no edge)
    tree = minimum_spanning_tree(coo_array((2 - share[i, k], (i, n + k)), (n + L, n + L)).tocsr())
    count, group = connected_components(tree, directed=False)
    logs = np.zeros(n + L)  # of a good's price; of what a unit of utility costs to a consumer
    for g in range(count):
        order, before = breadth_first_order(tree, int(np.flatnonzero(group == g)[0]), directed=False)
        for node in order[1:]:
            a, b = sorted((node, before[node]))
            rate = np.log(worth[a, b - n])
            logs[node] = logs[before[node]] + (rate if node >= n else -rate)
    goods = np.unique(group[n:])
    top = {g: logs[n:][group[n:] == g].max() for g in goods}
    w = np.exp(logs[n:] - np.array([top[g] for g in group[n:]]))
    inside = group[n:] == goods[:, None]  # [groups, goods]
    mine = np.array([economy.endowments[group[:n] == g].sum(0) for g in goods])  # what a group's consumers own
    value = (mine * w) @ inside.T
    total = np.diag(inside @ (economy.supply * w))
    size = np.abs(total).max()
    rows = np.vstack([(value - total) / size, np.ones(len(goods))])
    factor = np.linalg.lstsq(rows, np.r_[np.zeros(len(goods)), 1.0], rcond=None)[0]
    out = w * factor[np.searchsorted(goods, group[n:])]
    return out / out.sum()


def level(utility: Utility, x: Any) -> Any:
    """A concave expression of a bundle (CVXPY [goods]) that rises with utility: its logarithm where it is
    homothetic."""
    cp = cvxpy()
    if isinstance(utility, Ces):
        return _logarithm(utility.nest, x)
    if isinstance(utility, Leontief):
        some = np.flatnonzero(utility.needs > 0)
        return cp.log(cp.min(cp.multiply(x[some], 1 / utility.needs[some])))
    if isinstance(utility, Linear):
        return cp.log(utility.worth @ x)
    if isinstance(utility, StoneGeary):
        some = np.flatnonzero(utility.shares > 0)
        return utility.shares[some] @ cp.log(x[some] - utility.needs[some])
    if isinstance(utility, QuasiLinear):
        out = x[utility.money]
        for k in utility.others:
            a, r, b = utility.worth[k], float(utility.power[k]), float(utility.bend[k])
            if b > 0:
                out = out + a * a / (2 * b) - b / 2 * cp.square(cp.pos(a / b - x[k]))  # flat beyond the top
            else:
                out = out + a * (cp.log(x[k]) if r == 0 else cp.power(x[k], r) / r)
        return out
    raise Refusal(f"a utility of family {utility.family} cannot be written as a convex program.")


def at(utility: Utility, bundle: np.ndarray) -> float:
    """The number that `level` has at a bundle [goods]."""
    value = float(utility.value(bundle))
    with np.errstate(divide="ignore"):
        return value if isinstance(utility, QuasiLinear) else float(np.log(value))


def _logarithm(part: Any, x: Any) -> Any:
    """The logarithm of what a nest makes of x, or of the amount of a good.

    Written so that weights are never raised to 1 / rho, which near Cobb-Douglas is beyond all numbers.
    """
    cp = cvxpy()
    if not isinstance(part, Nest):
        return cp.log(x[part])
    there = [(p, w) for p, w in zip(part.parts, part.weights, strict=True) if w > 0]
    w = np.array([w for _, w in there])
    if part.unit or part.rho < 0:
        inner = cp.hstack([_logarithm(p, x) for p, _ in there])
        return w @ inner if part.unit else cp.log_sum_exp(np.log(w) + part.rho * inner) / part.rho
    powers = cp.hstack([cp.power(_amount(p, x), part.rho, approx=False) for p, _ in there])
    return cp.log(w @ powers) / part.rho


def _amount(part: Any, x: Any) -> Any:
    """What a nest makes of x, or the amount of a good."""
    cp = cvxpy()
    if not isinstance(part, Nest):
        return x[part]
    there = [(w, _amount(p, x)) for p, w in zip(part.parts, part.weights, strict=True) if w > 0]
    inner, w = cp.hstack([a for _, a in there]), np.array([v for v, _ in there])
    if len(there) == 1:
        return inner[0]
    if part.unit:
        return cp.geo_mean(inner, w)
    return cp.pnorm(cp.multiply(w ** (1 / part.rho), inner), part.rho, approx=False)


@dataclasses.dataclass
class Plan:
    """Variables of what all consume [consumers, goods], netputs as expressions, and the limits they must keep."""

    x: Any
    limits: list[Any]
    clears: Any


def plan(economy: Economy) -> Plan:
    """All allocations that can be made of what there is, production included; in shares of what there is."""
    cp = cvxpy()
    x = cp.Variable((len(economy.consumers), economy.l), nonneg=True)
    net: Any = economy.supply / economy.scale
    limits = []
    for q in economy.producers:
        t = q.technology
        if isinstance(t, Activities):
            net = net + (t.matrix / economy.scale[:, None]) @ cp.Variable(t.matrix.shape[1], nonneg=True)
        elif isinstance(t, Smooth) and t.convex:
            inputs, made = cp.Variable(economy.l, nonneg=True), cp.Variable(nonneg=True)
            f = _amount(t.nest, inputs)
            limits.append(made <= t.scale * (f if t.returns == 1 else cp.power(f, t.returns)))
            net = net - cp.multiply(inputs, 1 / economy.scale) + np.eye(economy.l)[t.output] / economy.scale * made
        else:
            raise Refusal(
                f"{q.name} is not convex (assumption I.a), and what could be better is then no convex program."
            )
    clears = cp.sum(x, axis=0) <= net
    return Plan(x, [*limits, clears], clears)
