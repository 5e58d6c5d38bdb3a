"""Learned contracts (MOCA) beside separate learning, gifting, vanilla contracting and joint control."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from nomoi.core import Institution, Situation, build
from nomoi.core.learner import Learner
from nomoi.core.rollout import rollout
from nomoi.core.situation import Action, Observation
from nomoi.institutions.contract import Contract
from nomoi.institutions.gift import Gift
from nomoi.institutions.levy import Levy
from nomoi.learners.joint import Joint
from nomoi.learners.negotiation import Settlement, deal
from nomoi.learners.objectives import Common
from nomoi.learners.ppo import PPO
from nomoi.measure.evaluate import evaluate
from nomoi.measure.measures import measures
from nomoi.runs.effects import Effect, late
from nomoi.runs.study import Claim, Evaluated, Results, Study, Trained, Trial
from nomoi.situations.harvest import Harvest
from nomoi.situations.pool import Pool

SEPARATE, COMMON, JOINT, GIFTING, VANILLA = "separate", "common payoff", "joint control", "gifting", "vanilla contract"
PLAY, MOCA, SETTLED, USELESS, NULL = "MOCA, first stage", "MOCA", "MOCA, settled", "useless contract", "null contract"
EACH, UNBOUND = "each contract", "no contract"  # MOCA's play under every contract, and under none
UNPAID = "theta = 0"  # signed, and pays nothing: what it brings is the word, not the pay
# the papers' figures were not at hand: orders are inferred from abstracts and code, and so are ours
INFERRED = "ours, after Christoffersen et al. 2023, abstract"
CODE = "ours, after Christoffersen et al. 2023, code"
OPTIMUM = 4.155  # discounted welfare of one owner of the pool (see `fishery`): capacity 1, growth .8, 60 steps
DISCOUNT = 0.95  # ours
SHARE = 0.1  # of the episodes are negotiated, the last ones (MOCA's Algorithm 1)


def arms(
    place: Situation, tag: str, terms: Mapping[str, Any], useless: Sequence[Institution], gift: float, steps: float,
    options: Mapping[str, Any], joint: bool = False, talks: float = SHARE,
) -> list[Trial]:  # fmt: skip
    """The trials in one situation: MOCA and what it is compared with, each of as many steps in all.

    terms     options of the contract;  useless  institutions whose contract pays for what changes nothing
    options   of the learners;  talks  steps of negotiation, as a share of the others'
    """
    learner = PPO(**options)
    # linear heads on frozen layers, once an episode: small batches and a high rate (ours)
    talk = {"steps": 16, "minibatches": min(4, learner.minibatches), "learning_rate": 1e-2, "learning_rate_end": 1e-2}
    negotiator = learner.replace(**talk, only="contract")
    name = lambda label: f"{label}, {tag}"  # noqa: E731

    def trained(
        label: str, *under: Institution, learner: Learner = learner, share: float = 1.0, parent: str = ""
    ) -> Trained:
        return Trained(name(label), place, under, share * steps, learner, parent=parent)

    def contract(**more: Any) -> Contract:
        return build(Contract, **terms, **more)

    return [
        trained(SEPARATE),
        trained(COMMON, learner=dataclasses.replace(learner, objective=Common())),
        *([trained(JOINT, learner=Joint(learner))] if joint else []),
        trained(GIFTING, build(Gift, amount=gift)),
        trained(VANILLA, contract(rehearsal=0)),
        trained(PLAY, contract(rehearsal=1), share=1 - SHARE),
        trained(MOCA, contract(rehearsal=0), learner=negotiator, share=talks, parent=name(PLAY)),
        Evaluated(name(SETTLED), name(PLAY), settled, {"rule": "majority"}),
        Evaluated(name(EACH), name(PLAY), each),
        trained(USELESS, *useless),
        trained(NULL, contract(rehearsal=0, imposed=1, null=1)),
    ]


def useless_of(event: str, high: float) -> list[Institution]:
    """A contract on what nobody ever pays: a levy of nothing on the event."""
    return [build(Levy, on=event, rate=0), build(Contract, on="levy.paid", high=high, rehearsal=0.5)]


def settled(key: jax.Array, situation: Situation, learner: PPO, mind: Any, rule: str) -> Mapping[str, float]:
    """What play brings when the critics' values choose the contract (`Settlement`), over 64 episodes."""
    act = Settlement(learner=learner, rule=rule)
    values = jax.jit(lambda k, m: evaluate(k, situation, act, m, worlds=64))(key, mind)
    return dict(zip(measures(situation), map(float, values), strict=True))


