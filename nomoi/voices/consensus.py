"""Consensus across groups: a statement counts as far as every group agrees with it, not as far as most people do."""

from __future__ import annotations

import dataclasses

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.voices.votes import Votes

MODES = ("polis", "geometric")
TYPICAL = 5  # statements that represent a group (ours)
SIGNIFICANT = 1.2816  # standard errors: 90 %, one-sided (Small et al. 2021)


@dataclasses.dataclass(frozen=True, eq=False)
class Tally:
    """agree, disagree, seen [groups, statements]: votes by group; a pass is seen.  sizes [groups]."""

    agree: np.ndarray
    disagree: np.ndarray
    seen: np.ndarray
    sizes: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """[groups, statements] of those asked who agree; NaN where nobody was."""
        with np.errstate(invalid="ignore"):
            return np.where(self.seen > 0, self.agree / np.maximum(self.seen, 1), np.nan)


def tally(votes: Votes, labels: np.ndarray) -> Tally:
    """The votes of each group; who is in none (-1) is left out."""
    k = int(labels.max()) + 1 if (labels >= 0).any() else 0
    if k == 0:
        raise Refusal(f"{votes.title} has nobody in a group; consensus across groups needs at least one.")
    member = (labels == np.arange(k)[:, None]).astype(float)  # [groups, people]
    sizes = member.sum(1).astype(int)
    count = lambda which: np.rint(member @ which).astype(int)  # noqa: E731
    return Tally(count(votes.cast == 1), count(votes.cast == -1), count(votes.seen), sizes)


def check(labels: np.ndarray, what: str) -> None:
    """Refuse groups with a gap in their ids or with a single member."""
    sizes = np.bincount(labels[labels >= 0])
    for g, size in enumerate(sizes):
        if size < 2:
            raise Refusal(f"{what}: group {g} has {'nobody' if size == 0 else 'one member'}, so that it has no opinion "
                          "of its own; number groups from 0, each with at least two people.")  # fmt: skip


def consensus(votes: Tally, mode: str = "polis", side: str = "agree") -> np.ndarray:
    """[statements] group-aware consensus, of agreeing or of disagreeing.

    polis      product over groups of (A + 1) / (S + 2), S with passes: falls with the number of groups
    geometric  geometric mean over groups of P_agree (1 - P_disagree), with half a vote added to either side
               (red-dwarf's newer default)
    """
    if mode not in MODES:
        raise Refusal(f"there is no mode {mode!r} of consensus; {nearest(mode, MODES, 'mode')}")
    for_it, against = (votes.agree, votes.disagree) if side == "agree" else (votes.disagree, votes.agree)
    there = votes.sizes > 0
    if mode == "polis":
        return smoothed(for_it, votes.seen, 1.0)[there].prod(0)
    each = smoothed(for_it, votes.seen, 0.5) * (1 - smoothed(against, votes.seen, 0.5))
    return np.exp(np.log(each[there]).mean(0))


def smoothed(count: np.ndarray, seen: np.ndarray, added: float = 1.0) -> np.ndarray:
    """A share with `added` imagined votes for and as many against: (A + a) / (S + 2 a), one half where nobody saw."""
    return (count + added) / (seen + 2 * added)


def unseen(votes: Tally) -> np.ndarray:
    """[statements] whether some group was never asked: its half would be nobody's opinion."""
    return (votes.seen[votes.sizes > 0] == 0).any(0)


def majority(votes: Votes) -> np.ndarray:
    """[statements] smoothed share of all people asked who agree, whatever their groups."""
    return smoothed((votes.cast == 1).sum(0), votes.seen.sum(0))


@dataclasses.dataclass(frozen=True)
class Typical:
    """A statement that tells a group from the rest: `side` agree or disagree, its share there and elsewhere, and the
    two tests (standard errors): of the share against one half, and of the group against all others."""

    statement: int
    side: str
    share: float
    elsewhere: float
    strength: float
    tests: tuple[float, float]


def typical(votes: Tally, out: np.ndarray, most: int = TYPICAL) -> list[list[Typical]]:
    """For each group the statements that represent it best (Small et al. 2021), strongest first.

    Those count whose share is above one half and above that of the others, both at 90 %.
    """
    found: list[list[Typical]] = []
    for g in range(len(votes.sizes)):
        rows = []
        for side, count in (("agree", votes.agree), ("disagree", votes.disagree)):
            inside, asked = count[g], votes.seen[g]
            outside, elsewhere = count.sum(0) - inside, votes.seen.sum(0) - asked
            share, rest = smoothed(inside, asked), smoothed(outside, elsewhere)
            half = one_share(inside, asked)
            apart = two_shares(inside, asked, outside, elsewhere)
            ratio = share / rest
            good = (half > SIGNIFICANT) & (apart > SIGNIFICANT) & (asked > 0) & (elsewhere > 0) & ~out
            rows += [
                Typical(int(s), side, float(share[s]), float(rest[s]), float(share[s] * half[s] * ratio[s] * apart[s]),
                        (float(half[s]), float(apart[s])))
                for s in np.flatnonzero(good)
            ]  # fmt: skip
        best = {}
        for row in sorted(rows, key=lambda r: -r.strength):
            best.setdefault(row.statement, row)
        found.append(list(best.values())[:most])
    return found


def one_share(count: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Standard errors by which a share is above one half, with one vote added to count and seen."""
    n = seen + 1
    return 2 * np.sqrt(n) * ((count + 1) / n - 0.5)


def two_shares(count: np.ndarray, seen: np.ndarray, other: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Standard errors by which one share is above another, with one vote added to each of the four."""
    a, n, b, m = count + 1, seen + 1, other + 1, asked + 1
    pooled = (a + b) / (n + m)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return np.divide(a / n - b / m, spread, out=np.zeros(np.shape(spread)), where=spread > 0)
