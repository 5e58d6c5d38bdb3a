"""Games of many with two choices: what cooperating and defecting bring by how many others cooperate (Schelling 1973).

The constructors are the field's usual ones, written from memory of the sources named; the payoffs are their definition.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve import late
from nomoi.solve.exact import tidy
from nomoi.solve.game import LARGEST, NormalForm


@dataclasses.dataclass(frozen=True, eq=False)
class Crowd:
    """A symmetric game of n with two actions: payoffs Rc(k), Rd(k), [n] each, with k = 0 .. n-1 OTHER cooperators."""

    cooperate: np.ndarray
    defect: np.ndarray
    title: str = "crowd"

    def __post_init__(self) -> None:
        pair = []
        for name in ("cooperate", "defect"):
            try:
                row = np.asarray(getattr(self, name), np.float64)
            except (TypeError, ValueError):
                raise Refusal(f"{self.title}: {name} must be numbers, one for each number of others.") from None
            if row.ndim != 1 or not np.isfinite(row).all():
                raise Refusal(f"{self.title}: {name} must be a row of finite numbers, one for each number of others.")
            pair.append(row)
        if len(pair[0]) != len(pair[1]) or len(pair[0]) < 2:
            raise Refusal(f"{self.title} has {len(pair[0])} payoffs to cooperate and {len(pair[1])} to defect; both "
                          "need one for each number of others, 0 .. n-1, with n at least 2.")  # fmt: skip
        for name, row in zip(("cooperate", "defect"), pair, strict=True):
            object.__setattr__(self, name, row)

    @property
    def n(self) -> int:
        """How many players."""
        return len(self.cooperate)

    def welfare(self) -> np.ndarray:
        """[n + 1] payoff of all together, by how many cooperate: 0 .. n."""
        k = np.arange(self.n + 1)
        return k * np.append(0.0, self.cooperate) + (self.n - k) * np.append(self.defect, 0.0)

    def normal_form(self) -> NormalForm:
        """The same game as payoffs [n, 2, ..., 2], action 0 to cooperate; refused where 2^n is too many."""
        n = self.n
        if n * 2.0**n > LARGEST:
            raise Refusal(f"{self.title} of {n} players has {n * 2.0**n:.0e} payoffs, more than {LARGEST:,}; "
                          "use its Rc(k) and Rd(k).")  # fmt: skip
        defects = np.indices((2,) * n)
        others = n - 1 - (defects.sum(0) - defects)
        payoff = np.where(defects == 0, self.cooperate[others], self.defect[others])
        return NormalForm(payoff, self.title, actions=(("C", "D"),) * n)

    def equilibria(self) -> list[int]:
        """Numbers of cooperators k of which nobody wants to leave: Rc(k-1) >= Rd(k-1) and Rd(k) >= Rc(k)."""
        cooperate, defect = tidy(np.stack([self.cooperate, self.defect]))
        stay = np.append(True, cooperate >= defect)  # [n + 1] cooperators of k do not want to defect
        out = np.append(cooperate <= defect, True)  # defectors at k do not want to cooperate
        return np.flatnonzero(stay & out).tolist()


def mixed(crowd: Crowd) -> list[float]:
    """All symmetric mixed equilibria: shares x in (0, 1) of cooperating at which, all playing x, both pay alike.

    The gain from cooperating is sum_k B(k; n-1, x) (Rc(k) - Rd(k)), a polynomial whose Bernstein coefficients are the
    gains themselves (Peña et al. 2014).  None are given where the gain is 0 for every x.
    """
    interpolate = late.module("scipy.interpolate")  # few games need it, and it takes long
    cooperate, defect = tidy(np.stack([crowd.cooperate, crowd.defect]))
    gain = (cooperate - defect) / (np.abs(cooperate - defect).max() or 1.0)
    roots = interpolate.PPoly.from_bernstein_basis(interpolate.BPoly(gain[:, None], [0.0, 1.0])).roots(
        extrapolate=False
    )
    return [float(x) for x in roots if np.isfinite(x) and 0.0 < x < 1.0]


def read(game: NormalForm) -> Crowd | None:
    """The crowd that a game in normal form is: symmetric, two actions each, the first to cooperate; else None."""
    if set(game.shape) != {2}:
        return None
    defects = np.indices(game.shape)
    others = game.n - 1 - (defects.sum(0) - defects)
    rows: list[list[float]] = [[], []]
    alike = tidy(game.payoff)
    for own, k in np.ndindex(2, game.n):
        paid = alike[(defects == own) & (others == k)]
        if (paid != paid[0]).any():
            return None
        rows[own].append(float(paid[0]))
    return Crowd(np.array(rows[0]), np.array(rows[1]), game.title)


@dataclasses.dataclass(frozen=True)
class Test:
    """Whether a crowd is in a dilemma (after Hughes et al. 2018), and what it loses by it.

    coop_beats_defect  Rc(n-1) > Rd(0)      coop_beats_sucker  Rc(n-1) > Rc(0)
    greed, fear        defecting is better among the most, among the fewest cooperators
    equilibria         numbers of cooperators;  optimum  the number at which welfare is greatest
    anarchy            greatest welfare over that of the worst equilibrium (of costs: the inverse); NaN where their
                       signs differ or one is 0, for then no ratio makes sense;  loss  their difference
    """

    __test__ = False  # no test of pytest's

    coop_beats_defect: bool
    coop_beats_sucker: bool
    greed: bool
    fear: bool
    equilibria: tuple[int, ...]
    optimum: int
    anarchy: float
    loss: float

    @property
    def dilemma(self) -> bool:
        return self.coop_beats_defect and self.coop_beats_sucker and (self.greed or self.fear)


def test(crowd: Crowd) -> Test:
    """The n-player dilemma test, the equilibria and the price of anarchy."""
    welfare, points = crowd.welfare(), crowd.equilibria()
    c, d = tidy(np.stack([crowd.cooperate, crowd.defect]))
    best, worst = float(welfare.max()), float(welfare[points].min()) if points else np.nan
    price = np.nan
    if best * worst > 0:
        price = best / worst if best > 0 else worst / best
    return Test(
        bool(c[-1] > d[0]), bool(c[-1] > c[0]), bool(d[-1] > c[-1]), bool(d[0] > c[0]), tuple(points),
        int(welfare.argmax()), float(price), best - worst,
    )  # fmt: skip


test.__test__ = False  # type: ignore[attr-defined]


def public_goods(n: int, r: float) -> Crowd:
    """Linear public goods: a contribution of 1 is multiplied by r and shared by all n; a dilemma where 1 < r < n."""
    k = _others(n, "public goods")
    r = _positive(r, "r of public goods")
    return Crowd(r * (k + 1) / n - 1, r * k / n, "Public goods")


def threshold(n: int, needed: int, benefit: float, cost: float) -> Crowd:
    """Threshold public good: all get `benefit` where at least `needed` pay `cost`; who paid in vain is not repaid."""
    k = _others(n, "threshold")
    needed = _needed(needed, n)
    benefit, cost = _positive(benefit, "benefit of the threshold game"), _positive(cost, "cost of the threshold game")
    return Crowd(benefit * (k + 1.0 >= needed) - cost, benefit * (k >= needed), "Threshold public good")


def stag_hunt(n: int, needed: int, r: float) -> Crowd:
    """Stag hunt of n: linear public goods that yield nothing with fewer than `needed` hunters (Pacheco et al. 2009)."""
    k = _others(n, "stag hunt")
    needed, r = _needed(needed, n), _positive(r, "r of the stag hunt")
    paid = tidy(np.append(r * np.arange(n + 1) / n, 1.0))[:-1]  # 1, which it costs, where it is that but for dust
    return Crowd(paid[1:] * (k + 1 >= needed) - 1, paid[:-1] * (k >= needed), "Stag hunt of many")


def snowdrift(n: int, benefit: float, cost: float) -> Crowd:
    """Snowdrift: all get `benefit` where somebody shovels; the shovellers share `cost` (Zheng et al. 2007)."""
    k = _others(n, "snowdrift")
    benefit, cost = _positive(benefit, "benefit of the snowdrift"), _positive(cost, "cost of the snowdrift")
    return Crowd(benefit - cost / (k + 1), benefit * (k > 0), "Snowdrift")


def volunteer(n: int, benefit: float, cost: float) -> Crowd:
    """Volunteer's dilemma: as snowdrift, but each volunteer bears the whole cost (Diekmann 1985)."""
    k = _others(n, "volunteer")
    benefit, cost = _positive(benefit, "benefit of volunteering"), _positive(cost, "cost of volunteering")
    return Crowd(np.full(n, benefit - cost), benefit * (k > 0), "Volunteer's dilemma")