class Signed(Learner):
    """Agents who play as `learner` did, under the contract of choice `terms` (0 is none), which all sign."""

    learner: PPO
    terms: jax.Array

    def start(self, mind: Any, situation: Situation) -> Any:
        return self.learner.start(mind, situation)

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        action, carry = self.learner.act(key, mind, situation, seen, carry)
        said = jnp.full(situation.agents, self.terms)
        return action | {"contract.propose": said, "contract.sign": jnp.ones_like(said)}, carry


def each(key: jax.Array, situation: Situation, learner: PPO, mind: Any, measure: str = "reward") -> Mapping[str, float]:
    """What the same play brings under no contract and under each, over 64 episodes."""
    terms, where = deal(situation, "contract"), list(measures(situation)).index(measure)

    @jax.jit
    def brings(key: jax.Array, mind: Any, choice: jax.Array) -> jax.Array:
        return evaluate(key, situation, Signed(learner, choice), mind, worlds=64)[where]

    thetas = np.linspace(float(terms.low), float(terms.high), terms.levels)
    names = [UNBOUND, *(f"theta = {theta:g}" for theta in thetas)]
    return {name: float(brings(key, mind, jnp.int32(k))) for k, name in enumerate(names)}


def worth(key: jax.Array, situation: Situation, learner: Learner, mind: Any) -> Mapping[str, float]:
    """The mean discounted welfare of an episode, as a share of the optimum of the pool, over 64 episodes."""
    steps = situation.horizon + 4  # two of them to propose and to sign

    @jax.jit
    def run(key: jax.Array, mind: Any) -> jax.Array:
        lived = rollout(key, situation, learner, steps, 64, mind, situation.held)
        first = jnp.cumsum(lived.done, 0) - lived.done.astype(jnp.int32) == 0  # steps of the first episode
        turn = jnp.cumsum(~lived.kept, 0) - 1
        return (
            (jnp.where(first, DISCOUNT ** turn.astype(jnp.float32), 0.0) * lived.outcome.reward.sum(-1)).sum(0).mean()
        )

    return {"worth": float(run(key, mind)) / OPTIMUM}


def trials(size: str) -> Sequence[Trial]:
    pool = {"smoke": 8_000, "laptop": 300_000, "paper": 10_000_000}[size]
    wide = {"smoke": 4_000, "laptop": 500_000, "paper": 15_000_000}[size]
    tiny = {"worlds": 8, "steps": 16, "minibatches": 2} if size == "smoke" else {}
    out: list[Trial] = []
    for n in (2, 4):
        tag = f"pool of {n}"
        terms, unpaid = {"on": "request", "high": 1}, useless_of("request", 1)
        out += arms(Pool(agents=n), tag, terms, unpaid, 0.1, pool, {"gamma": DISCOUNT} | tiny, joint=True)
        out += [Evaluated(f"worth, {label}, {tag}", f"{label}, {tag}", worth) for label in (SEPARATE, JOINT, MOCA)]
    shots = [build(Contract, on="shot", high=10, rehearsal=0.5)]
    terms = {"on": "sparse", "high": 10}
    # as many negotiations as in the pools and in the published code, about 500; so MOCA has a fifth more steps here
    return [*out, *arms(Harvest(), "harvest", terms, shots, 1.0, wide, tiny, talks=3 * SHARE)]


