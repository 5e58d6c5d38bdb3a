"""Can a tax on what fishers ask for, that they share among themselves, keep a fishery?  Solved exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from nomoi import govern
from nomoi.core import Situation
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.runs.effects import Effect
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.situations.pool import Pool
from nomoi.solve.markov import Markov
from nomoi.solve.subgame import backward, backwards, planner
from nomoi.solve.unfold import repaid, tabular

POINTS, DISCOUNT = 41, 0.95  # ours
SLACK = 0.1  # what departing may gain where a stage has no exact symmetric equilibrium (ours; the study tells how much)
TABLE = {  # welfare by the tax theta, as an earlier program of ours computed it on the same grid
    2: {0.0: 1.000, 0.1: 1.000, 0.25: 3.841, 0.5: 4.146, 0.75: 3.855, 0.9: 3.533},
    4: {0.0: 1.000, 0.1: 1.000, 0.25: 1.000, 0.5: 1.000, 0.75: 4.121, 0.9: 3.900},
}
OPTIMUM = 4.155
THETAS = tuple(round(0.05 * k, 2) for k in range(21))
WAR = "ours, after Levhari & Mirman 1980"


def fishery(agents: int, theta: float, points: int = POINTS, horizon: int = 60) -> Situation:
    """The fishery under a tax `theta` on each unit asked for, paid to the others in equal parts.

    A levy shared among all gives the payer back its own part, so it stands for theta at a rate N / (N - 1) higher.
    """
    pool = Pool(agents=agents, points=points, horizon=horizon)
    return govern(pool, Levy(on="request", proceeds="shared", rate=theta * agents / (agents - 1)))


def taxed(key: None, agents: int, select: str, thetas: Sequence[float] = THETAS) -> Mapping[str, float]:
    """Welfare in the symmetric equilibrium under each tax, discounted; and the largest gain from departing once."""
    return _taxed(agents, select, tuple(thetas))


@lru_cache
def _taxed(agents: int, select: str, thetas: tuple[float, ...]) -> Mapping[str, float]:
    found = dict(zip(thetas, backwards(_games(agents, thetas), DISCOUNT, select, SLACK), strict=True))
    welfare = {f"welfare at {t:g}": s.welfare for t, s in found.items()}
    return welfare | {f"gain from departing at {t:g}": s.deviation for t, s in found.items()}


@lru_cache(maxsize=1)
def _games(agents: int, thetas: tuple[float, ...]) -> list[Markov]:
    """The fishery under each tax; all rules of selection are tried on the same games."""
    markov = tabular(fishery(agents, 0.0), symmetric=True)
    return [repaid(markov, fishery(agents, t)) for t in thetas]


def owned(key: None, agents: int) -> Mapping[str, float]:
    """What a sole owner of all boats would make of the fishery."""
    pool = Pool(agents=1, points=POINTS)
    fleet = pool.replace(levels=(pool.levels - 1) * agents + 1, most=float(pool.most) * agents)
    return {"welfare": planner(tabular(fleet), DISCOUNT)}


def negotiated(key: None, theta: float) -> Mapping[str, float]:
    """Two fishers, and a contract at `theta` that one may propose and the other sign before they fish."""
    contract = Contract(on="request", low=theta, high=theta, levels=1, voters=0)
    solved = backward(tabular(govern(Pool(points=POINTS), contract)), DISCOUNT)
    offered, signed = (step[f"contract.{head}"] for step, head in zip(solved.path(), ("propose", "sign"), strict=False))
    return {
        "welfare": solved.welfare,
        "signed": float(offered[0] == 1 and signed[1] == 1),
        "gain from departing": solved.deviation,
    }


def fish_war(key: None, agents: Sequence[int], alpha: float, beta: float) -> Mapping[str, float]:
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


def trials(size: str) -> Sequence[Trial]:
    thetas = list(TABLE[2]) if size == "smoke" else list(THETAS)
    taxes = [
        Computed(f"N = {n}, {select}", taxed, {"agents": n, "select": select, "thetas": thetas}, exact=True)
        for n in TABLE
        for select in ("first", "best", "worst")
    ]
    return [
        *taxes,
        *(Computed(f"N = {n}, one owner", owned, {"agents": n}, exact=True) for n in TABLE),
        Computed("N = 2, negotiated", negotiated, {"theta": 0.5}, exact=True),
        Computed("great fish war", fish_war, {"agents": [1, 2, 4, 8], "alpha": 0.9, "beta": DISCOUNT}, exact=True),
    ]


def _welfare(n: int, theta: float) -> Effect:
    return lambda r: r.late(f"N = {n}, first", f"welfare at {theta:g}")


def _lead(n: int, theta: float) -> Effect:
    """What N fishers make at `theta` beyond the best of all other taxes that were tried."""
    label, own = f"N = {n}, first", f"welfare at {theta:g}"
    rest = lambda r: [m for m in r.measures(label) if m.startswith("welfare at ") and m != own]  # noqa: E731
    return lambda r: r.late(label, own) - max(r.late(label, m) for m in rest(r))


def _claims(n: int) -> list[Claim]:
    right = (n - 1) / n
    return [
        Claim(f"No other tax makes {n} fishers richer than theta = (N - 1) / N = {right:g} does", "ours",
              _lead(n, right), above=0, unit="units of fish", kind="ours"),
    ]  # fmt: skip


CLAIMS = [
    *_claims(2),
    *_claims(4),
    Claim("Two fishers propose and sign the contract at theta = 0.5, before they fish", "ours",
          lambda r: r.late("N = 2, negotiated", "signed"), near=1, tolerance=0.01, kind="ours"),
    Claim("Under it they make all that is possible, within .1 %", "ours",
          lambda r: r.late("N = 2, negotiated", "welfare") / r.late("N = 2, one owner", "welfare"), near=1,
          tolerance=0.001, unit="of the optimum", kind="ours"),
]  # fmt: skip


def _part(n: int, theta: float) -> Effect:
    return lambda r: _welfare(n, theta)(r) / r.late(f"N = {n}, one owner", "welfare")


def _again(n: int) -> list[Reading]:
    """What our earlier program computed too.  As nothing is drawn, tests hold it, and no verdict is due."""
    return [
        *(Reading(f"Welfare of {n} fishers under a tax of {theta:g} (by our earlier program {value:.3f})", "ours",
                  _welfare(n, theta), unit="units of fish") for theta, value in TABLE[n].items()),
        Reading(f"What one owner makes with the boats of {n} fishers (by our earlier program {OPTIMUM:.3f})", "ours",
                lambda r: r.late(f"N = {n}, one owner", "welfare"), unit="units of fish"),
    ]  # fmt: skip


READINGS = [
    *_again(2),
    *_again(4),
    *(Reading(f"What {n} fishers make without a contract, who take all at once", "ours", _part(n, 0.0),
              unit="of the optimum") for n in TABLE),
    *(Reading(f"... and at theta = (N - 1) / N = {(n - 1) / n:g}", "ours", _part(n, (n - 1) / n),
              unit="of the optimum") for n in TABLE),
    *(Reading(f"Great Fish War: {what}, N = {n}", WAR, lambda r, m=f"{what}, N = {n}": r.late("great fish war", m))
      for what in ("left in the water", "steady stock") for n in (1, 2, 4, 8)),
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
    trials,
    {"smoke": 1, "laptop": 1, "paper": 1},
    sections,
    "The stock lies on 41 points and 13 amounts can be asked for; the fishery is ours, since the constants of "
    "Christoffersen et al. 2023 are not known. The Great Fish War is a closed formula.",
    readings=READINGS,
)
