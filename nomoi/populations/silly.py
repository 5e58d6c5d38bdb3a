"""Silly rules make a community legible: after Hadfield-Menell et al. 2019.

A RECONSTRUCTION from the abstract, which says that dense silly rules (with no discernible effect on welfare) make
groups more robust, and quicker to adapt, when it is shaken whether rules are enforced; and from the tutorial, which
gives the cost 0.0005.  Payoffs, prior, size and dynamics are ours.

A member meets one important encounter a period, and `density` silly ones.  In each a bystander punishes if it is a
punisher; it does so for silly and important rules alike, and that is what makes silly rules tell something.  An
important encounter brings `gain` if the violation is punished, and `loss` if not; a silly one costs `cost`.  Members do
not know the share theta of punishers.  They hold a Beta belief, count what they see, and leave for good when to stay is
worth less than what they find outside: a one-armed bandit, solved here by backward induction.
"""

from __future__ import annotations

import dataclasses
import math
from functools import lru_cache

import numpy as np
from scipy import optimize, special, stats

from nomoi.core.parameters import Parameters, count, number
from nomoi.errors import Refusal, nearest
from nomoi.populations.engine import share, whole

MODES = ("add", "replace")
NOBODY = "nobody_joins: at the prior to stay is worth no more than what is outside"


@dataclasses.dataclass(frozen=True)
class Community(Parameters):
    """The rules of a community, and what its members believe and want.

    mode   "add": silly encounters come on top of one important one a period; "replace": one encounter a period, which
           is silly with chance d / (1 + d), so that silly rules crowd out important ones (ablation)
    """

    density: int = count(5, "d", "silly encounters of a member in a period", "ours", low=0)
    cost: float = number(
        0.0005,
        "c",
        "cost of a silly encounter",
        'the tutorial (Hadfield et al. 2024), caption of "Belief-Shocked Community Size and Activity"',
        low=0,
    )
    gain: float = number(1.0, "g", "brought by an important encounter where violations are punished", "ours")
    loss: float = number(1.0, "l", "lost in one where they are not", "ours")
    discount: float = number(0.9, "delta", "worth of the next period", "ours", 0, 1, open_high=True)
    alpha: float = number(1.0, "alpha", "of the prior: encounters seen punished", "ours", 0, open_low=True)
    beta: float = number(1.0, "beta", "of the prior: encounters seen unpunished", "ours", 0, open_low=True)
    outside: float = number(0.0, "u0", "worth of leaving, for good", "ours")
    cap: int = count(400, "cap", "encounters after which a member thinks it knows", "ours", low=1)
    mode: str = "add"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gain + self.loss <= 0:
            raise Refusal(
                f"community.gain + community.loss is {self.gain + self.loss:g}; a sum above 0 would be right."
            )
        if self.mode not in MODES:
            raise Refusal(f"community.mode is {self.mode!r}; {nearest(str(self.mode), MODES, 'mode')}")

    @property
    def seen(self) -> int:
        """Encounters that a member sees in a period."""
        return 1 + self.density if self.mode == "add" else 1

    @property
    def important(self) -> float:
        """Mean number of important encounters in a period."""
        return 1.0 if self.mode == "add" else 1 / (1 + self.density)

    @property
    def burden(self) -> float:
        """What silly rules cost in a period."""
        return self.cost * (self.density if self.mode == "add" else self.density / (1 + self.density))

    @property
    def threshold(self) -> float:
        """theta_c, the share of punishers above which a community is worth staying in."""
        per_period = self.outside * (1 - self.discount) + self.burden
        return (self.loss * self.important + per_period) / ((self.gain + self.loss) * self.important)

    def flow(self, m: np.ndarray | float) -> np.ndarray | float:
        """Expected payoff of a period where a share `m` of bystanders punish."""
        return self.important * (m * self.gain - (1 - m) * self.loss) - self.burden

    @property
    def stages(self) -> int:
        """K, periods over which a member looks ahead before it acts on what it believes for ever; at least 10."""
        return max(10, math.ceil(self.cap / self.seen))


def staying(c: Community, myopic: bool = False) -> list[np.ndarray]:
    """Q, the worth of staying: [K + 1] arrays, the k-th [k * seen + 1] by how many encounters were punished so far.

    Q = flow + discount E max(u0, Q'), where what is seen next is beta-binomial; backward from period K, at which the
    present belief is acted on for ever.  `myopic` members always reckon so, with no value of what they may learn.
    """
    if myopic:
        return [_forever(c, k) for k in range(c.stages + 1)]
    worth = [_forever(c, c.stages)]
    for k in reversed(range(c.stages)):
        s = np.arange(k * c.seen + 1)
        a, b = c.alpha + s, c.beta + k * c.seen - s
        then = np.maximum(worth[0], c.outside)
        more = np.arange(c.seen + 1)
        chance = _beta_binomial(c.seen, a[:, None], b[:, None], more)
        expected = (chance * then[s[:, None] + more]).sum(1)
        worth.insert(0, c.flow(a / (a + b)) + c.discount * expected)
    return worth


def _forever(c: Community, k: int) -> np.ndarray:
    """[k * seen + 1] worth of staying for good after k periods, by encounters punished so far."""
    return c.flow((c.alpha + np.arange(k * c.seen + 1)) / (c.alpha + c.beta + k * c.seen)) / (1 - c.discount)


