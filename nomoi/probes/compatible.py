"""Which objective agrees with the members' bench, what of it can be learned, and what members get of it.

Exact over all posts: nobody is trained by play.  One learner, a ridge regression of the score of each verdict on marks,
is given the scores of different objectives, with or without the text of the rules as something that it senses.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core import build
from nomoi.institutions.bench import Bench, Practice
from nomoi.situations.moderation import Moderation, bits
from nomoi.voices import aggregates

SEEN = (10, 30, 100, 300, 1000)  # decisions, or posts of which all wishes are known, that are learned from
RIDGE = 1.0  # penalty on each weight of the learner (ours)
READ = 20  # other communities whose texts and decisions a stranger has read, 200 decisions of each (ours)
FOUNDINGS = 16  # others of the same members, whose most frequent verdict is all that can be known without the history
WEIGHTS = np.arange(0, 1.5, 0.02)  # of procedure in acceptance that are tried
SHOWN = ("principal", *aggregates.RULES)


def bench_of(knobs: Mapping[str, Any], place: Moderation) -> Bench:
    """A bench with some knobs set; refused where it has none of that name, or cannot decide there."""
    made = build(Bench, **knobs)
    made.fits(place)
    return made


class Forum(eqx.Module):
    """state; said [posts, members] and wishes [posts, members] of every post; score [posts, 3] by each rule."""

    state: Any
    said: Any
    wishes: Any
    score: Any


@eqx.filter_jit
def _drawn(place: Moderation, key: Any, here: Any) -> Forum:
    state = place.reset(key)
    state = eqx.tree_at(lambda s: s.here, state, jnp.arange(place.members) < here)
    said = place.said(state, place.posts)
    score = {name: aggregates.score(name, said, state.here, place.groups) for name in aggregates.RULES}
    score["principal"] = aggregates.principal(said, state.here, place.groups)
    return Forum(state, said, place.wishes(state, place.posts), score)


@eqx.filter_jit
def _founded(place: Moderation, bench: Bench, state: Any, said: Any, key: Any) -> tuple[Practice, Any]:
    """Takes ten seconds to compile, so that one program serves all benches and members of whatever study."""
    practice = bench.found(key, place, state)
    return practice, bench.table(practice, place, said, state.here)


def begun(place: Moderation, bench: Bench, born: Any, founding: Any, here: int = 0) -> tuple[Forum, Practice, Any]:
    """Members are drawn (of whom all but the first `here` leave, if not 0) and found a bench; and its verdicts."""
    people = _drawn(place, born, jnp.asarray(here or place.members, jnp.int32))
    return people, *_founded(place, bench, people.state, people.said, founding)


@eqx.filter_jit
def _written(place: Moderation, bench: Bench, practice: Practice) -> tuple[Any, Any]:
    """[posts] whether a rule speaks; [posts, 4] the text."""
    return bench.code(practice, place.marks, practice.time)[0] >= 0, bench.text(practice, place.marks)


class Community(NamedTuple):
    """wishes [posts, members here]; verdicts [posts] of the bench; score [posts, 3] by each rule; law [posts, 4] the
    text; ruled [posts] by a rule; passed, rules that stand.

    others [posts] the most frequent verdict of other foundings, one of which is `second`; nothing where there is none
    """

    wishes: np.ndarray
    verdicts: np.ndarray
    second: np.ndarray | None
    others: np.ndarray | None
    score: Mapping[str, np.ndarray]
    law: np.ndarray
    ruled: np.ndarray
    passed: int


def community(place: Moderation, bench: Bench, key: jax.Array, foundings: int, here: int) -> Community:
    """Members are drawn, and found a bench; and `foundings` others, which nobody learns from."""
    born, first, *again = jax.random.split(key, 2 + foundings)
    people, practice, verdicts = begun(place, bench, born, first, here)
    tables = np.array([_founded(place, bench, people.state, people.said, k)[1] for k in again], int)
    most = (tables[..., None] == np.arange(3)).sum(0).argmax(-1) if foundings else None
    ruled, law = map(np.asarray, _written(place, bench, practice))
    score = {name: np.asarray(s) for name, s in people.score.items()}
    return Community(np.asarray(people.wishes)[:, :here], np.asarray(verdicts), tables[0] if foundings else None, most,
                     score, law, ruled, int((practice.serial >= 0).sum()))  # fmt: skip


# --- one learner, whose objective is a score [posts, 3] ---------------------------------------------------------------


@lru_cache(maxsize=4)
def features(marks: int) -> np.ndarray:
    """[posts, features]: a one, each mark, and all twos and threes of them together."""
    posts = bits(marks)
    some = [c for k in range(4) for c in itertools.combinations(range(marks), k)]
    return np.stack([posts[:, list(c)].all(1) for c in some], 1).astype(float)


def fitting(x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Of scores [n, 3] the weights [features, 3] of a ridge regression on x [n, features]; x is taken in once."""
    weighed = x.T @ x + RIDGE * np.eye(x.shape[1])
    return lambda score: np.linalg.solve(weighed, x.T @ (score - 1 / 3))


