"""All competitive equilibria of an economy, behind one door that says which solver it used, and what that promises.

auto              whichever of these fits
perron            Cobb-Douglas exchange: a matrix whose columns sum to one (the only equilibrium, if irreducible)
negishi           Cobb-Douglas exchange: weights of consumers at which nobody needs a transfer
eisenberg_gale    Fisher markets, homothetic utilities: a convex program whose dual values are the prices
linear_exchange   exchange with linear utilities: a convex program of which every point is an equilibrium (Jain 2007)
scan              two goods: all roots along the relative price
complementarity   any convex economy: many starts of one system of equations
newton            exchange with smooth demand: roots in logarithms of prices, however far apart these are, many starts

Whatever a solver gives is completed (`clearing`) and certified (`verify`); what is not certified is not returned.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.markets import clearing, closed
from nomoi.markets.complementarity import LARGEST, search, size
from nomoi.markets.economy import Economy, convex
from nomoi.markets.scan import WIDER, scan
from nomoi.markets.utilities import TINY, Ces
from nomoi.markets.verify import Certificate, verify

SAME = 1e-6  # prices that differ by less, in shares of the value of all supply, are one equilibrium (ours)
# a good whose whole supply is worth less than this share of all supply is free, or there is no equilibrium (ours)
FREE = 1e-9
BATCH, STARTS = 12, 180  # starts between two looks at the indices, and at most (ours)


@dataclasses.dataclass(frozen=True, eq=False)
class Equilibrium:
    """prices [goods] sum to one; allocation [consumers, goods]; production [producers, goods]; levels [processes].

    index   +1 or -1, which sum to +1 over all equilibria; 0 where it may be one of a continuum; None where demand is
    a set
    """

    prices: np.ndarray
    allocation: np.ndarray
    production: np.ndarray
    levels: np.ndarray
    index: int | None
    certificate: Certificate

    @property
    def utilities(self) -> np.ndarray:
        """[consumers]"""
        return self.certificate.payoffs

    def data(self) -> dict[str, object]:
        return {
            "prices": self.prices.tolist(),
            "allocation": self.allocation.tolist(),
            "production": self.production.tolist(),
            "levels": self.levels.tolist(),
            "index": self.index,
            "utilities": [u if np.isfinite(u) else None for u in self.utilities.tolist()],
            "certificate": self.certificate.data(),
        }


@dataclasses.dataclass(frozen=True, eq=False)
class Equilibria(Sequence[Equilibrium]):
    """Those that were found, by the first price; and what is known about whether these are all.

    proved    whether it is proved that there are no others
    promise   in words, why these are all, or why there may be others;  tried   solvers and what came of them
    """

    economy: Economy
    found: tuple[Equilibrium, ...]
    proved: bool
    promise: str
    tried: tuple[str, ...]

    def __getitem__(self, k):  # type: ignore[override]
        return self.found[k]

    def __len__(self) -> int:
        return len(self.found)

    def data(self) -> dict[str, object]:
        return {
            "equilibria": [e.data() for e in self.found],
            "all": self.proved,
            "promise": self.promise,
            "tried": list(self.tried),
        }


def equilibria(economy: Economy, method: str = "auto", seed: int = 0) -> Equilibria:
    """The equilibria of a convex economy, each certified; empty where none was found.

    Raises a `Refusal` that names the assumption where returns increase, somebody can be satiated, or utilities are not
    quasi-concave; and where a method is asked for that does not solve such an economy.
    """
    if method not in METHODS:
        raise Refusal(f"there is no method {method!r}; {nearest(method, METHODS, 'method')}")
    convex(economy)
    unique = only_one(economy)
    method = _fitting(economy) if method == "auto" else method
    kept, tried = _Kept(economy), []

    def search_by(name: str) -> None:
        tries, passed = kept.tries, len(kept.found)
        for prices in METHODS[name](economy, seed, unique, kept):
            kept.add(prices)
        tries, passed = kept.tries - tries, len(kept.found) - passed
        vectors = f"price vector{'s' * (tries != 1)}"
        tried.append(
            f"{name} proposed {tries} {vectors}, of which {passed} passed the certificate as a new equilibrium"
        )

    search_by(method)
    stretch = method == "scan" and bool(kept.stretch)
    if not kept.found and method not in ("complementarity", "scan") and size(economy) <= LARGEST:
        search_by("complementarity")
    missed = sum(e.index or 0 for e in kept.found) != 1
    if missed and method not in ("newton", "scan") and economy.l > 2 and _smooth(economy):  # where others do not look
        search_by("newton")
    found = sorted(kept.found, key=lambda e: e.prices.tolist())
    return Equilibria(
        economy, tuple(found), bool(unique and found), _promise(economy, found, unique, method, stretch), tuple(tried)
    )


class _Kept:
    """Certified equilibria, each once."""

    def __init__(self, economy: Economy):
        self.economy, self.found, self.tries, self.stretch, self.free = economy, list[Equilibrium](), 0, False, FREE

    def add(self, prices: np.ndarray | None) -> None:
        self.tries += 1
        if prices is None or not np.isfinite(prices).all() or prices.sum() <= 0:
            return
        value = prices * self.economy.scale
        # what comes near a price of 0 without end is no equilibrium, unless 0 itself is one
        value = np.where(value < self.free * value.sum(), 0.0, value)
        value = value / value.sum()
        prices = value / self.economy.scale
        for e in self.found:
            other = e.prices * self.economy.scale
            if np.abs(value - other / other.sum()).max() < SAME:
                return
        with np.errstate(all="ignore"):
            for tied in (clearing.TIED, 1e-5):  # prices that are known less well tie less well
                whole = clearing.complete(self.economy, prices, tied)
                if not np.isfinite(whole.allocation).all():
                    return
                certificate = verify(self.economy, whole.prices, whole.allocation, whole.netputs)
                if certificate.holds:
                    break
            else:
                return
            sign = clearing.index(self.economy, whole)
        self.found.append(Equilibrium(whole.prices, whole.allocation, whole.netputs, whole.levels, sign, certificate))


def only_one(economy: Economy) -> str:
    """Why there can be only one vector of prices; empty where nothing here proves it."""
    if len(economy.consumers) == 1 and economy.exchange:
        smooth = isinstance(economy.consumers[0].utility, Ces)
        return "one consumer of smooth tastes, whose marginal rates of substitution are the prices" if smooth else ""
    smooth = all(isinstance(c.utility, Ces) for c in economy.consumers)
    if not (economy.exchange and smooth and economy.wanted.all()):
        return ""
    if economy.proportional is not None:
        return "all own the same part of every good and are homothetic, so they buy as one consumer would"
    if all(c.utility.substitutes for c in economy.consumers) and closed.irreducible(economy):
        return "goods are gross substitutes for everybody, and the economy is irreducible"
    return ""


def _fitting(economy: Economy) -> str:
    linear = all(c.utility.many for c in economy.consumers)
    simple = all(isinstance(c.utility, Ces) and c.utility.cobb_douglas for c in economy.consumers)
    if economy.exchange and simple and closed.irreducible(economy):
        return "perron"
    slow = any(c.utility.family == "concave" for c in economy.consumers)  # thousands of demands take too long
    if economy.l == 2 and not slow:
        return "scan"
    if economy.proportional is not None and linear:
        return "eisenberg_gale"
    if economy.exchange and linear:
        return "linear_exchange"
    if size(economy) > LARGEST:
        raise Refusal(
            f"{economy.title} makes {size(economy)} equations, more than the {LARGEST} that complementarity "
            "solves; fewer goods, processes or consumers with linear utilities would do."
        )
    return "complementarity"


def _promise(economy: Economy, found: Sequence[Equilibrium], unique: str, method: str, stretch: bool) -> str:
    if not found:
        why = "" if closed.irreducible(economy) else " the economy is not known to be irreducible: there may be none;"
        far = "where prices are too far apart for numbers, one would be missed"
        return f"no equilibrium was found:{why} see the assumptions ({far})."
    if unique:
        return f"there is no other: {unique}."
    if stretch:
        return "a continuum: every relative price in a stretch is one, of which its middle is given."
    signs = [e.index for e in found]
    if any(s is None for s in signs):
        if economy.exchange and all(c.utility.many and c.utility.homothetic for c in economy.consumers):
            return (
                "linear exchange: all equilibria give everybody the same utility (Gale 1976); prices may not be unique."
            )
        return "demand is a set, so that indices are not defined; whether there are others is not proved."
    if any(s == 0 for s in signs):
        return "an equilibrium whose index is 0 may be one of a continuum, or two that fall together."
    total = sum(s for s in signs if s)
    how = "the whole line of relative prices was searched" if method == "scan" else "searched from many starts"
    if total == 1:
        return f"{how}, and the indices sum to 1 as those of all do: evidence that these are all, and no proof."
    return f"{how}, but the indices sum to {total} and not to 1: another one was missed."


def _complementary(economy: Economy, seed: int, unique: str, kept: _Kept) -> Iterator[np.ndarray | None]:
    yield from _until(economy, kept, search(economy, seed, STARTS), unique)


def _until(
    economy: Economy, kept: _Kept, candidates: Iterator[np.ndarray | None], unique: str
) -> Iterator[np.ndarray | None]:
    """Candidates until the one that can be is found, or the indices sum to one over twice a batch of starts."""
    for k, prices in enumerate(candidates, 1):
        yield prices
        signs = [e.index for e in kept.found]
        if signs and (unique or None in signs):
            return
        if k >= 2 * BATCH and k % BATCH == 0 and signs and sum(s or 0 for s in signs) == 1:
            return


def _newton(economy: Economy, seed: int, unique: str, kept: _Kept) -> Iterator[np.ndarray | None]:
    from scipy.optimize import least_squares

    if not _smooth(economy):
        raise Refusal("newton takes exchange with smooth demand alone; complementarity takes the others.")
    rng, L, supply = np.random.default_rng(seed), economy.l, np.log(np.maximum(economy.supply, TINY))
    kept.free = 0.0  # what clears in logarithms does so however little it is worth

    def prices(logs: np.ndarray) -> np.ndarray:
        logs = np.concatenate([logs, np.zeros((*logs.shape[:-1], 1))], -1)
        return np.exp(logs - logs.max(-1, keepdims=True)) / economy.scale

    def excess(logs: np.ndarray) -> np.ndarray:
        """Of demand, in logarithms, so that a good counts however little it is worth."""
        with np.errstate(all="ignore"):
            return np.nan_to_num(np.log(economy.demands(prices(logs)).sum(-2)) - supply, nan=50, posinf=50, neginf=-50)

    def slopes(logs: np.ndarray) -> np.ndarray:
        both = excess(np.concatenate([logs + 1e-6 * np.eye(L - 1), logs - 1e-6 * np.eye(L - 1)]))
        return ((both[: L - 1] - both[L - 1 :]) / 2e-6).T

    def candidates() -> Iterator[np.ndarray | None]:
        close = dict.fromkeys(("xtol", "ftol", "gtol"), 1e-15)
        for k in range(STARTS):
            start = rng.normal(0, (2, 5, 10)[k % 3], L - 1) * (k > 0)
            found = least_squares(excess, start, slopes, method="lm", max_nfev=150, **close)
            p = prices(found.x)
            yield p / p.sum() if np.abs(found.fun).max() < 1e-9 else None

    yield from _until(economy, kept, candidates(), unique)


def _smooth(economy: Economy) -> bool:
    return economy.exchange and not any(c.utility.many for c in economy.consumers)


def _scan(economy: Economy, seed: int, unique: str, kept: _Kept) -> Iterator[np.ndarray | None]:
    if economy.l != 2:
        raise Refusal(f"scan takes two goods, and {economy.title} has {economy.l}; complementarity takes more.")
    with np.errstate(all="ignore"):
        candidates, kept.stretch = scan(economy)
    yield from candidates
    if not kept.found:
        kept.free = 0.0
        with np.errstate(all="ignore"):
            candidates, kept.stretch = scan(economy, WIDER)
        yield from candidates


def _one(solver: Callable[[Economy], np.ndarray | list[np.ndarray]]) -> Callable[..., Iterator[np.ndarray | None]]:
    def candidates(economy: Economy, seed: int, unique: str, kept: _Kept) -> Iterator[np.ndarray | None]:
        if not economy.exchange:
            raise Refusal(
                f"{economy.title} has producers, and this method takes exchange alone; complementarity takes both."
            )
        for prices in [found] if isinstance(found := solver(economy), np.ndarray) else found:
            yield prices
            if kept.found:
                return

    return candidates


def _convex(name: str) -> Callable[[Economy], list[np.ndarray]]:
    def solve(economy: Economy) -> list[np.ndarray]:
        from nomoi.markets import programs

        return getattr(programs, name)(economy)

    return solve


METHODS: dict[str, Callable[..., Iterator[np.ndarray | None]]] = {
    "auto": _complementary,
    "perron": _one(closed.perron),
    "negishi": _one(closed.negishi),
    "eisenberg_gale": _one(_convex("eisenberg_gale")),
    "linear_exchange": _one(_convex("linear_exchange")),
    "scan": _scan,
    "complementarity": _complementary,
    "newton": _newton,
}
