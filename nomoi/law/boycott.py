"""Two buyers, one seller, one classification: when does collective punishment deter?  (Hadfield & Weingast 2012.)

A seller serves each buyer at price P and saves c by a wrongful performance.  A classification institution R says which
performances are wrongful; a buyer whom R suits (with probability 1 - rho) boycotts for `spell` periods after any
wrongful performance, her own or the other's.  The tutorial prints the bound c < x P / (1 + x), x = 2 delta (1 - rho_i)
(1 - rho_j), which is c < x (P - c): what one wrong saves against one period's profit from both, lost when R suits both.
That c is what the seller saves is derived here; the paper's proof was not available to us.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from nomoi.core.parameters import Answer, Parameters, count, number, probability
from nomoi.errors import Refusal, nearest

JOINT, INDEPENDENT, VICTIM = "joint", "independent", "victim"
BOYCOTTS = (JOINT, INDEPENDENT, VICTIM)


@dataclasses.dataclass(frozen=True)
class Trade(Parameters):
    """What the parties know.  Only the symbols are published; every default is ours."""

    price: float = number(1.0, "P", "paid by a buyer each period", low=0, open_low=True)
    perf_cost: float = number(0.5, "c", "what the seller saves by one wrongful performance", low=0)
    delta: float = number(0.9, "delta", "discount factor", low=0, high=1, open_high=True)
    rho_i: float = probability(0.1, "rho^i", "chance that R does not suit the first buyer")
    rho_j: float = probability(0.2, "rho^j", "chance that R does not suit the second buyer")
    value: float = number(2.0, "v", "what a performance is worth to a buyer who values it", low=0)
    boycott_cost: float = number(0.2, "kappa", "what a period of boycott costs a buyer", low=0)
    spell: int = count(1, "ell", "periods that a boycott lasts")

    @property
    def pi(self) -> float:
        """Chance that R suits both buyers, (1 - rho_i)(1 - rho_j)."""
        return (1 - self.rho_i) * (1 - self.rho_j)


def _known(boycott: str) -> None:
    if boycott not in BOYCOTTS:
        raise Refusal(f"boycott is {boycott!r}; {nearest(boycott, BOYCOTTS, 'boycott')}")


def _flags(trade: Trade) -> tuple[str, ...]:
    return ("no trade: it costs the price or more to perform",) if trade.perf_cost >= trade.price else ()


def loss(trade: Trade, boycott: str = JOINT) -> float:
    """x: expected discounted buyer-periods lost after a wrong; the profit of each is P - c.

    joint        both boycott if R suits both (the tutorial's proposition for a spell of 1)
    independent  each boycotts if R suits her
    victim       only the one who was wronged boycotts, here the one whom R suits less: there is no law
    """
    _known(boycott)
    periods = trade.delta * (1 - trade.delta**trade.spell) / (1 - trade.delta)
    likely = (1 - trade.rho_i, 1 - trade.rho_j)
    buyers = {JOINT: 2 * trade.pi, INDEPENDENT: sum(likely), VICTIM: min(likely)}
    return periods * buyers[boycott]


def bound(trade: Trade, boycott: str = JOINT, wrongs: int = 1) -> Answer:
    """The cost below which the seller does not deliver `wrongs` wrongful performances at once: x P / (wrongs + x).

    One wrong with a joint boycott is the tutorial's proposition.  It does not deter wronging both buyers in the same
    period, where one boycott pays for two wrongs: then the bound is delta pi P / (1 + delta pi) (derived).
    Where only victims boycott, each wrong is paid for by itself, so the bound is that of one wrong.
    """
    if wrongs not in (1, 2):
        raise Refusal(f"wrongs is {wrongs!r}; 1 or 2 performances a period can be wrongful.")
    x, flags = loss(trade, boycott), _flags(trade)
    if boycott == INDEPENDENT and trade.spell > 1 and wrongs == 1:
        flags = (*flags, "too high: while one buyer boycotts, to wrong the other costs less; see solved_bound")
    return Answer(x * trade.price / ((1 if boycott == VICTIM else wrongs) + x), flags)


def crowd_bound(trade: Trade, buyers: int) -> Answer:
    """The bound for one wrong among `buyers` who boycott each with chance 1 - rho_i: it tends to P as they grow."""
    if isinstance(buyers, bool) or not isinstance(buyers, int) or buyers < 1:
        raise Refusal(f"buyers is {buyers!r}; a whole number of at least 1 would be right.")
    x = buyers * loss(trade.but(rho_j=trade.rho_i), VICTIM)
    return Answer(x * trade.price / (1 + x), _flags(trade))


def noisy_bound(trade: Trade, heard: float, imagined: float) -> Answer:
    """The bound for one wrong where readings err: c < x (P - c), x = 2 delta pi (a1^2 - a0^2) / (1 + delta pi a0^2).

    heard, imagined   a1, a0: chance that a buyer reads a wrong where there was one, and where there was none
    """
    b1, b0 = trade.pi * heard**2, trade.pi * imagined**2
    return chance_bound(trade, b1, b0)


def chance_bound(trade: Trade, after_wrong: float, after_right: float) -> Answer:
    """The same from the chances of a joint boycott after one wrong and after none, for a spell of 1."""
    x = 2 * trade.delta * (after_wrong - after_right) / (1 + trade.delta * after_right)
    flags = _flags(trade)
    if x < 0:
        x, flags = 0.0, (*flags, "boycotts follow right acts more often than wrong ones")
    return Answer(x * trade.price / (1 + x), flags)


def readings(eps: float, acts: int = 1) -> tuple[float, float]:
    """(a1, a0): chance to read at least one wrong among `acts` performances, of which one or none was wrongful,
    where each reading is flipped with chance `eps`.  With one act only the one at issue is read."""
    if acts not in (1, 2):
        raise Refusal(f"acts is {acts!r}; readers read 1 act or 2.")
    return 1 - eps * (1 - eps) ** (acts - 1), 1 - (1 - eps) ** acts


def threshold(trade: Trade) -> Answer:
    """r_low: how often R must agree with a buyer's own judgement for her to bear a boycott (derived).

    kappa (1 - delta) < delta (r v - P), so r_low = (P + kappa (1 - delta) / delta) / v.
    """
    if trade.delta == 0 or trade.value == 0:
        return Answer(float("inf"), ("no future or no value: nobody boycotts",))
    low = (trade.price + trade.boycott_cost * (1 - trade.delta) / trade.delta) / trade.value
    return Answer(low, ("nobody boycotts: the threshold is 1 or more",) if low >= 1 else ())


# --- the seller's problem, solved without the formula -----------------------------------------------------------


def seller(
    trade: Trade, boycott: str = JOINT, wrongs: int = 1, chances: tuple[float, float, float] | None = None
) -> tuple[np.ndarray, bool]:
    """Value iteration of the seller's problem: values [spell + 1, spell + 1] by boycott periods left of each buyer,
    and whether never wronging is optimal where nobody boycotts.

    The seller picks which of the buyers who buy to wrong, at most `wrongs` of them.  `chances` are those of a joint
    boycott after 0, 1 and 2 wrongs, by default 0, pi, pi; where nobody buys there is nothing to read.
    """
    _known(boycott)
    given = (0.0, trade.pi, trade.pi) if chances is None else chances
    states = list(itertools.product(range(trade.spell + 1), repeat=2))
    place = {s: k for k, s in enumerate(states)}
    acts = [a for a in itertools.product((0, 1), repeat=2) if sum(a) <= wrongs]
    pay = np.full((len(acts), len(states)), -np.inf)
    move = np.zeros((len(acts), len(states), len(states)))
    for (k, act), (s, left) in itertools.product(enumerate(acts), enumerate(states)):
        if any(a and wait for a, wait in zip(act, left, strict=True)):
            continue  # nobody can be wronged who does not buy
        pay[k, s] = sum(trade.price - trade.perf_cost for wait in left if not wait) + trade.perf_cost * sum(act)
        for chance, hit in _reactions(trade, boycott, act, given if 0 in left else (0.0, 0.0, 0.0)):
            after = tuple(trade.spell if h else max(wait - 1, 0) for h, wait in zip(hit, left, strict=True))
            move[k, s, place[after]] += chance  # type: ignore[index]
    values, moved = np.zeros(len(states)), np.inf
    while moved > 1e-13 * max(1.0, float(np.abs(values).max())):
        worth = pay + trade.delta * move @ values
        values, moved = worth.max(0), float(np.abs(worth.max(0) - values).max())
    clean = (pay + trade.delta * move @ values)[:, place[0, 0]]
    slack = 1e-11 * max(1.0, float(np.abs(clean).max()))
    return values.reshape(trade.spell + 1, -1), bool(clean[acts.index((0, 0))] >= clean.max() - slack)


def _reactions(
    trade: Trade, boycott: str, act: tuple[int, ...], chances: tuple[float, float, float]
) -> list[tuple[float, tuple[bool, bool]]]:
    """(chance, which buyers boycott) after `act`."""
    if boycott == JOINT:
        p = chances[sum(act)]
        return [(p, (True, True)), (1 - p, (False, False))]
    stirred = (any(act), any(act)) if boycott == INDEPENDENT else (bool(act[0]), bool(act[1]))
    p_i, p_j = (1 - trade.rho_i) * stirred[0], (1 - trade.rho_j) * stirred[1]
    return [((p_i if i else 1 - p_i) * (p_j if j else 1 - p_j), (i, j)) for i in (True, False) for j in (True, False)]


def solved_bound(
    trade: Trade,
    boycott: str = JOINT,
    wrongs: int = 1,
    chances: tuple[float, float, float] | None = None,
    digits: float = 1e-8,
) -> float:
    """The bound found by bisection on c of `seller`, to `digits`; 0 where even the least saving tempts."""
    low, high = 0.0, trade.price
    while high - low > digits * trade.price:
        c = (low + high) / 2
        low, high = (c, high) if seller(trade.but(perf_cost=c), boycott, wrongs, chances)[1] else (low, c)
    return (low + high) / 2
