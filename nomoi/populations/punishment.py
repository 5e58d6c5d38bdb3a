"""Punishment allows the evolution of cooperation (or anything else) in sizable groups: after Boyd & Richerson 1992.

A RECONSTRUCTION: the abstract was read, not the body of the paper, so the game below and its numbers are ours, made so
that what the abstract states can be tested.  Groups of n are drawn at random from an endless population.  A period is
contribution, then punishment; another follows with chance w.  A contribution costs its actor c and gives every member
b/n, the actor included; b may be negative ("anything else").  An intended contribution fails with chance e.  To punish
costs k and takes p from the punished, for each who is punished.

    U  unconditional defector: never contributes, never punishes
    R  reluctant: defects until punished once, then contributes; never punishes
    E  easy-going: contributes, never punishes
    P  punisher: contributes, and punishes everybody who did not contribute this period
    M  moralist: contributes, and punishes everybody in bad standing, which is who did not contribute this period, or
       who last period failed to punish somebody else who was then in bad standing

Closed forms are derived for one period after another in groups of few kinds, and checked against play
(`nomoi.populations.groups_at_play`).
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from scipy import optimize, stats

from nomoi.core.parameters import Answer, Parameters, count, number
from nomoi.errors import Refusal, nearest
from nomoi.populations.engine import shares

TYPES = "UREPM"
NEUTRAL_E = "neutral: without errors nobody is ever in bad standing, so E and M fare alike"
LAG = "never_punished: there is no second period in which an easy-going member could be punished"
NEUTRAL_P = "neutral: among moralists P never fails to punish, so it fares like M"


@dataclasses.dataclass(frozen=True)
class Punishment(Parameters):
    """The game of a group.  The values of Boyd & Richerson 1992 are unknown to us; defaults are ours."""

    size: int = count(16, "n", "members of a group", "ours", low=2)
    benefit: float = number(5.0, "b", "brought by a contribution, shared by the group; may be negative",
                            "ours")  # fmt: skip
    cost: float = number(1.0, "c", "cost of a contribution", "ours", low=0)
    punished: float = number(1.5, "p", "lost by the punished", "ours", low=0)
    punishing: float = number(1.0, "k", "cost of punishing one", "ours", low=0)
    error: float = number(0.02, "e", "chance that an intended contribution fails", "ours", 0, 1,
                          open_high=True)  # fmt: skip
    again: float = number(0.95, "w", "chance of another period", "ours", 0, 1, open_high=True)

    @property
    def others(self) -> int:
        """A = n - 1."""
        return self.size - 1

    @property
    def later(self) -> float:
        """L = w / (1 - w), the mean number of periods after the first."""
        return self.again / (1 - self.again)

    @property
    def lapse(self) -> float:
        """pi, the chance that some other member erred: 1 - (1 - e)^A."""
        return 1 - (1 - self.error) ** self.others


# --- moralists ------------------------------------------------------------------------------------------------------


def moralists(g: Punishment) -> float:
    """Payoff to each where all are M."""
    per_period = (1 - g.error) * (g.benefit - g.cost) - g.error * g.others * (g.punished + g.punishing)
    return per_period / (1 - g.again)


def among_moralists(g: Punishment, mutant: str) -> float:
    """Payoff of one U, R, E or P whose group is else all M."""
    A, e, p = g.others, g.error, g.punished
    gift = A * (1 - e) * g.benefit / g.size  # what the others' contributions bring one who gives nothing
    even = (1 - e) * (g.benefit - g.cost)
    shirked = even - p * A * (1 - (1 - e) * (1 - g.lapse))  # punished for not giving, or for not having punished
    if mutant == "U":
        return (gift - p * A) / (1 - g.again)
    if mutant == "E":
        return even - p * A * e + g.later * shirked
    if mutant == "R":
        return gift - p * A + g.later * shirked
    if mutant == "P":
        return moralists(g)
    raise Refusal(f"{mutant!r} is no mutant among moralists; {nearest(str(mutant), 'UREP', 'type')}")


def least_punishment(g: Punishment, mutant: str) -> Answer:
    """The p above which M is stable against a rare U, E or R; P is neutral whatever p."""
    A, e, k = g.others, g.error, g.punishing
    shirk = (1 - e) * (g.cost - g.benefit / g.size)  # saved by not contributing
    if mutant == "U":
        return Answer((shirk + k * e * A) / (A * (1 - e)))
    if mutant == "E":
        caught = g.again * (1 - e) * g.lapse
        if e == 0:
            return Answer(math.nan, (NEUTRAL_E,))
        if caught == 0:
            return Answer(math.inf if k > 0 else math.nan, (LAG,))
        return Answer(k * e / caught)
    if mutant == "R":
        return Answer((shirk + e * A * k + g.later * e * A * k) / (A * (1 - e) + g.later * A * (1 - e) * g.lapse))
    if mutant == "P":
        return Answer(math.nan, (NEUTRAL_P,))
    raise Refusal(f"{mutant!r} is no mutant among moralists; {nearest(str(mutant), 'UREP', 'type')}")


@dataclasses.dataclass(frozen=True)
class Stability:
    """Whether M resists U, E and R.  `margin` is what M has more than the best of them; P is neutral, never beaten."""

    stable: bool
    margin: float
    flags: tuple[str, ...]


def moralists_stable(g: Punishment) -> Stability:
    """M against every rare mutant; a tie is neutral, and not called stable."""
    margin = moralists(g) - max(among_moralists(g, mutant) for mutant in "UER")
    flags = tuple(flag for mutant in "UER" for flag in least_punishment(g, mutant).flags)
    tie = abs(margin) <= 1e-12 * max(1, abs(moralists(g)))
    return Stability(margin > 0 and not tie, 0.0 if tie else margin, (*flags, NEUTRAL_P))


def basin(g: Punishment) -> Answer:
    """x*, the share of M above which M gains on U in a game of one period.

    With x of M among the others: W_M - W_U = (1-e)(b/n - c) - k A (1 - x (1 - e)) + p A x (1 - e), zero at
    x* = [(c - b/n) / A + k / (1 - e)] / (k + p).
    """
    if g.punished + g.punishing == 0:
        raise Refusal("punishment costs and takes nothing, so it divides no basins; p or k above 0 would be right.")
    raw = ((g.cost - g.benefit / g.size) / g.others + g.punishing / (1 - g.error)) / (g.punishing + g.punished)
    if raw < 0:
        return Answer(0.0, ("M_gains_everywhere: contributing pays by itself",))
    return Answer(min(raw, 1.0), ("U_gains_everywhere: even one U among M gains",) if raw > 1 else ())


# --- punishers and reluctant cooperators ------------------------------------------------------------------------------


def coercion(g: Punishment) -> float:
    """Payoff of one P in a group of R, where R among R have 0: it invades where this is above 0.

    Without errors: L (b - c) > k A + c - b/n, its benefit exceeds the cost of coercing the n - 1 others.
    """
    e, A = g.error, g.others
    first = (1 - e) * (g.benefit / g.size - g.cost) - g.punishing * A
    return first + g.later * ((1 - e) * (g.benefit - g.cost) - g.punishing * e * A)


def punisher_reluctant(
    g: Punishment, x: np.ndarray | float, periods: int | None = None
) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Payoffs of P and of R, shaped as `x`, the share of P where the rest are R; in `periods` periods, or till the end.

    With j of P among the other n - 1 (binomial): all who are punished in the first period contribute from then on.
    """
    x, n, e, b, c, p, k = shares(x, "x"), g.size, g.error, g.benefit, g.cost, g.punished, g.punishing
    later = g.later if periods is None else periods - 1
    j = np.arange(n)
    weight = stats.binom.pmf(j, n - 1, x[..., None])
    even = (1 - e) * (b - c) - p * e * j
    first = (1 - e) * (b * (j + 1) / n - c) - k * (n - 1 - j + e * j) - p * e * j
    punisher = first + later * (even - k * e * (n - 1))
    reluctant = np.where(j == 0, 0, (1 - e) * b * j / n - p * j + later * even)
    return weight @ punisher, weight @ reluctant


