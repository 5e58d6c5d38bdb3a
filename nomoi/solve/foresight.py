"""Small worlds and large ones (Savage 1954): look before you leap, or cross that bridge when you come to it.

A *world* is a Markov decision process.  An agent's *model* of it lists only some of its states: those that together
make up a share `coverage` of what happens under the best policy, the common ones first.  A planner solves the model
exactly; in states that it does not list the plan is silent.  An explorer has no model and learns from what happens.
The design is ours; W worlds stand side by side.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from nomoi.errors import Refusal

SILENT = -1  # the action of a plan in a state that its model does not list


@dataclasses.dataclass(frozen=True, eq=False)
class Worlds:
    """transitions [W, S, A, S] and rewards [W, S, A] of W worlds."""

    transitions: np.ndarray
    rewards: np.ndarray

    def __post_init__(self) -> None:
        t, r = self.transitions, self.rewards
        if t.ndim != 4 or r.shape != t.shape[:3] or t.shape[1] != t.shape[3]:
            raise Refusal(f"worlds have transitions {list(t.shape)} and rewards {list(r.shape)}; [W, S, A, S] and "
                          "[W, S, A] are right.")  # fmt: skip
        if not ((t >= 0).all() and np.allclose(t.sum(-1), 1, atol=1e-9) and np.isfinite(r).all()):
            raise Refusal("worlds have chances that do not sum to 1, or a reward that is not a finite number.")


def garnets(rng: np.random.Generator, worlds: int, states: int, actions: int, branching: int) -> Worlds:
    """Random worlds: each action leads to `branching` states by chance, rewards are uniform on [0, 1].

    Garnet problems: Archibald et al. 1995.
    """
    if min(worlds, states, actions) < 1 or not 1 <= branching <= states:
        raise Refusal(f"{worlds} worlds of {states} states, {actions} actions and {branching} branches: all are 1 or "
                      "more, and there are no more branches than states.")  # fmt: skip
    shape = (worlds, states, actions)
    there = rng.random((*shape, states)).argsort(-1)[..., :branching]
    chances = np.zeros((*shape, states))
    np.put_along_axis(chances, there, rng.dirichlet(np.ones(branching), shape), -1)
    return Worlds(chances, rng.random(shape))


def plan(worlds: Worlds, discount: float) -> np.ndarray:
    """[W, S] the best action in each state, by policy iteration (exact)."""
    if not 0 <= discount < 1:
        raise Refusal(f"the discount factor is {discount}; it must be from 0 to less than 1.")
    t, r = worlds.transitions, worlds.rewards
    policy = r.argmax(-1)
    while True:
        step, reward = _under(worlds, policy)
        value = np.linalg.solve(np.eye(t.shape[1]) - discount * step, reward[..., None])[..., 0]
        brings = r + discount * np.einsum("wsat,wt->wsa", t, value)
        now = np.take_along_axis(brings, policy[..., None], -1)[..., 0]
        better = brings.max(-1) > now + 1e-10
        if not better.any():
            return policy
        policy = np.where(better, brings.argmax(-1), policy)


def visits(worlds: Worlds, policy: np.ndarray, restart: float = 0.01) -> np.ndarray:
    """[W, S] shares of time at each state under a policy, begun anywhere anew with chance `restart` (ours) a step."""
    step, states = _under(worlds, policy)[0], policy.shape[1]
    system = np.eye(states) - (1 - restart) * np.swapaxes(step, 1, 2)
    return np.linalg.solve(system, np.full((len(step), states, 1), restart / states))[..., 0]


def listed(mass: np.ndarray, coverage: float) -> np.ndarray:
    """[W, S] which states a model lists: the most common, until their shares of time [W, S] come to `coverage`."""
    if not 0 < coverage <= 1:
        raise Refusal(f"a coverage of {coverage} is no share of what happens; it must be above 0 and up to 1.")
    order = np.argsort(-mass, axis=1)
    sorted_mass = np.take_along_axis(mass, order, 1)
    before = np.cumsum(sorted_mass, 1) - sorted_mass
    out = np.zeros(mass.shape, bool)
    np.put_along_axis(out, order, before < coverage - 1e-12, 1)
    return out


def model(worlds: Worlds, known: np.ndarray) -> np.ndarray:
    """[W, S, A, S] transitions as the model has them: only to known states [W, S]; where none is left, one stays."""
    t = worlds.transitions * known[:, None, None]
    left = t.sum(-1, keepdims=True)
    stay = np.broadcast_to(np.eye(t.shape[1])[:, None], t.shape)
    return np.where(left > 0, t / np.where(left > 0, left, 1), stay)


def planned(worlds: Worlds, known: np.ndarray, discount: float) -> np.ndarray:
    """[W, S] the plan of one whose model lists the states `known` [W, S]; SILENT elsewhere."""
    return np.where(known, plan(Worlds(model(worlds, known), worlds.rewards), discount), SILENT)


def live(
    worlds: Worlds, choose: Callable, rng: np.random.Generator, steps: int, restart: float = 0.01
) -> tuple[np.ndarray, np.ndarray]:
    """Rewards [steps, W] of a life, and what was seen: states [steps, W].

    choose(states [W]) gives actions [W]; if it has a method `learn`, that is told states, actions, rewards and states
    to come.  With chance `restart` a step life goes on anywhere.
    """
    every, (w, s) = np.arange(len(worlds.rewards)), worlds.rewards.shape[:2]
    sums = worlds.transitions.cumsum(-1)
    state, earned, seen = rng.integers(0, s, w), np.zeros((steps, w)), np.zeros((steps, w), int)
    tell = getattr(choose, "learn", None)
    for k in range(steps):
        action = choose(state)
        then = (rng.random((w, 1)) > sums[every, state, action]).sum(1).clip(max=s - 1)
        earned[k], seen[k] = worlds.rewards[every, state, action], state
        if tell:
            tell(state, action, earned[k], then)
        state = np.where(rng.random(w) < restart, rng.integers(0, s, w), then)
    return earned, seen


class Follower:
    """Acts by a plan [W, S]; at random where it is silent."""

    def __init__(self, policy: np.ndarray, actions: int, rng: np.random.Generator):
        self.policy, self.actions, self.rng = policy, actions, rng

    def __call__(self, state: np.ndarray) -> np.ndarray:
        planned = self.policy[np.arange(len(state)), state]
        return np.where(planned == SILENT, self.rng.integers(0, self.actions, len(state)), planned)


class Explorer:
    """Q-learning (Watkins 1989), with chance `wander` of any action, hopeful at first of what it has not tried.

    It expects `hope` a step, for ever, of every action in every state; with 0 it would stay with what it tried first.
    """

    def __init__(
        self, shape: tuple[int, int, int], discount: float, rng: np.random.Generator, rate: float = 0.1,
        wander: float = 0.1, hope: float = 1.0,
    ):  # fmt: skip
        self.value = np.full(shape, hope / (1 - discount))
        self.discount, self.rng, self.rate, self.wander = discount, rng, rate, wander

    def __call__(self, state: np.ndarray) -> np.ndarray:
        value = self.value[np.arange(len(state)), state]
        best = (value + 1e-9 * self.rng.random(value.shape)).argmax(1)
        anything = self.rng.integers(0, value.shape[1], len(state))
        return np.where(self.rng.random(len(state)) < self.wander, anything, best)

    def learn(self, state: np.ndarray, action: np.ndarray, reward: np.ndarray, then: np.ndarray) -> None:
        every = np.arange(len(state))
        target = reward + self.discount * self.value[every, then].max(1)
        self.value[every, state, action] += self.rate * (target - self.value[every, state, action])


def _under(worlds: Worlds, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Transitions [W, S, S] and rewards [W, S] where all acts follow the policy."""
    step = np.take_along_axis(worlds.transitions, policy[..., None, None], 2)[:, :, 0]
    return step, np.take_along_axis(worlds.rewards, policy[..., None], 2)[..., 0]