def orderings(tag: str, unit: str, best: str) -> list[Claim]:
    """What the abstracts suggest of any domain; `best` is the arm that comes closest to what is best for all."""
    name = lambda label: f"{label}, {tag}"  # noqa: E731
    more = lambda one, other: late("reward", name(one), name(other))  # noqa: E731

    def order(text: str, effect: Effect, source: str = INFERRED, unit: str = unit, **bounds: Any) -> Claim:
        return Claim(f"{text} ({tag})", source, effect, unit=unit, kind="ours", **(bounds or {"above": 0}))

    def control(text: str, effect: Effect, unit: str = unit, **bounds: Any) -> Claim:
        return Claim(f"{text} ({tag})", "ours", effect, unit=unit, kind="control", **(bounds or {"above": 0}))

    def nothing(text: str, label: str) -> Claim:
        """Within a tenth of what there is to gain."""
        return control(text, _share(label, best, tag), "% of what there is to gain", near=0, tolerance=10)

    return [
        order("MOCA brings more than separate learning, and than its own play without a contract",
                  gain(MOCA, "reward", EACH, tag)),
        order("MOCA brings more than gifting", more(MOCA, GIFTING)),
        order("MOCA brings more than vanilla contracting", more(MOCA, VANILLA)),
        order("Vanilla contracting brings more than gifting", more(VANILLA, GIFTING)),
        order(f"MOCA closes nine tenths of the gap between separate learning and {best}", _share(MOCA, best, tag),
                  unit="% of what there is to gain", above=90),
        order("Four of five episodes are played under a contract", lambda r: r.late(name(MOCA), "bound"),
                  unit="of steps", above=0.8),
        order("Settled by the critics' values, MOCA brings more than separate learning, and than its own play "
                  "without a contract", gain(SETTLED, "reward", EACH, tag), CODE),
        order("Settled so, it brings more than vanilla contracting", more(SETTLED, VANILLA), CODE),
        control("It is the contract that binds: without one the same play brings less than under the average of them",
                _beyond(UNBOUND, tag)),
        control("It is what they pay: under terms that pay nothing (theta = 0) the same play brings less than under "
                "the average of the others", _beyond(UNPAID, tag)),
        nothing("A contract on what changes nothing brings nothing", USELESS),
        nothing("The null contract, always, brings nothing", NULL),
    ]  # fmt: skip


def gain(label: str, measure: str, each: str, tag: str) -> Effect:
    """What `label` brings beyond separate learners, or beyond MOCA's own frozen play under no contract if that is more.

    Who learned under contracts may go on by habit without any: that is no gain from the contract.
    """

    def effect(results: Results) -> np.ndarray:
        separate, habit = results.late(f"{SEPARATE}, {tag}", measure), results.late(f"{each}, {tag}", UNBOUND)
        return results.late(f"{label}, {tag}", measure) - np.maximum(separate, habit)

    return effect


def _share(label: str, best: str, tag: str) -> Effect:
    """How much of the gain from separate learning to `best`, on average over seeds, `label` brings, in per cent."""

    def effect(results: Results) -> np.ndarray:
        reward = lambda one: results.late(f"{one}, {tag}", "reward")  # noqa: E731
        most = (reward(best) - reward(SEPARATE)).mean()
        return 100 * (reward(label) - reward(SEPARATE)) / (most or np.nan)  # where there is nothing to gain, undefined

    return effect


def _beyond(terms: str, tag: str) -> Effect:
    """What MOCA's play brings under the other contracts, on average, beyond what it does under `terms`.

    The best of them would be chosen by noise, where contracts do nothing.
    """
    label = f"{EACH}, {tag}"
    others = lambda r: [r.late(label, m) for m in r.measures(label) if m not in (UNBOUND, terms)]  # noqa: E731
    return lambda r: np.mean(others(r), 0) - r.late(label, terms)