@dataclasses.dataclass(frozen=True)
class Rest:
    """A share x of P at which P and R fare alike, and whether a small push dies out."""

    x: float
    stable: bool


def polymorphisms(g: Punishment, grid: int = 2001) -> tuple[Rest, ...]:
    """All mixtures of P and R at rest, by sign changes of W_P - W_R on a grid (ours) that are then refined."""
    gap = lambda x: np.subtract(*punisher_reluctant(g, x))  # noqa: E731
    x = np.linspace(0, 1, grid)[1:-1]  # at the ends only one of the two is there
    found = gap(x)
    out = []
    for i in np.flatnonzero(np.sign(found[:-1]) != np.sign(found[1:])):
        out.append(Rest(float(optimize.brentq(gap, x[i], x[i + 1], xtol=1e-12)), bool(found[i] > 0)))
    return tuple(out)


# --- every resident against every mutant ----------------------------------------------------------------------------


def payoffs(g: Punishment, resident: str, mutant: str) -> float:
    """Payoff of one `mutant` in a group else of `resident`; of a resident among its own where they are one type."""
    for one in (resident, mutant):
        if len(one) != 1 or one not in TYPES:
            raise Refusal(f"{one!r} is no type; {nearest(one, TYPES, 'type')}")
    n, A, e, b, c, p, k = g.size, g.others, g.error, g.benefit, g.cost, g.punished, g.punishing
    all_periods, later = 1 / (1 - g.again), g.later
    alone, gift, even = (1 - e) * (b / n - c), A * (1 - e) * b / n, (1 - e) * (b - c)
    if resident == "M":
        return moralists(g) if mutant == "M" else among_moralists(g, mutant)
    if resident == "P":  # P and M among P punish the same people
        return {
            "U": (gift - p * A) * all_periods,
            "R": gift - p * A + later * (even - e * p * A),
            "E": (even - e * p * A) * all_periods,
        }.get(mutant, (even - e * A * (p + k)) * all_periods)
    if resident == "E":
        strict = float(_chase(g)[0][0])
        return {"U": gift * all_periods, "R": gift * all_periods, "P": (even - k * e * A) * all_periods,
                "M": strict, "E": even * all_periods}[mutant]  # fmt: skip
    if resident == "R":
        value, after = _chase(g)
        return {"U": 0.0, "R": 0.0, "E": alone * all_periods, "P": coercion(g),
                "M": alone - k * A + g.again * float(after[2] @ value)}[mutant]  # fmt: skip
    return {"U": 0.0, "R": 0.0, "E": alone * all_periods}.get(mutant, (alone - k * A) * all_periods)


