"""Can a tax on what fishers ask for, that they share among themselves, keep a fishery?  Solved exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import jax
import numpy as np

from nomoi import govern
from nomoi.core import Situation
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.situations.pool import Pool
from nomoi.solve.subgame import backward, planner
from nomoi.solve.unfold import repaid, tabular
from nomoi.study import Claim, Computed, Condition, Results, Study

POINTS, DISCOUNT = 41, 0.95  # spec A4.3
SLACK = 0.1  # what departing may gain where a stage has no exact symmetric equilibrium (ours; the study tells how much)
TABLE = {  # spec A4.3: welfare by the tax theta, computed there by backward induction on the same grid
    2: {0.0: 1.000, 0.1: 1.000, 0.25: 3.841, 0.5: 4.146, 0.75: 3.855, 0.9: 3.533},
    4: {0.0: 1.000, 0.1: 1.000, 0.25: 1.000, 0.5: 1.000, 0.75: 4.121, 0.9: 3.900},
}
OPTIMUM = 4.155
THETAS = tuple(round(0.05 * k, 2) for k in range(21))
SOURCE = "spec A4.3 (a model of ours; the constants of the paper's fishery are not known)"


def fishery(agents: int, theta: float, points: int = POINTS, horizon: int = 60) -> Situation:
    """The fishery under a tax `theta` on each unit asked for, paid to the others in equal parts.

    A levy shared among all gives the payer back its own part, so it stands for theta at a rate N / (N - 1) higher.
    """
    pool = Pool(agents=agents, points=points, horizon=horizon)
    return govern(pool, Levy(on="request", proceeds="shared", rate=theta * agents / (agents - 1)))


def taxed(key: jax.Array, agents: int, select: str, thetas: Sequence[float] = THETAS) -> Mapping[str, float]:
    """Welfare in the symmetric equilibrium under each tax, discounted; and the largest gain from departing once."""
    return _taxed(agents, select, tuple(thetas))


@lru_cache
def _taxed(agents: int, select: str, thetas: tuple[float, ...]) -> Mapping[str, float]:
    markov = tabular(fishery(agents, 0.0), symmetric=True)
    found = {t: backward(repaid(markov, fishery(agents, t)), DISCOUNT, select, SLACK) for t in thetas}
    welfare = {f"welfare at {t:g}": s.welfare for t, s in found.items()}
    return welfare | {f"gain from departing at {t:g}": s.deviation for t, s in found.items()}


def owned(key: jax.Array, agents: int) -> Mapping[str, float]:
    """What a sole owner of all boats would make of the fishery."""
    pool = Pool(agents=1, points=POINTS)
    fleet = pool.replace(levels=(pool.levels - 1) * agents + 1, most=float(pool.most) * agents)
    return {"welfare": planner(tabular(fleet), DISCOUNT)}


def negotiated(key: jax.Array, theta: float) -> Mapping[str, float]:
    """Two fishers, and a contract at `theta` that one may propose and the other sign before they fish."""
    contract = Contract(on="request", low=theta, high=theta, levels=1, voters=0)
    solved = backward(tabular(govern(Pool(points=POINTS), contract)), DISCOUNT)
    offered, signed = (step[f"contract.{head}"] for step, head in zip(solved.path(), ("propose", "sign"), strict=False))
    return {
        "welfare": solved.welfare,
        "signed": float(offered[0] == 1 and signed[1] == 1),
        "gain from departing": solved.deviation,
    }


def fish_war(key: jax.Array, agents: Sequence[int], alpha: float, beta: float) -> Mapping[str, float]:
    """The share of the stock that is left in each step of the Great Fish War (Levhari and Mirman 1980), and the stock
    at which it stays.

    x' = (x - sum c)^alpha and payoff log c.  With value A + B log x, B = 1 / (1 - ab), ab = alpha beta, the first-order
    condition 1 / c = beta alpha B / (x - sum c) gives a share ab / (N - (N - 1) ab) left by N; x = (share x)^alpha
    gives the steady stock.
    """
    ab = alpha * beta
    left = {n: ab / (n - (n - 1) * ab) for n in agents}
    steady = {f"steady stock, N = {n}": share ** (alpha / (1 - alpha)) for n, share in left.items()}
    return {f"left in the water, N = {n}": share for n, share in left.items()} | steady


def conditions(size: str) -> Sequence[Condition]:
    thetas = list(TABLE[2]) if size == "smoke" else list(THETAS)
    taxes = [
        Computed(f"N = {n}, {select}", taxed, {"agents": n, "select": select, "thetas": thetas})
        for n in TABLE
        for select in ("first", "best", "worst")
    ]
    return [
        *taxes,
        *(Computed(f"N = {n}, one owner", owned, {"agents": n}) for n in TABLE),
        Computed("N = 2, negotiated", negotiated, {"theta": 0.5}),
        Computed("great fish war", fish_war, {"agents": [1, 2, 4, 8], "alpha": 0.9, "beta": DISCOUNT}),
    ]


def _share(n: int, theta: float):
    return lambda r: r.late(f"N = {n}, first", f"welfare at {theta:g}") / r.late(f"N = {n}, one owner", "welfare")


def _claims(n: int) -> list[Claim]:
    right, label = (n - 1) / n, f"N = {n}, first"
    tabled = [
        Claim(f"Welfare of {n} fishers under a tax of {theta:g}", SOURCE,
              lambda r, m=f"welfare at {theta:g}": r.late(label, m), near=value, tolerance=0.02 * value,
              unit="units of fish")
        for theta, value in TABLE[n].items()
    ]  # fmt: skip
    return [
        Claim(f"{n} fishers without a contract make 24 % of what is possible", SOURCE, _share(n, 0.0), near=0.24,
              tolerance=0.01),
        Claim(f"At theta = (N - 1) / N = {right:g}, {n} fishers make more than 99 % of it", SOURCE, _share(n, right),
              above=0.99),
        Claim(f"Taxing {n} fishers more than that makes them poorer (0.9 against {right:g})", SOURCE,
              lambda r: r.late(label, "welfare at 0.9") - r.late(label, f"welfare at {right:g}"), below=0,
              unit="units of fish"),
        *tabled,
        Claim(f"One owner of the boats of {n} fishers", SOURCE, lambda r: r.late(f"N = {n}, one owner", "welfare"),
              near=OPTIMUM, tolerance=0.02 * OPTIMUM, unit="units of fish"),
    ]  # fmt: skip


CLAIMS = [
    *_claims(2),
    *_claims(4),
    Claim("Two fishers propose and sign the contract at theta = 0.5, before they fish", "spec A1 (ours)",
          lambda r: r.late("N = 2, negotiated", "signed"), near=1, tolerance=0.01),
    Claim("Under it they make all that is possible", "spec A4.3 (ours)",
          lambda r: r.late("N = 2, negotiated", "welfare") / r.late("N = 2, one owner", "welfare"), above=0.999),
    *(Claim(f"Great Fish War: {what}, N = {n}", "spec A4.3 (textbook, after Levhari and Mirman 1980)",
            lambda r, m=f"{what}, N = {n}": r.late("great fish war", m), near=value, tolerance=0.02 * value)
      for what, row in (
          ("left in the water", {1: 0.855, 2: 0.747, 4: 0.596, 8: 0.424}),
          ("steady stock", {1: 0.2442, 2: 0.0722, 4: 0.00946, 8: 0.00045}))
      for n, value in row.items()),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    gain = "gain from departing at "
    thetas = [float(m.removeprefix(gain)) for m in results.measures("N = 2, first") if m.startswith(gain)]

    def line(label: str) -> tuple[np.ndarray, np.ndarray]:
        return np.array(thetas), np.stack([results.late(label, f"welfare at {t:g}") for t in thetas], 1)[:1]

    def most(n: int, select: str) -> float:
        return max(float(results.late(f"N = {n}, {select}", f"{gain}{t:g}")[0]) for t in thetas)

    owner = {"one owner": float(results.late("N = 2, one owner", "welfare")[0])}
    lines = {f"{n} fishers": line(f"N = {n}, first") for n in TABLE}
    drawn = figures.curves(lines, "units of fish, discounted", "A tax rescues the fishery, and more of it costs",
                           owner, "theta, the tax on a unit asked for", note="exact")  # fmt: skip
    spread = {select: line(f"N = 2, {select}") for select in ("best", "worst", "first")}
    select = figures.curves(spread, "units of fish, discounted", "Two fishers, by which equilibrium is selected",
                            owner, "theta, the tax on a unit asked for", note="exact")  # fmt: skip
    rows = [[n, s, most(n, s)] for n in TABLE for s in ("first", "best", "worst")]
    return [
        page.Figure("Welfare against the tax", figures.svg(drawn), "Symmetric equilibrium from backward induction."),
        page.Figure("Which equilibrium", figures.svg(select), "Stages may have several; see nomoi.solve.subgame."),
        page.Table("The most that one could gain by departing once", ["fishers", "selection", "units of fish"], rows,
                   "Where it is not 0, some stage has no exact symmetric equilibrium in 13 amounts."),
    ]  # fmt: skip


STUDY = Study(
    "fishery",
    "Can a tax on what fishers ask for, that they share among themselves, keep a fishery?",
    CLAIMS,
    conditions,
    {"smoke": 1, "laptop": 2, "paper": 2},
    sections,
    "Nothing is random: seeds repeat the same computation. The stock lies on 41 points and 13 amounts can be asked "
    "for; the fishery is ours, since the constants of the paper's are not known.",
)
