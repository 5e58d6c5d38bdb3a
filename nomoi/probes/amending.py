"""A bench in time: its rules are amended, its members change their minds, and some of them speak in concert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.institutions.bench import Bench, classes
from nomoi.probes.compatible import agreement, features, learned
from nomoi.situations.moderation import Moderation
from nomoi.voices import aggregates

BEFORE = 300  # decisions that were seen before an amendment (ours)
SINCE = (10, 30, 100, 300)
PERIODS, EVERY, LOOK = 200, 20, 10  # of drift: steps, steps between two meetings, and between two looks (ours)


@eqx.filter_jit
def _turned(place: Moderation, bench: Bench, keys: Any) -> tuple[Any, Any]:
    """[worlds, posts] verdicts before and after the widest rule is turned: to keep, or if it was that to remove."""

    def one(key: Any) -> tuple[Any, Any]:
        born, founding = jax.random.split(key)
        state = place.reset(born)
        said, practice = place.said(state, place.posts), bench.found(founding, place, state)
        ruled, strong = bench.code(practice, place.marks, practice.time)
        covers = jnp.asarray(classes(place.marks))[practice.which] & (strong % 10_000 == practice.serial[:, None])
        reach = (jnp.where(covers & (ruled >= 0) & (practice.serial >= 0)[:, None], place.chances, 0.0)).sum(1)
        widest = reach.argmax()
        turn = jnp.where(practice.verdict[widest] > 0, 0, 2)
        later = eqx.tree_at(lambda p: p.verdict, practice, practice.verdict.at[widest].set(turn))
        return bench.table(practice, place, said, state.here), bench.table(later, place, said, state.here)

    return jax.lax.map(one, keys)


def amended(key: jax.Array, bench: Mapping[str, Any], members: int, worlds: int) -> Mapping[str, float]:
    """What old decisions are worth once the widest rule was turned: learned with all history, and only since then."""
    place, (drawing, picking) = Moderation(members=members), jax.random.split(key)
    old, new = map(np.asarray, _turned(place, Bench(**bench), jax.random.split(drawing, worlds)))
    rng = np.random.default_rng(int(jax.random.bits(picking)))
    often = _often(place)
    x, rows = features(place.marks), []
    for before, after in zip(old, new, strict=True):
        row = {"turned": 1 - agreement(before, after, often)}
        past = rng.choice(len(often), BEFORE, p=often)
        for n in SINCE:
            seen = rng.choice(len(often), n, p=often)
            both = np.eye(3)[np.append(before[past], after[seen])]
            row[f"all history, {n} since"] = agreement(learned(both, x, np.append(past, seen)), after, often)
            row[f"only since, {n} since"] = agreement(learned(np.eye(3)[after[seen]], x, seen), after, often)
        rows.append(row)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _often(place: Moderation) -> np.ndarray:
    often = np.asarray(place.chances, float)
    return often / often.sum()


@eqx.filter_jit
def _drifted(place: Moderation, bench: Bench, keys: Any) -> tuple[Any, Any]:
    """[worlds, looks, posts] verdicts of the bench, which may pass a rule at each meeting, and of the median."""

    def one(key: Any) -> tuple[Any, Any]:
        born, founding, later = jax.random.split(key, 3)
        state = place.reset(born)

        def look(carry: Any, k: Any) -> tuple[Any, Any]:
            state, practice = carry
            moving, voting = jax.random.split(jax.random.fold_in(later, k))
            by = place.drift * jnp.sqrt(jnp.float32(LOOK)) * jax.random.normal(moving, state.weights.shape)
            state = eqx.tree_at(lambda s: s.weights, state, state.weights + by)
            said = place.said(state, place.posts)
            meets = (k + 1) % (EVERY // LOOK) == 0
            passed = bench.propose(voting, practice, place, said, state.here, 0)
            practice = jax.tree.map(lambda new, was: jnp.where(meets, new, was), passed, practice)
            middle = aggregates.middle(aggregates.wanted(said), state.here)
            return (state, practice), (bench.table(practice, place, said, state.here), middle)

        first = (state, bench.found(founding, place, state))
        return jax.lax.scan(look, first, jnp.arange(PERIODS // LOOK))[1]

    return jax.lax.map(one, keys)


def drifted(key: jax.Array, bench: Mapping[str, Any], members: int, worlds: int, drift: float) -> Mapping[str, float]:
    """How many verdicts change in ten steps, over the second half, while members change their minds."""
    place = Moderation(members=members, drift=drift)
    tables = _drifted(place, Bench(**bench), jax.random.split(key, worlds))
    often, half = _often(place), PERIODS // LOOK // 2
    out = {}
    for name, table in zip(("bench", "median"), map(np.asarray, tables), strict=True):
        late = table[:, half:]
        out[f"changed: {name}"] = float(((late[:, 1:] != late[:, :-1]) @ often).mean())
    out["median with bench"] = float(((np.asarray(tables[0]) == np.asarray(tables[1]))[:, half:] @ often).mean())
    return out


@eqx.filter_jit
def _spoken(place: Moderation, bench: Bench, keys: Any) -> tuple[Any, Any, Any]:
    """[worlds] verdicts by each rule and by the bench, the wishes, and who speaks in concert."""

    def one(key: Any) -> tuple[Any, Any, Any]:
        born, founding = jax.random.split(key)
        state = place.reset(born)
        said, practice = place.said(state, place.posts), bench.found(founding, place, state)
        by = {n: aggregates.score(n, said, state.here, place.groups).argmax(-1) for n in aggregates.RULES}
        by["bench"] = bench.table(practice, place, said, state.here)
        return by, place.wishes(state, place.posts), state.bloc

    return jax.lax.map(one, keys)


def concerted(key: jax.Array, bench: Mapping[str, Any], members: int, worlds: int, share: float) -> Mapping[str, float]:
    """What a share of members moves who all say the end to which they lean, and what they gain by it."""
    keys, often, out = jax.random.split(key, worlds), None, {}
    honest = _spoken(Moderation(members=members), Bench(**bench), keys)
    place = Moderation(members=members, concert=share)
    said, wishes, bloc = jax.tree.map(np.asarray, _spoken(place, Bench(**bench), keys))
    often = _often(place)
    for name, verdicts in said.items():
        was = np.asarray(honest[0][name])
        out[f"moved: {name}"] = float(((verdicts != was) @ often).mean())
        value = np.where(bloc[:, None], 1 - np.abs(aggregates.GRADES[verdicts][..., None] - wishes), 0).sum(2)
        before = np.where(bloc[:, None], 1 - np.abs(aggregates.GRADES[was][..., None] - wishes), 0).sum(2)
        out[f"gained: {name}"] = float(((value - before) @ often / bloc.sum(1)).mean())
    return out