def _chase(g: Punishment) -> tuple[np.ndarray, np.ndarray]:
    """One M among n - 1 who contribute and never punish: payoff from now on [3], and chances of what comes next [3, 3].

    Others fall into bad standing by having seen somebody else in it.  States: none, all but one, or all of the others
    will be in bad standing for that.  With more than two others one error is enough for all to stay in it for good.
    """
    A, e = g.others, g.error
    after = np.zeros((3, 3))
    for state, sure in enumerate((0, A - 1, A)):
        for erred in range(A - sure + 1):  # of those who are not in bad standing already
            chance = stats.binom.pmf(erred, A - sure, e)
            for moralist, odds in ((0, 1 - e), (1, e)):
                bad = sure + erred + moralist
                after[state, 0 if bad == 0 else 1 if bad == 1 and not moralist else 2] += chance * odds
    bad = np.array([sure + (A - sure) * e for sure in (0, A - 1, A)])
    each = (1 - e) * (g.benefit - g.cost) - g.punishing * bad
    return np.linalg.solve(np.eye(3) - g.again * after, each), after


@dataclasses.dataclass(frozen=True)
class Invasion:
    """One rare mutant among residents: "resists", "invaded" or "neutral", and what the resident has more."""

    resident: str
    mutant: str
    sign: str
    margin: float


def invasions(g: Punishment) -> tuple[Invasion, ...]:
    """Every resident against every mutant."""
    out = []
    for resident in TYPES:
        own = payoffs(g, resident, resident)
        for mutant in TYPES.replace(resident, ""):
            margin = own - payoffs(g, resident, mutant)
            tie = abs(margin) <= 1e-12 * max(1, abs(own))
            sign = "neutral" if tie else "resists" if margin > 0 else "invaded"
            out.append(Invasion(resident, mutant, sign, 0.0 if tie else margin))
    return tuple(out)
