"""A bench in time: its rules are amended, its members change their minds, and some of them speak in concert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.institutions.bench import NARROW, Bench, Practice, classes
from nomoi.probes.compatible import Forum, agreement, begun, bench_of, chances, features, learning
from nomoi.situations.moderation import Moderation
from nomoi.voices import aggregates

BEFORE = 300  # decisions that were seen before an amendment (ours)
SINCE = (10, 30, 100, 300)
PERIODS, EVERY, LOOK = 200, 20, 10  # of drift: steps, steps between two meetings, and between two looks (ours)


@eqx.filter_jit
def _turned(place: Moderation, bench: Bench, people: Forum, practice: Practice) -> Any:
    """[posts] verdicts after the widest rule is turned: to keep, or if it was that to remove."""
    ruled, strong = bench.code(practice, place.marks, practice.time)
    covers = jnp.asarray(classes(place.marks))[practice.which] & (strong % NARROW == practice.serial[:, None])
    reach = (jnp.where(covers & (ruled >= 0) & (practice.serial >= 0)[:, None], place.chances, 0.0)).sum(1)
    widest = reach.argmax()
    turn = jnp.where(practice.verdict[widest] > 0, 0, 2)
    later = eqx.tree_at(lambda p: p.verdict, practice, practice.verdict.at[widest].set(turn))
    return bench.table(later, place, people.said, people.state.here)


def amended(key: jax.Array, bench: Mapping[str, Any], members: int, worlds: int) -> Mapping[str, float]:
    """What old decisions are worth once the widest rule was turned: learned with all history, and only since then."""
    place, (drawing, picking) = Moderation(members=members), jax.random.split(key)
    made = bench_of(bench, place)
    rng = np.random.default_rng(int(jax.random.bits(picking)))
    often, x, rows = chances(place), features(place.marks), []
    for k in jax.random.split(drawing, worlds):
        people, practice, table = begun(place, made, *jax.random.split(k))
        before, after = np.asarray(table), np.asarray(_turned(place, made, people, practice))
        row = {"turned": 1 - agreement(before, after, often)}
        past = rng.choice(len(often), BEFORE, p=often)
        for n in SINCE:
            seen = rng.choice(len(often), n, p=often)
            both = np.eye(3)[np.append(before[past], after[seen])]
            row[f"all history, {n} since"] = agreement(learning(x, np.append(past, seen))(both), after, often)
            row[f"only since, {n} since"] = agreement(learning(x, seen)(np.eye(3)[after[seen]]), after, often)
        rows.append(row)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


@eqx.filter_jit
def _drifted(place: Moderation, bench: Bench, people: Forum, practice: Practice, later: Any) -> tuple[Any, Any]:
    """[looks, posts] verdicts of the bench, which may pass a rule at each meeting, and of the median."""

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

    return jax.lax.scan(look, (people.state, practice), jnp.arange(PERIODS // LOOK))[1]


def drifted(key: jax.Array, bench: Mapping[str, Any], members: int, worlds: int, drift: float) -> Mapping[str, float]:
    """How many verdicts change in ten steps, over the second half, while members change their minds."""
    place, tables = Moderation(members=members, drift=drift), []
    made = bench_of(bench, place)
    for k in jax.random.split(key, worlds):
        *first, later = jax.random.split(k, 3)
        people, practice, _ = begun(place, made, *first)
        tables.append(np.asarray(_drifted(place, made, people, practice, later)))
    often, half = chances(place), PERIODS // LOOK // 2
    late = np.stack(tables, 1)[:, :, half:]  # [2, worlds, looks, posts]
    changed = ((late[:, :, 1:] != late[:, :, :-1]) @ often).mean((1, 2))
    out = {f"changed: {name}": float(x) for name, x in zip(("bench", "median"), changed, strict=True)}
    return out | {"median with bench": float(((late[0] == late[1]) @ often).mean())}


def concerted(key: jax.Array, bench: Mapping[str, Any], members: int, worlds: int, share: float) -> Mapping[str, float]:
    """What a share of members moves who all say the end to which they lean, and what they gain by it."""
    place, rows = Moderation(members=members), []
    made, often = bench_of(bench, place), chances(place)
    for k in jax.random.split(key, worlds):
        born, founding = jax.random.split(k)
        honest, (people, theirs) = (_spoken(p, made, born, founding) for p in (place, place.replace(concert=share)))
        bloc = np.asarray(people.state.bloc)
        wishes, row = np.asarray(people.wishes)[:, bloc], {}
        for name, verdicts in theirs.items():
            was = honest[1][name]
            row[f"moved: {name}"] = 1 - agreement(verdicts, was, often)
            value, before = (1 - np.abs(aggregates.GRADES[v][:, None] - wishes) for v in (verdicts, was))
            row[f"gained: {name}"] = float(often @ (value - before).mean(1))
        rows.append(row)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _spoken(place: Moderation, bench: Bench, born: Any, founding: Any) -> tuple[Forum, dict[str, np.ndarray]]:
    """Who was asked, and the verdicts [posts] by each rule and by the bench."""
    people, _, table = begun(place, bench, born, founding)
    by = {name: np.asarray(people.score[name]).argmax(-1) for name in aggregates.RULES}
    return people, by | {"bench": np.asarray(table)}