def _beta_binomial(n: int, a: np.ndarray, b: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Chance of `s` out of `n` where the share is Beta(a, b)."""
    choose = special.gammaln(n + 1) - special.gammaln(s + 1) - special.gammaln(n - s + 1)
    return np.exp(choose + special.betaln(a + s, b + n - s) - special.betaln(a, b))


def value(c: Community) -> float:
    """V at the prior: worth of being free to join, and to leave later."""
    return float(max(staying(c)[0][0], c.outside))


def informed(c: Community) -> float:
    """Upper bound of V: a first period at the prior, after which theta is known for sure.

    E max(0, flow(theta)) under the prior; for a uniform prior and no costs flow(m) + discount / (1 - discount) / 4.
    """
    grid = (np.arange(20_000) + 0.5) / 20_000  # midpoints of equal parts of the prior (ours)
    theta = stats.beta.ppf(grid, c.alpha, c.beta)
    later = np.maximum(c.flow(theta) / (1 - c.discount), c.outside).mean()
    return float(max(c.flow(c.alpha / (c.alpha + c.beta)) + c.discount * later, c.outside))


def survival(c: Community, theta: float, periods: int, myopic: bool = False) -> np.ndarray:
    """[T + 1] exact share of members who are still there after t periods and the decision that follows them.

    Bystanders punish with chance `theta`.  Each member sees its own encounters only, so members are independent, and
    the chances of all counts can be carried forward.
    """
    theta, periods = share(theta, "theta"), whole(periods, "periods")
    worth = staying(c, myopic)
    chance, out = np.ones(1), []
    step = stats.binom.pmf(np.arange(c.seen + 1), c.seen, theta)
    for k in range(periods + 1):
        chance = np.where((worth[k] if k <= c.stages else _forever(c, k)) > c.outside, chance, 0)
        out.append(chance.sum())
        chance = np.convolve(chance, step)
    return np.array(out)


def welfare(c: Community, theta: float, periods: int = 200, myopic: bool = False) -> float:
    """Exact discounted payoff of a member who joins at the prior, where bystanders punish with chance `theta`.

    After `periods` those who are still there are taken to stay.
    """
    there = survival(c, theta, periods, myopic)
    discounts = c.discount ** np.arange(periods + 1)
    left = -np.diff(there, prepend=1.0)
    elsewhere = c.outside * float(discounts @ left)
    discounts[-1] /= 1 - c.discount
    return float(discounts @ there * c.flow(theta)) + elsewhere


@lru_cache(maxsize=128)
def boundary(c: Community, myopic: bool = False, diluted: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """[K + 1] weights of evidence alpha + beta, and the mean belief above which a member of such a weight stays.

    Between counts that can be seen the worth of staying is taken as linear.  At the weight of the prior there is only
    the prior, and the entry is 0 (stays) or 1 (leaves), unless beliefs may be `diluted` to little more than it.  Kept
    for the next who asks, so not to be written into.
    """
    start, worth = c.alpha + c.beta, staying(c, myopic)
    weights, means = start + c.seen * np.arange(c.stages + 1), np.empty(c.stages + 1)
    means[0] = _first(c, myopic) if diluted else float(worth[0][0] <= c.outside)
    for k in range(1, c.stages + 1):
        over = worth[k] - c.outside
        s = np.interp(0, over, np.arange(len(over)), left=-c.alpha, right=weights[k] - c.alpha)
        means[k] = (c.alpha + s) / weights[k]
    weights.flags.writeable = means.flags.writeable = False
    return weights, means


def _first(c: Community, myopic: bool) -> float:
    """The mean of a prior, of the weight of that of `c`, at which staying is worth what is outside."""
    weight = c.alpha + c.beta
    over = lambda m: float(staying(c.but(alpha=m * weight, beta=(1 - m) * weight), myopic)[0][0]) - c.outside  # noqa: E731
    if over(1e-9) > 0:
        return 0.0
    return 1.0 if over(1 - 1e-9) <= 0 else float(optimize.brentq(over, 1e-9, 1 - 1e-9, xtol=1e-4))


def legibility(c: Community, theta: float, periods: int) -> float:
    """Chance that a newcomer who looked on for `periods` is right whether the community is worth staying in.

    It says so where, after its Beta prior and what it saw, theta is more likely than not above the threshold.
    """
    theta, seen = share(theta, "theta"), whole(periods, "periods") * c.seen
    s = np.arange(seen + 1)
    says = stats.beta.sf(np.clip(c.threshold, 0, 1), c.alpha + s, c.beta + seen - s) > 0.5
    return float(stats.binom.pmf(s, seen, theta)[says == (theta > c.threshold)].sum())


def patience(c: Community, theta: float, right: float = 0.95, longest: int = 5000) -> int:
    """The periods after which a newcomer is right with chance `right`, and stays so for the next as many periods.

    It goes as 1 / ((1 + d) KL(theta_c || theta)).  A community too near the threshold is refused.
    """
    run = 0
    for periods in range(1, longest + 1):
        run = run + 1 if legibility(c, theta, periods) >= right else 0
        if run > periods // 2:
            return periods - run + 1
    raise Refusal(
        f"theta is {theta} and the threshold {c.threshold:.3f}, too near to be told apart in {longest} periods."
    )
