"""Rules of social choice: from what people want to what is chosen.

Every rule of rankings gives all who win, ties included; nothing is decided by the order in which options are named.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from nomoi.errors import Refusal
from nomoi.voices import sheets

STATES = 20_000  # of tied majorities that ranked pairs keeps in mind before it refuses (ours)
COMMITTEES = 200_000  # that proportional approval compares one by one (ours)
MOST = 1_000_000  # voters of a file (ours)


@dataclasses.dataclass(frozen=True, eq=False)
class Profile:
    """rankings [voters, options], each a whole ranking from the best; names of the options."""

    rankings: np.ndarray
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = np.asarray(self.rankings)
        if given.ndim != 2 or not given.size:
            raise Refusal("a profile needs at least one voter, who ranks at least one option.")
        if not (np.sort(given, 1) == np.arange(given.shape[1])).all():
            bad = int(np.flatnonzero((np.sort(given, 1) != np.arange(given.shape[1])).any(1))[0])
            raise Refusal(f"voter {bad + 1} ranks {given[bad].tolist()}; every ranking must have each of the "
                          f"{given.shape[1]} options (0 to {given.shape[1] - 1}) once.")  # fmt: skip
        object.__setattr__(self, "rankings", given.astype(int))
        object.__setattr__(self, "names", self.names or tuple(map(str, range(given.shape[1]))))

    @property
    def options(self) -> int:
        return self.rankings.shape[1]

    @property
    def ranks(self) -> np.ndarray:
        """[voters, options] place of each option, the best 0."""
        return self.rankings.argsort(1)

    @property
    def margins(self) -> np.ndarray:
        """[options, options] how many more rank a (row) above b (column) than below."""
        ranks = self.ranks
        above = (ranks[:, :, None] < ranks[:, None, :]).sum(0)
        return above - above.T


Rule = Callable[[Profile], frozenset[int]]


def profile(path: str | Path) -> Profile:
    """From a file with a column ranking, such as A>B>C, and perhaps a column count."""
    sheet = sheets.read(path)
    sheets.need(sheet, ("ranking",), "a file of rankings")
    rows = [[w.strip() for w in text.split(">")] for text in sheet.column("ranking")]
    names = tuple(sorted({w for row in rows for w in row}))
    counts = sheet.column("count") if "count" in sheet else ["1"] * len(rows)
    out, many = [], []
    for i, (row, count) in enumerate(zip(rows, counts, strict=True)):
        lacking = [n for n in names if n not in row]
        if lacking or len(set(row)) != len(row):
            what = f"has no {lacking[0]!r}" if lacking else "names one option twice"
            raise Refusal(
                f"{sheet.where(i)}: the ranking {' > '.join(row)} {what}; rank each of {sheets.few(names)} once."
            )
        if not re.fullmatch(r"\d{1,7}", count):
            raise Refusal(f"{sheet.where(i)}: the count is {count!r}; a whole number of voters would be right.")
        out.append([names.index(w) for w in row])
        many.append(int(count))
    if not 0 < sum(many) <= MOST:
        raise Refusal(f"{path} has {sum(many):,} voters; 1 to {MOST:,} would be right.")
    return Profile(np.repeat(np.array(out), many, 0), names)


def best(scores: np.ndarray) -> frozenset[int]:
    """All options of the highest score."""
    return frozenset(np.flatnonzero(scores == scores.max()).tolist())


def plurality(p: Profile) -> frozenset[int]:
    """Whom most rank first."""
    return best(np.bincount(p.rankings[:, 0], minlength=p.options))


def borda_scores(p: Profile) -> np.ndarray:
    """[options] how many options each stands above, over all voters."""
    return (p.options - 1 - p.ranks).sum(0)


def borda(p: Profile) -> frozenset[int]:
    """The best mean rank (Borda 1781)."""
    return best(borda_scores(p))


def copeland(p: Profile) -> frozenset[int]:
    """Most majorities won, a tie counting half (Copeland 1951)."""
    m = p.margins
    return best(2 * (m > 0).sum(1) + (m == 0).sum(1))


def condorcet(p: Profile) -> int | None:
    """Who beats every other option by a majority, if there is one."""
    m = p.margins + np.eye(p.options, dtype=int)
    found = np.flatnonzero((m > 0).all(1))
    return int(found[0]) if len(found) else None


def median(p: Profile) -> frozenset[int]:
    """The best median rank: the lower of two in the middle, so that half or more rank it as high or higher."""
    return best(-np.sort(p.ranks, 0)[(len(p.rankings) - 1) // 2])


def ranked_pairs(p: Profile) -> frozenset[int]:
    """Majorities locked in from the widest, unless they close a circle (Tideman 1987).

    Those of one width are tried in every order; who wins in any is among the winners.
    """
    m = p.margins
    pairs = [(a, b) for a, b in itertools.permutations(range(p.options), 2) if m[a, b] > 0]
    states = {np.eye(p.options, dtype=bool).tobytes()}  # who may stand above whom, by what is locked so far
    for width in sorted({int(m[ab]) for ab in pairs}, reverse=True):
        same = frozenset(ab for ab in pairs if m[ab] == width)
        front = {(state, same) for state in states}
        states = set()
        while front:
            if len(front) > STATES:
                raise Refusal(f"ranked pairs has too many majorities of one width to try all orders, with {p.options} "
                              "options; more voters, fewer options or another rule would do.")  # fmt: skip
            later = set()
            for state, left in front:
                if not left:
                    states.add(state)
                for ab in left:
                    later.add((_locked(state, ab, p.options), left - {ab}))
            front = later
    tops = [np.flatnonzero(np.frombuffer(s, bool).reshape(p.options, -1).sum(0) == 1) for s in states]
    return frozenset(int(w) for top in tops for w in top)


def _locked(state: bytes, pair: tuple[int, int], n: int) -> bytes:
    """Who stands above whom once a pair is locked, which it is not where it would close a circle."""
    reach = np.frombuffer(state, bool).reshape(n, n)
    a, b = pair
    return state if reach[b, a] else (reach | np.outer(reach[:, a], reach[b])).tobytes()


def maximal_lottery(p: Profile) -> np.ndarray:
    """[options] chances that no other lottery beats by an expected majority (Kreweras 1965; Fishburn 1984).

    By linear programming; where several do, the one among them that gives the least likely option most, then one.
    """
    from scipy.optimize import linprog

    m, n = p.margins.astype(float), p.options
    # p M >= 0 for every column; the slack s (the least chance) is made as large as can be
    upper = np.vstack([np.hstack([-m.T, np.zeros((n, 1))]), np.hstack([-np.eye(n), np.ones((n, 1))])])
    found = linprog(np.append(np.zeros(n), -1.0), A_ub=upper, b_ub=np.zeros(2 * n), A_eq=[[*np.ones(n), 0]], b_eq=[1],
                    bounds=(0, 1), method="highs")  # fmt: skip
    chance = np.maximum(found.x[:n], 0)
    return chance / chance.sum()


RANKED: Mapping[str, Rule] = {
    "plurality": plurality, "borda": borda, "median": median, "copeland": copeland, "ranked pairs": ranked_pairs,
}  # fmt: skip


# --- approvals --------------------------------------------------------------------------------------------------------


def approval(approved: np.ndarray) -> frozenset[int]:
    """Whom most approve of; approved [voters, options] true or false."""
    return best(np.asarray(approved, bool).sum(0))


def proportional_score(approved: np.ndarray, chosen: tuple[int, ...]) -> float:
    """What a committee is worth: each voter counts 1 + 1/2 + ... of its members that they approve of (Thiele 1895)."""
    have = np.asarray(approved, bool)[:, list(chosen)].sum(1)
    return float((1 / np.arange(1, have.max(initial=0) + 1))[None].repeat(len(have), 0)[
        np.arange(have.max(initial=0))[None] < have[:, None]].sum())  # fmt: skip


def proportional(approved: np.ndarray, seats: int) -> tuple[int, ...]:
    """Proportional approval voting: the committee of the highest score, of all (the first in the order of options
    where several have it); step by step where there are too many to compare."""
    approved = np.asarray(approved, bool)
    n = approved.shape[1]
    if not 1 <= seats <= n:
        raise Refusal(f"{seats} seats cannot be filled from {n} options; 1 to {n} can.")
    if math.comb(n, seats) <= COMMITTEES:
        scores = {c: proportional_score(approved, c) for c in itertools.combinations(range(n), seats)}
        most = max(scores.values())
        return next(c for c, s in scores.items() if s >= most - 1e-9)
    chosen: list[int] = []
    have = np.zeros(len(approved))
    for _ in range(seats):
        gain = np.where(np.isin(np.arange(n), chosen), -1, (approved / (have + 1)[:, None]).sum(0))
        chosen.append(int(gain.argmax()))
        have += approved[:, chosen[-1]]
    return tuple(sorted(chosen))
