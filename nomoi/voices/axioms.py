"""Axioms of social choice, by search: a profile that breaks one is shown; that none was found is no proof."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.voices.rules import Profile, Rule, condorcet


@dataclasses.dataclass(frozen=True, eq=False)
class Witness:
    """A profile that breaks an axiom, and in words how."""

    profile: Profile
    said: str


Axiom = Callable[[Rule, Profile, np.random.Generator], str]  # how it is broken; empty where it is not


def better(ranking: tuple[int, ...], new: frozenset[int], old: frozenset[int]) -> bool:
    """Whether who ranks so gains for certain, however ties are broken (Kelly 1977): the worst of the new winners is at
    least as good as the best of the old."""
    places = {option: k for k, option in enumerate(ranking)}
    return new != old and max(places[w] for w in new) <= min(places[w] for w in old)


def _words(some: frozenset[int]) -> str:
    return " and ".join(map(str, sorted(some)))


def anonymity(rule: Rule, p: Profile, rng: np.random.Generator) -> str:
    """Who says what does not matter."""
    before, after = rule(p), rule(Profile(rng.permutation(p.rankings)))
    return "" if before == after else f"{_words(before)} won; with voters exchanged, {_words(after)}"


def neutrality(rule: Rule, p: Profile, rng: np.random.Generator) -> str:
    """How options are called does not matter."""
    named = rng.permutation(p.options)
    before, after = rule(p), rule(Profile(named[p.rankings]))
    wanted = frozenset(int(named[w]) for w in before)
    return "" if after == wanted else f"{_words(wanted)} should have won under other names, and {_words(after)} did"


def pareto(rule: Rule, p: Profile, rng: np.random.Generator) -> str:
    """What everybody likes less than something else is not chosen."""
    all_above = p.margins == len(p.rankings)
    lost = [w for w in rule(p) if all_above[:, w].any()]
    return f"{lost[0]} won, and all prefer {int(all_above[:, lost[0]].argmax())}" if lost else ""


def condorcet_winner(rule: Rule, p: Profile, rng: np.random.Generator) -> str:
    """Who beats every other is chosen."""
    wanted, found = condorcet(p), rule(p)
    return "" if wanted is None or found == {wanted} else f"{wanted} beats all others, and {_words(found)} won"


def clones(rule: Rule, p: Profile, rng: np.random.Generator) -> str:
    """A copy of an option, beside it in every ranking, changes nothing."""
    of = int(rng.integers(p.options))
    rows = []
    for row in p.rankings.tolist():
        at = row.index(of)
        pair = [of, p.options] if rng.random() < 0.5 else [p.options, of]
        rows.append(row[:at] + pair + row[at + 1 :])
    before, after = rule(p), rule(Profile(np.array(rows)))
    merged = frozenset(of if w == p.options else w for w in after)
    return "" if merged == before else f"{_words(before)} won; with a copy of {of}, {_words(merged)}"


def participation(rule: Rule, p: Profile, rng: np.random.Generator) -> str:
    """Nobody does better by staying at home."""
    for new in itertools.permutations(range(p.options)):
        before, after = rule(p), rule(Profile(np.vstack([p.rankings, new])))
        if better(new, before, after):
            return f"{_words(before)} won; one more voter, who ranks {list(new)}, makes {_words(after)} win"
    return ""


def monotonicity(rule: Rule, p: Profile, rng: np.random.Generator) -> str:
    """Who wins still wins when somebody ranks it higher."""
    for w in rule(p):
        for v in range(len(p.rankings)):
            row = p.rankings[v].tolist()
            if row[0] == w:
                continue
            rows = p.rankings.copy()
            rows[v] = [w, *(x for x in row if x != w)]
            after = rule(Profile(rows))
            if w not in after:
                return f"{w} won; once voter {v + 1} ranks it first, {_words(after)} does"
    return ""


def losers(rule: Rule, p: Profile, rng: np.random.Generator) -> str:
    """Without an option that loses, the same win."""
    before = rule(p)
    for gone in set(range(p.options)) - before:
        rows = np.array([[x - (x > gone) for x in row if x != gone] for row in p.rankings.tolist()])
        after = frozenset(w + (w >= gone) for w in rule(Profile(rows)))
        if after != before:
            return f"{_words(before)} won; without the loser {gone}, {_words(after)}"
    return ""


def manipulation(rule: Rule, p: Profile, rng: np.random.Generator) -> str:
    """Nobody gains by saying what they do not think."""
    before, seen = rule(p), set()
    for v, row in enumerate(map(tuple, p.rankings.tolist())):
        if row in seen:
            continue
        seen.add(row)
        for lie in itertools.permutations(range(p.options)):
            rows = p.rankings.copy()
            rows[v] = lie
            after = rule(Profile(rows))
            if better(row, after, before):
                return (f"{_words(before)} won; voter {v + 1}, who ranks {list(row)}, says {list(lie)}, and "
                        f"{_words(after)} won")  # fmt: skip
    return ""


AXIOMS: Mapping[str, Axiom] = {
    "anonymity": anonymity, "neutrality": neutrality, "Pareto": pareto, "Condorcet": condorcet_winner,
    "clones": clones, "participation": participation, "monotonicity": monotonicity, "losers": losers,
    "no manipulation": manipulation,
}  # fmt: skip


def search(
    rule: Rule, axiom: str, tries: int = 500, seed: int = 0, voters: tuple[int, int] = (1, 9), options: int = 4
) -> Witness | None:
    """A random profile of up to `options` options that breaks the axiom; None where none of `tries` does."""
    if axiom not in AXIOMS:
        raise Refusal(f"there is no axiom {axiom!r}; {nearest(axiom, AXIOMS, 'axiom')}")
    rng = np.random.default_rng(seed)
    for _ in range(tries):
        m, n = int(rng.integers(2, options + 1)), int(rng.integers(voters[0], voters[1] + 1))
        drawn = Profile(rng.permuted(np.tile(np.arange(m), (n, 1)), axis=1))
        said = AXIOMS[axiom](rule, drawn, rng)
        if said:
            return Witness(drawn, said)
    return None