def _near_optimum(n: int) -> list[Claim]:
    share = lambda label: lambda r: r.late(f"worth, {label}, pool of {n}", "worth")  # noqa: E731
    return [
        Claim(f"Separate learners take the whole stock at once: a quarter of the optimum (pool of {n})", "ours",
              share(SEPARATE), near=1 / OPTIMUM, tolerance=0.03, unit="of the optimum", kind="replica"),
        Claim(f"MOCA reaches the optimum within a tenth (pool of {n})", INFERRED,
              share(MOCA), above=0.9, unit="of the optimum", kind="ours"),
    ]  # fmt: skip


CLAIMS = [
    *(c for n in (2, 4) for c in (*orderings(f"pool of {n}", "fish", JOINT), *_near_optimum(n))),
    *orderings("harvest", "apples", COMMON),
]


def table(results: Results, tag: str) -> object:
    """Reward, contracts and payments of all arms in one situation, late in training."""
    from nomoi.measure.statistics import estimate
    from nomoi.report import page

    labels = [
        label for label in results.records if label.endswith(f", {tag}") and not label.startswith(("worth", EACH))
    ]
    columns = ("reward", "equality", "bound", "contracted", "given")
    cell = lambda label, m: estimate(results.late(label, m)) if m in results.measures(label) else None  # noqa: E731
    rows = [[label.removesuffix(f", {tag}"), *(cell(label, m) for m in columns)] for label in labels]
    return page.Table(
        f"All arms: {tag}", ["", "reward", "equality", "under contract", "paid under it", "given"], rows,
        "Means over the last eighth of training. Joint control counts all as one agent, so its equality is void.",
    )  # fmt: skip


def curves(results: Results, tag: str, labels: Sequence[str], unit: str) -> object:
    """Reward over training."""
    from nomoi.report import figures, page

    series = {label: results.curve(f"{label}, {tag}", "reward") for label in labels}
    if MOCA in series:  # it goes on where its first stage ended
        steps, values = series[MOCA]
        series[MOCA] = steps + results.curve(f"{PLAY}, {tag}", "reward")[0][-1], values
    bars = {SETTLED: float(np.mean(results.late(f"{SETTLED}, {tag}", "reward")))}
    figure = figures.curves(series, unit, f"Reward: {tag}", bars)
    return page.Figure(f"Reward: {tag}", figures.svg(figure), "Mean over seeds, 95 % band; dotted: settled by values.")


def choices(results: Results, tag: str, unit: str) -> object:
    """What the play of MOCA's first stage brings under each contract."""
    from nomoi.report import figures, page

    label = f"{EACH}, {tag}"
    found = {m: results.late(label, m) for m in results.measures(label)}
    there = [one for one in (SEPARATE, MOCA) if f"{one}, {tag}" in results.records]
    marks = {one: float(results.late(f"{one}, {tag}", "reward").mean()) for one in there}
    figure = figures.intervals(found, unit, f"Play under each contract: {tag}", marks)
    return page.Figure(
        f"Play under each contract: {tag}",
        figures.svg(figure),
        "The frozen play of the first stage; dotted: separate learners, and what MOCA agreed on.",
    )


def sections(results: Results) -> list[object]:
    out = []
    for tag, more, unit in (("pool of 2", [JOINT], "fish"), ("pool of 4", [JOINT], "fish"), ("harvest", [], "apples")):
        labels = [SEPARATE, COMMON, *more, GIFTING, VANILLA, PLAY, MOCA]
        unit = f"{unit} an episode"
        out += [curves(results, tag, labels, unit), choices(results, tag, unit), table(results, tag)]
    return out


STUDY = Study(
    "moca",
    "Do agents that can sign contracts learn to sustain a fishery and a commons, as well as one who decides for all?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "The fishery's constants are ours: the paper's were not found. Orderings are inferred from abstracts; "
    "no figure of the papers was at hand. MOCA is two stages: contracts by lot in nine tenths of the steps "
    "(harvest: three quarters), then play is frozen and proposing and signing are learned; 'settled' lets the critics' "
    "values choose, by majority.",
    ("reward", "equality", "bound", "contracted"),
)