def congestion(long: Sequence[float] | np.ndarray, short: Sequence[float] | np.ndarray) -> Crowd:
    """Two roads (Rosenthal 1973): delays [n] of the long road and of the short one by how many drive on it, 1 .. n.

    To cooperate is to take the long road, so the payoff of both is minus a delay.
    """
    long, short = np.asarray(long, np.float64), np.asarray(short, np.float64)
    return Crowd(-long, -short[::-1], "Two roads")  # with k others on the long road, n - k drive on the short one


def pigou(n: int) -> Crowd:
    """Pigou's roads for n drivers: the long road takes 1, the short one its share of the traffic."""
    k = _others(n, "Pigou's roads")
    return congestion(np.ones(n), (k + 1) / n)


def _others(n: float, what: str) -> np.ndarray:
    if isinstance(n, bool) or int(n) != n or n < 2:
        raise Refusal(f"{what} is for a whole number of two or more players, not {n!r}.")
    return np.arange(int(n), dtype=np.float64)


def _needed(needed: int, n: int) -> int:
    if isinstance(needed, bool) or int(needed) != needed or not 1 <= needed <= n:
        raise Refusal(f"the number needed must be a whole number between 1 and {n}, not {needed!r}.")
    return int(needed)


def _positive(value: float, what: str) -> float:
    if not (np.isfinite(value) and value > 0):
        raise Refusal(f"the {what} must be a positive number, not {value!r}.")
    return float(value)
