"""Economies after Arrow & Debreu (1954): goods, consumers who own and want them, producers who turn some into
others."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nomoi.errors import Refusal, printable
from nomoi.markets.technologies import Technology
from nomoi.markets.utilities import Ces, Utility, ces

if TYPE_CHECKING:
    from nomoi.markets.assumptions import Finding
    from nomoi.markets.equilibria import Equilibria
    from nomoi.markets.welfare import Improvement, Transfers

LARGEST = 100_000  # consumers times goods (ours): tables of them are held many times over
HUGE = 1e50  # numbers beyond it, or nearer to 0 than 1 over it, are refused, as their powers are none (ours)


@dataclasses.dataclass(frozen=True, eq=False)
class Consumer:
    """Who wants goods, owns `endowment` [goods] of them, and a share of each producer's profit [producers]."""

    name: str
    utility: Utility
    endowment: np.ndarray
    shares: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))


@dataclasses.dataclass(frozen=True, eq=False)
class Producer:
    """Who turns goods into others."""

    name: str
    technology: Technology


@dataclasses.dataclass(frozen=True, eq=False)
class Economy:
    """An economy of private ownership; what is had too much of can be thrown away.

    Raises a `Refusal` where an endowment is negative, shares of a profit do not sum to one (assumption IV.b), or nobody
    owns or makes a good.

    >>> from nomoi.markets import economies
    >>> economies.named("edgeworth").equilibria()[0].prices.round(4).tolist()
    [0.4, 0.6]
    """

    goods: tuple[str, ...]
    consumers: tuple[Consumer, ...]
    producers: tuple[Producer, ...] = ()
    title: str = "economy"

    def __post_init__(self) -> None:
        tidy = lambda names: tuple(printable(str(name)).strip() for name in names)  # noqa: E731
        object.__setattr__(self, "goods", tidy(self.goods))
        if len(self.goods) < 2 or not self.consumers:
            raise Refusal(
                f"{self.title} has {len(self.goods)} goods and {len(self.consumers)} consumers; two goods and "
                "one consumer are the least."
            )
        if len(self.goods) * len(self.consumers) > LARGEST:
            raise Refusal(
                f"{self.title} has {len(self.consumers)} consumers of {len(self.goods)} goods; up to "
                f"{LARGEST:,} of both multiplied can be solved."
            )
        for what, names in (
            ("goods", self.goods),
            ("consumers", tidy(c.name for c in self.consumers)),
            ("producers", tidy(q.name for q in self.producers)),
        ):
            twice = sorted({n for n in names if names.count(n) > 1}) if len(names) < 1000 else []
            if twice:
                raise Refusal(f"{self.title} has two {what} called {twice[0]!r}; names must differ.")
        fixed = []
        for c in self.consumers:
            owned = self._row(c.endowment, len(self.goods), f"what {c.name} owns", "goods")
            shares = self._row(c.shares, len(self.producers), f"the shares of {c.name}", "producers")
            if c.utility.goods != len(self.goods):
                raise Refusal(f"{c.name} has a utility of {c.utility.goods} goods, and there are {len(self.goods)}.")
            fixed.append(dataclasses.replace(c, name=printable(c.name).strip(), endowment=owned, shares=shares))
        object.__setattr__(self, "consumers", tuple(fixed))
        if any(q.technology.goods != len(self.goods) for q in self.producers):
            raise Refusal(f"{self.title} has a producer of another number of goods than {len(self.goods)}.")
        self._owned()

    @staticmethod
    def _row(numbers: Sequence[float] | np.ndarray, length: int, what: str, of: str) -> np.ndarray:
        row = np.asarray(numbers, np.float64)
        if row.shape == (0,):
            row = np.zeros(length)
        if row.shape != (length,) or not np.isfinite(row).all():
            raise Refusal(f"{what}: {row.tolist()}; {length} finite numbers, one for each of the {of}, would be right.")
        if (row < 0).any():
            raise Refusal(f"{what}: {row.tolist()}; none may be negative (assumption IV).")
        if not sized(row).all():
            raise Refusal(f"{what}: {row.tolist()}; 0, or numbers between {1 / HUGE:g} and {HUGE:g}, would be right.")
        return row

    def _owned(self) -> None:
        if self.producers:
            for producer, total in zip(self.producers, self.shares.sum(0), strict=True):
                if abs(total - 1) > 1e-9:
                    raise Refusal(
                        f"the shares in {producer.name} sum to {total:.6g}, and must sum to 1 (assumption "
                        "IV.b): somebody has to own each profit."
                    )
        made = np.zeros(len(self.goods), bool)
        for producer in self.producers:
            made |= producer.technology.touches[0]
        for k in np.flatnonzero((self.supply == 0) & ~made):
            raise Refusal(
                f"nobody owns or makes {self.goods[k]} in {self.title}; give somebody some of it, or leave it "
                "out (assumption IV.a)."
            )
        least = sum(c.utility.least for c in self.consumers)
        for k in np.flatnonzero((least > self.supply) & ~made):
            raise Refusal(
                f"there is {self.supply[k]:g} of {self.goods[k]} in {self.title}, and {least[k]:g} is the least "
                "that consumers can live with (assumption IV.a)."
            )

    @property
    def l(self) -> int:  # noqa: E743
        """How many goods."""
        return len(self.goods)

    @cached_property
    def endowments(self) -> np.ndarray:
        """[consumers, goods] what each owns."""
        return np.array([c.endowment for c in self.consumers])

    @cached_property
    def shares(self) -> np.ndarray:
        """[consumers, producers] of profits."""
        return np.array([c.shares for c in self.consumers])

    @cached_property
    def supply(self) -> np.ndarray:
        """[goods] what all own together."""
        return self.endowments.sum(0)

    @cached_property
    def scale(self) -> np.ndarray:
        """[goods] how much of each good is about: what is owned; else as much as of the others, on average."""
        known = self.supply > 0
        return np.where(known, self.supply, np.exp(np.log(self.supply[known]).mean()) if known.any() else 1.0)

    @cached_property
    def wanted(self) -> np.ndarray:
        """[goods] what some consumer wants, or some producer can use."""
        out = np.zeros(self.l, bool)
        for c in self.consumers:
            out |= c.utility.wanted
        for q in self.producers:
            out |= q.technology.touches[1]
        return out

    @property
    def exchange(self) -> bool:
        """Whether nothing is produced."""
        return not self.producers

    @cached_property
    def proportional(self) -> np.ndarray | None:
        """[consumers] each one's part of all goods alike, as in Fisher's markets; None where parts differ by good."""
        part = self.endowments / np.where(self.supply > 0, self.supply, 1.0)
        alike = self.exchange and (np.ptp(part[:, self.supply > 0], axis=1) < 1e-12).all()
        return part[:, self.supply > 0][:, 0] if alike else None

    def profits(self, p: np.ndarray) -> np.ndarray:
        """[..., producers] at prices [..., goods]; those with constant returns make none."""
        each = [(q.technology.supply(p) * p).sum(-1) for q in self.producers]
        return np.stack(each, -1) if each else np.zeros((*p.shape[:-1], 0))

    def incomes(self, p: np.ndarray) -> np.ndarray:
        """[..., consumers] what each can spend at prices [..., goods]."""
        return p @ self.endowments.T + self.profits(p) @ self.shares.T

    def demands(self, p: np.ndarray) -> np.ndarray:
        """[..., consumers, goods] what all would buy, by closed formulas; one point of it where it is a set."""
        m = self.incomes(p)
        out = np.empty((*m.shape, self.l))
        alike, pull, sigma = self._flat
        if len(alike):
            out[..., alike, :] = ces(pull, sigma, p, m[..., alike])
        for i in np.flatnonzero(~np.isin(np.arange(len(self.consumers)), alike)):
            out[..., i, :] = self.consumers[i].utility.demand(p, m[..., i])
        return out

    @cached_property
    def _flat(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Who has a CES utility of one level: numbers [n], pulls [n, goods], elasticities [n]; computed at one go."""
        each = [(i, c.utility) for i, c in enumerate(self.consumers) if isinstance(c.utility, Ces) and c.utility.flat]
        pull = np.array([u.pull for _, u in each]).reshape(len(each), self.l)
        return np.array([i for i, _ in each], int), pull, np.array([u.nest.sigma for _, u in each])

    def excess(self, p: np.ndarray) -> np.ndarray:
        """[..., goods] demand less what is owned and what firms with decreasing returns make."""
        firms = sum((q.technology.supply(p) for q in self.producers), np.zeros(p.shape))
        return self.demands(p).sum(-2) - self.supply - firms

    def processes(self, p: np.ndarray) -> np.ndarray:
        """[..., goods, J] netputs of one unit of every process with constant returns, producer after producer."""
        each = [q.technology.processes(p) for q in self.producers]
        return np.concatenate(each, -1) if each else np.zeros((*p.shape, 0))

    def equilibria(self, method: str = "auto", seed: int = 0) -> Equilibria:
        """All competitive equilibria that are found, each with its certificate; see `nomoi.markets.equilibria`."""
        from nomoi.markets.equilibria import equilibria

        return equilibria(self, method, seed)

    def assumptions(self) -> list[Finding]:
        """Which assumptions of the existence theorem hold; see `nomoi.markets.assumptions`."""
        from nomoi.markets.assumptions import assumptions

        return assumptions(self)

    def pareto(self, allocation: np.ndarray) -> Improvement:
        """Whether all could be made better off than by an allocation [consumers, goods]; see
        `nomoi.markets.welfare`."""
        from nomoi.markets.welfare import improvement

        return improvement(self, allocation)

    def transfers(self, target: np.ndarray) -> Transfers:
        """Prices and transfers under which an allocation [consumers, goods] is what the market brings."""
        from nomoi.markets.welfare import transfers

        return transfers(self, target)

    def owning(self, endowments: np.ndarray) -> Economy:
        """The same economy with other endowments [consumers, goods]."""
        rows = zip(self.consumers, endowments, strict=True)
        return dataclasses.replace(self, consumers=tuple(dataclasses.replace(c, endowment=e) for c, e in rows))


def sized(numbers: np.ndarray | float) -> np.ndarray | np.bool_:
    """Which numbers are 0, or of a size that can be computed with."""
    size = np.abs(numbers)
    return (size == 0) | ((size >= 1 / HUGE) & (size <= HUGE))


def convex(economy: Economy, what: str = "the solvers") -> None:
    """Refuse what takes away the ground from all solvers here, naming the assumption."""
    for q in economy.producers:
        if not q.technology.convex:
            raise Refusal(
                f"{q.name} has increasing returns, and {what} assume convex production (assumption I.a): "
                "at prices it takes as given, it has no best plan; see `nomoi run failures`."
            )
    for c in economy.consumers:
        if c.utility.satiable:
            raise Refusal(
                f"{c.name} can have enough (a {c.utility.family} point), and {what} assume that more of "
                "something is always better (assumption III.b, non-satiation)."
            )
        if not c.utility.concave:
            raise Refusal(
                f"{c.name} prefers extremes to mixtures, and {what} assume quasi-concave utilities "
                "(assumption III.c): for CES an elasticity above 0, or rho at most 1."
            )