def learning(x: np.ndarray, seen: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Of scores [n, 3] of the posts `seen` [n] the verdicts [posts] of who learned them by x [posts, features]."""
    fitted = fitting(x[seen])
    return lambda score: (x @ fitted(score)).argmax(1)


def chances(place: Moderation) -> np.ndarray:
    """[posts] how often each post comes."""
    often = np.asarray(place.chances, float)
    return often / often.sum()


def agreement(one: np.ndarray, other: np.ndarray, often: np.ndarray) -> float:
    """Share of posts, as often as they come, with the same verdict."""
    return float(often[one == other].sum())


def kappa(one: np.ndarray, other: np.ndarray, often: np.ndarray) -> float:
    """Agreement beyond what the shares of verdicts alone would bring (Cohen 1960); 1 where both are one constant."""
    chance = sum(often[one == v].sum() * often[other == v].sum() for v in range(3))
    return 1.0 if chance > 1 - 1e-9 else (agreement(one, other, often) - chance) / (1 - chance)


# --- what is measured -------------------------------------------------------------------------------------------------


def compared(
    key: jax.Array, bench: Mapping[str, Any], members: int, worlds: int, lessons: bool, alone: bool = False
) -> Mapping[str, float]:
    """Which objective agrees with the bench, and what members get; means over worlds.

    lessons  also what can be known without the history, and what is learned of decisions, wishes and texts
    alone    all members but one have left
    """
    place = Moderation(members=members)
    made = bench_of(bench, place)
    drawing, reading, picking = jax.random.split(key, 3)
    rng = np.random.default_rng(int(jax.random.bits(picking)))
    often, here = chances(place), 1 if alone else members
    some = [community(place, made, k, FOUNDINGS if lessons else 1, here) for k in jax.random.split(drawing, worlds)]
    rows = [_one(c, place, often) for c in some]
    if lessons:
        books = [community(place, made, k, 0, here) for k in jax.random.split(reading, READ)]
        readers = [_reader(books, place.marks, often, rng, swapped) for swapped in (False, True)]
        for c, row in zip(some, rows, strict=True):
            row |= _lessons(c, place.marks, often, rng, readers)
    return {name: _mean([row[name] for row in rows]) for name in rows[0]}


def _mean(values: Sequence[float]) -> float:
    """Over the worlds where it is defined."""
    there = [v for v in values if np.isfinite(v)]
    return float(np.mean(there)) if there else float("nan")


def _one(c: Community, place: Moderation, often: np.ndarray) -> dict[str, float]:
    chosen = {name: score.argmax(1) for name, score in c.score.items()}
    out = {name: agreement(chosen[name], c.verdicts, often) for name in SHOWN}
    out |= {f"kappa, {name}": kappa(chosen[name], c.verdicts, often) for name in ("median", "mean")}
    out["constant"] = max(often[c.verdicts == v].sum() for v in range(3))
    out["mean with median"] = agreement(chosen["mean"], chosen["median"], often)
    out["second founding"] = agreement(c.second, c.verdicts, often)
    out["kappa, second founding"] = kappa(c.second, c.verdicts, often)
    out["rules passed"], out["ruled"] = float(c.passed), often[c.ruled].sum()
    for name, where in (("in gaps", ~c.ruled), ("under rules", c.ruled)):
        there = often[where].sum()
        same = often[where & (chosen["median"] == c.verdicts)].sum()
        out[f"median, {name}"] = same / there if there > 1e-9 else np.nan
    return out | _brought(c, chosen, place, often)


def _lessons(
    c: Community, marks: int, often: np.ndarray, rng: np.random.Generator, readers: Sequence[Any]
) -> dict[str, float]:
    """Agreement with the bench of the one learner, by what it wants, what it senses and how much it saw."""
    x, decided = features(marks), np.eye(3)[c.verdicts]
    out = {"all but history": agreement(c.others, c.verdicts, often)}
    texted = np.concatenate([x, c.law], 1)
    same = []
    for n in SEEN:
        seen = rng.choice(len(often), n, p=often)
        wants = {"decisions": decided[seen], "shuffled": rng.permutation(decided[seen])}
        wants |= {name: c.score[name][seen] for name in ("mean", "median", "principal")}
        plain, reading, policies = learning(x, seen), learning(texted, seen), {}
        for name, score in wants.items():
            policies[name] = plain(score)
            out[f"{name}, {n} seen"] = agreement(policies[name], c.verdicts, often)
            out[f"{name} and text, {n} seen"] = agreement(reading(score), c.verdicts, often)
        same.append((policies["decisions"] == policies["median"]).all())
    out["decisions and median learn the same"] = float(np.all(same))
    for name, reader in zip(("text", "text of others"), readers, strict=True):
        out[f"{name}, none seen"] = agreement((_page(c.law) @ reader[0]).argmax(1), c.verdicts, often)
    out["decisions of others, none seen"] = agreement((x @ readers[0][1]).argmax(1), c.verdicts, often)
    return out


def _page(law: np.ndarray) -> np.ndarray:
    """[posts, features] what a reader of the text goes by: strengths, which is the strongest, silence, and the bar."""
    says, barred = law[:, :3], law[:, 3:] > 0
    strong = (says == says.max(1, keepdims=True)) & (says > 0)
    silent = says.max(1, keepdims=True) == 0
    parts = [np.ones((len(law), 1)), says, strong, silent, barred, strong & barred, silent & barred]
    return np.concatenate(parts, 1).astype(float)


def _reader(
    books: Sequence[Community], marks: int, often: np.ndarray, rng: np.random.Generator, swapped: bool
) -> tuple[Any, Any]:
    """Weights of who has read the texts and 200 decisions of each of other communities: from texts, and from posts.

    swapped  each text stands with the decisions of another community
    """
    laws = [books[k - swapped].law for k in range(READ)]
    seen = rng.choice(len(often), (READ, 200), p=often)
    score = np.concatenate([np.eye(3)[c.verdicts[s]] for c, s in zip(books, seen, strict=True)])
    texts = np.concatenate([_page(text)[s] for text, s in zip(laws, seen, strict=True)])
    return fitting(texts)(score), fitting(features(marks)[seen.ravel()])(score)


def _brought(c: Community, chosen: Mapping[str, Any], place: Moderation, often: np.ndarray) -> dict[str, float]:
    """What members get of each moderator, and how much procedure must weigh for the bench to be accepted most."""
    value = 1 - np.abs(aggregates.GRADES[:, None] - c.wishes[:, None])  # [posts, 3, members]
    out, rows, groups = {}, np.arange(len(often)), place.groups[: c.wishes.shape[1]]
    for name, verdict in (*chosen.items(), ("bench", c.verdicts)):
        each = often @ value[rows, verdict]  # [members]
        out[f"worth to all: {name}"] = float(each.mean())
        out[f"worth to the worst-off group: {name}"] = min(each[groups == g].mean() for g in set(groups))
    best = np.abs(aggregates.GRADES[:, None] - c.wishes[:, None]).argmin(1)  # [posts, members]

    def accepted(verdict: np.ndarray, weight: float) -> float:
        agreed, lawful = best == verdict[:, None], (verdict == c.verdicts)[:, None]
        return float((often @ (1 / (1 + np.exp(0.5 - agreed - weight * lawful)))).mean())

    most = chosen["plurality"]
    out["accepted at no weight: bench less plurality"] = accepted(c.verdicts, 0) - accepted(most, 0)
    enough = (w for w in WEIGHTS if accepted(c.verdicts, w) >= accepted(most, w))
    out["break-even weight of procedure"] = next(enough, np.nan)
    return out
