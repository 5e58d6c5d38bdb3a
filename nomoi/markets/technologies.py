"""What producers can do.  A netput [goods] counts what comes out as positive and what goes in as negative."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from nomoi.markets.nest import Nest


@dataclasses.dataclass(frozen=True, eq=False)
class Technology:
    """Y, the netputs that are possible.

    convex   whether Y is convex by its formula: assumption I.a
    scaled   whether returns are constant: then `processes` says what one unit of each process does
    """

    goods: int

    family: ClassVar[str] = ""

    @property
    def convex(self) -> bool:
        return True

    @property
    def scaled(self) -> bool:
        return True

    @property
    def touches(self) -> tuple[np.ndarray, np.ndarray]:
        """[goods] what may come out, and what may go in."""
        raise NotImplementedError

    def processes(self, p: np.ndarray) -> np.ndarray:
        """[..., goods, J] netput of one unit of each process at prices p; J is 0 without constant returns."""
        return np.zeros((*p.shape, 0))

    def supply(self, p: np.ndarray) -> np.ndarray:
        """[..., goods] the netput of the largest profit where returns decrease; nothing else."""
        return np.zeros(p.shape)


@dataclasses.dataclass(frozen=True, eq=False)
class Activities(Technology):
    """Processes [goods, J] that can be run at any level from 0 up, side by side (also Leontief's fixed inputs)."""

    matrix: np.ndarray
    family: ClassVar[str] = "activities"

    @property
    def touches(self) -> tuple[np.ndarray, np.ndarray]:
        return (self.matrix > 0).any(1), (self.matrix < 0).any(1)

    def processes(self, p: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.matrix, (*p.shape, self.matrix.shape[1]))


@dataclasses.dataclass(frozen=True, eq=False)
class Smooth(Technology):
    """output = scale x f(inputs)^returns, with f a nest of inputs: Cobb-Douglas or CES, whose weights sum to one.

    Returns of 1 are constant; below 1 they decrease, and profits go to who has shares; above 1 they increase, and no
    price-taking firm has a best plan.
    """

    output: int
    nest: Nest
    scale: float = 1.0
    returns: float = 1.0
    family: ClassVar[str] = "ces"

    @property
    def convex(self) -> bool:
        return self.returns <= 1

    @property
    def scaled(self) -> bool:
        return self.returns == 1

    @property
    def touches(self) -> tuple[np.ndarray, np.ndarray]:
        return np.arange(self.goods) == self.output, self.nest.used

    def made(self, inputs: np.ndarray) -> float:
        """What comes out of inputs [goods]."""
        return float(self.scale * self.nest.value(inputs) ** self.returns)

    def processes(self, p: np.ndarray) -> np.ndarray:
        if not self.scaled:
            return np.zeros((*p.shape, 0))
        unit = -self.nest.bundle(p) / self.scale
        unit[..., self.output] += 1.0
        return unit[..., None]

    def supply(self, p: np.ndarray) -> np.ndarray:
        if self.returns >= 1:
            return np.zeros(p.shape)
        r, price, cost = self.returns, p[..., self.output], self.nest.cost(p)
        # profit scale p s^r - cost s is largest where the derivative in s = f(inputs) is 0
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            s = np.power(r * self.scale * price / cost, 1 / (1 - r))
            out = -s[..., None] * self.nest.bundle(p)
        out[..., self.output] += self.scale * s**r
        return out


@dataclasses.dataclass(frozen=True, eq=False)
class Fixed(Technology):
    """A fixed amount of one input before the first unit comes out, and `marginal` of it for each: returns increase."""

    output: int
    input: int
    fixed: float
    marginal: float
    family: ClassVar[str] = "fixed_cost"

    @property
    def convex(self) -> bool:
        return self.fixed == 0

    @property
    def scaled(self) -> bool:
        return self.fixed == 0

    @property
    def touches(self) -> tuple[np.ndarray, np.ndarray]:
        return np.arange(self.goods) == self.output, np.arange(self.goods) == self.input

    def processes(self, p: np.ndarray) -> np.ndarray:
        if not self.scaled:
            return np.zeros((*p.shape, 0))
        unit = np.zeros((self.goods, 1))
        unit[self.output], unit[self.input] = 1.0, -self.marginal
        return np.broadcast_to(unit, (*p.shape, 1))
