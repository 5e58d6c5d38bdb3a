"""Third-party punishment and internalised norms in a public-goods game.

Contributors give g of an endowment E, and the group shares r times what is given; observers fine the shortfall below a
norm.  Who feels guilt complies for less, and who feels a duty punishes at a cost.  The formulas are derived here;
how internalisation evolves follows the question of Gavrilets & Richerson 2017 in a model of ours, so only its
ordering is compared with theirs.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from nomoi.core.parameters import Answer, Parameters, count, number, probability
from nomoi.errors import Refusal


@dataclasses.dataclass(frozen=True)
class Commons(Parameters):
    """A public-goods game with observers.  All defaults are ours."""

    members: int = count(4, "n", "members of a group", low=2)
    endowment: float = number(1.0, "E", "what each could give", low=0)
    multiplier: float = number(1.6, "r", "what a unit given is worth to all together", low=0)
    norm: float = number(1.0, "g*", "what each should give", low=0)
    seen: float = probability(0.5, "o", "chance that an observer sees a member")
    fine: float = number(0.6, "phi", "taken for each unit of shortfall, by each who sees it", low=0)
    fining: float = number(0.3, "k", "paid by the one who fines, for each unit taken", low=0)
    guilt: float = number(0.0, "lambda", "felt for each unit of one's shortfall", low=0)
    duty: float = number(0.0, "eta", "felt for each unit of shortfall that one punishes", low=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 < self.multiplier < self.members:
            raise Refusal(f"commons.multiplier is {self.multiplier:g}; between 1 and the {self.members} members it is "
                          "a dilemma.")  # fmt: skip
        if self.norm > self.endowment:
            raise Refusal(f"commons.norm is {self.norm:g}, more than the endowment of {self.endowment:g}.")

    @property
    def temptation(self) -> float:
        """What a unit kept is worth to the one who keeps it, 1 - r / n."""
        return 1 - self.multiplier / self.members

    def complies(self, observers: float) -> bool:
        """Whether giving the norm is best: o S phi + lambda >= 1 - r / n, with S willing observers."""
        return bool(self.seen * observers * self.fine + self.guilt >= self.temptation)

    @property
    def punishes(self) -> bool:
        """Whether one who feels the duty punishes: eta >= k phi."""
        return self.duty >= self.fining * self.fine

    @property
    def least_fine(self) -> Answer:
        """The fine at which one willing observer is enough without guilt, (1 - r / n) / o."""
        if self.seen == 0:
            return Answer(float("inf"), ("nobody is seen",))
        return Answer(self.temptation / self.seen)

    @property
    def tip(self) -> Answer:
        """x* = (1 - r / n) / (o (n - 1) phi): the share of internalisers, who also punish, from which all comply."""
        force = self.seen * (self.members - 1) * self.fine
        share = self.temptation / force if force > 0 else float("inf")
        return Answer(share, ("no tipping: not even all others would deter",) if share > 1 else ())

    def compliance(self, internalisers: float) -> float:
        """x + (1 - x) 1[x >= x*]: the share that complies where a share x has internalised the norm."""
        if not 0 <= internalisers <= 1:
            raise Refusal(f"the share of internalisers is {internalisers!r}; a number in [0, 1] would be right.")
        return internalisers + (1 - internalisers) * float(internalisers >= self.tip.value)

    def payoffs(self, gifts: np.ndarray, fines: np.ndarray) -> np.ndarray:
        """[..., n] material payoffs from gifts [..., n] and how many times each fines each [..., n, n] (row fines)."""
        short = np.maximum(self.norm - gifts, 0)
        public = self.multiplier / self.members * gifts.sum(-1, keepdims=True)
        taken = self.fine * short * fines.sum(-2)
        paid = self.fining * self.fine * (fines * short[..., None, :]).sum(-1)
        return self.endowment - gifts + public - taken - paid


@dataclasses.dataclass(frozen=True)
class Descent(Parameters):
    """How the strength of internalisation evolves: groups of people with a trait lambda in [0, 1].

    Groups meet in pairs and the poorer one is replaced by a copy of the richer; inside, parents are drawn by payoff.
    Where punishing is promoted, who has internalised the norm feels the duty to punish as strongly as the guilt.
    """

    groups: int = count(60, "G", "groups; an even number", low=2)
    people: int = count(8, "n", "people of a group", low=2)
    conflict: float = probability(0.1, "eps", "chance that a pair of groups meets in a contest")
    mixing: float = probability(0.02, "m", "chance that a child grows up in another group")
    mutation: float = number(0.05, "sigma", "standard deviation of what a child's lambda differs by", low=0)
    selection: float = number(1.0, "s", "weight of payoff in who becomes a parent", low=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups % 2:
            raise Refusal(f"descent.groups is {self.groups}; an even number would be right, so that all are paired.")


def internalise(
    game: Commons, descent: Descent, seed: int, generations: int = 500, promoted: bool = True, wholly: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """[generations] mean lambda and share of givers, from nobody having internalised anything.

    promoted   whether the norm asks to punish;    wholly  whether it asks to contribute (else lambda does nothing)
    """
    game = game.but(members=descent.people)
    rng = np.random.default_rng(seed)
    traits = np.zeros((descent.groups, descent.people))
    out = np.zeros((2, generations))
    for t in range(generations):
        felt = traits if wholly else np.zeros_like(traits)
        willing = (felt >= game.fining * game.fine) & promoted
        others = willing.sum(1, keepdims=True) - willing
        gifts = game.norm * (game.seen * others * game.fine + felt >= game.temptation)
        fines = (rng.random((*traits.shape, descent.people)) < game.seen) & willing[..., None]
        fines &= ~np.eye(descent.people, dtype=bool)
        payoff = game.payoffs(gifts, fines.astype(float))
        out[:, t] = traits.mean(), (gifts > 0).mean()
        traits = _children(rng, descent, traits, payoff)
    return out[0], out[1]


def _children(rng: np.random.Generator, d: Descent, traits: np.ndarray, payoff: np.ndarray) -> np.ndarray:
    pairs = rng.permutation(d.groups).reshape(-1, 2)
    pairs = pairs[rng.random(len(pairs)) < d.conflict]
    first = payoff[pairs[:, 0]].mean(1) >= payoff[pairs[:, 1]].mean(1)
    home = np.arange(d.groups)
    home[np.where(first, pairs[:, 1], pairs[:, 0])] = np.where(first, pairs[:, 0], pairs[:, 1])
    weight = np.exp(d.selection * payoff)
    edges = (weight / weight.sum(1, keepdims=True)).cumsum(1)
    parent = (rng.random(traits.shape)[..., None] >= edges[home][:, None, :-1]).sum(-1)
    child = traits[home[:, None], parent] + d.mutation * rng.standard_normal(traits.shape)
    child = np.abs(child)
    child = 1 - np.abs(1 - child)  # reflected at 0 and at 1
    moves = np.flatnonzero(rng.random(child.size) < d.mixing)
    flat = child.ravel()
    flat[moves] = flat[rng.permutation(moves)]
    return flat.reshape(child.shape)
