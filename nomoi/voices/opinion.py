"""What a conversation's votes say, all in one: groups, consensus both ways, how much of it would come again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.voices.consensus import (
    MODES,
    Tally,
    Typical,
    check,
    consensus,
    majority,
    smoothed,
    tally,
    typical,
    unseen,
)  # fmt: skip
from nomoi.voices.groups import Grouping, group, rand
from nomoi.voices.stability import Chance, Stability, by_groups, permuted, stability
from nomoi.voices.votes import Votes

MOST = 20  # statements that pass where no bound and no number is given (ours)


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is asked of votes.

    above, most   which statements pass: consensus of at least this, or as many as this; the 20 best without either
    mode          how consensus is counted (see `nomoi.voices.consensus`)
    groups        own (made here of the votes), published (that came with them), or auto: published unless scrambled
    k             how many groups to make, instead of as many as have the best silhouette
    draws, seed   resamples of people, and where their chance begins
    """

    above: float | None = None
    most: int | None = None
    mode: str = "polis"
    groups: str = "auto"
    k: int | None = None
    draws: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        if self.above is not None and self.most is not None:
            raise Refusal("above and most were given; statements pass by a bound or by their number, so leave one out.")
        if self.above is not None and not 0 <= self.above < 1:
            raise Refusal(f"above is {self.above:g}; a consensus in [0, 1) would be right.")
        if self.most is not None and self.most < 1:
            raise Refusal(f"most is {self.most}; at least one statement would be right.")
        if self.mode not in MODES:
            raise Refusal(f"there is no mode {self.mode!r} of consensus; the modes are {', '.join(MODES)}.")
        if self.groups not in ("auto", "own", "published"):
            raise Refusal(f"groups is {self.groups!r}; auto, own or published would be right.")
        if self.k is not None and self.groups == "published":
            raise Refusal("k says how many groups to make, and groups that came with the votes were asked for; leave "
                          "one of them out.")  # fmt: skip
        if self.draws < 0 or self.seed < 0:
            raise Refusal("draws and seed are whole numbers of at least 0.")

    @property
    def rule(self) -> str:
        """In words, which statements pass."""
        if self.above is not None:
            return f"consensus of at least {self.above:g}"
        return f"the {self.most or MOST} statements of most consensus"

    def passing(self, votes: Votes, labels: np.ndarray) -> np.ndarray:
        """[statements] what passes.  What some group was never asked does not, nor what was moderated out."""
        counted = tally(votes, labels)
        value = consensus(counted, self.mode)
        fit = ~unseen(counted) & ~votes.out
        if self.above is not None:
            return fit & (value >= self.above)
        best = np.argsort(np.where(fit, -value, np.inf), kind="stable")[: min(self.most or MOST, int(fit.sum()))]
        out = np.zeros(len(value), bool)
        out[best] = True
        return out


@dataclasses.dataclass(frozen=True, eq=False)
class Opinion:
    """The answer.

    own, labels, source  groups made here; the groups that consensus is taken over, and whose they are
    chance               whether published groups differ more than a random split; None where there are none
    agree, disagree, all_agree  [statements] consensus either way, and the share of all people who agree
    never, passes        [statements] some group was never asked; what passes
    by_k                 number of groups -> (statements past the bound, past the same bound a group)
    """

    votes: Votes
    asked: Asked
    own: Grouping
    labels: np.ndarray
    source: str
    chance: Chance | None
    tally: Tally
    agree: np.ndarray
    disagree: np.ndarray
    all_agree: np.ndarray
    never: np.ndarray
    passes: np.ndarray
    typical: list[list[Typical]]
    stability: Stability
    by_k: Mapping[int, tuple[int, int]]
    remarks: tuple[str, ...]

    @property
    def left_out(self) -> list[np.ndarray]:
        """[statements] for each group: most of it (six in ten, smoothed) agree, and yet the statement does not pass."""
        shares = smoothed(self.tally.agree, self.tally.seen)
        return [(row >= 0.6) & ~self.passes & ~self.votes.out for row in shares]

    def order(self) -> np.ndarray:
        """Statements by consensus, those that pass first."""
        return np.lexsort((-self.agree, ~self.passes))

    def data(self) -> dict[str, Any]:
        """As plain data."""
        v, s = self.votes, self.stability
        plain = lambda x: None if x is None or not np.isfinite(x) else round(float(x), 6)  # noqa: E731
        smooth = smoothed(self.tally.agree, self.tally.seen)
        row = lambda j: {  # noqa: E731
            "id": v.statements[j], "text": v.texts.get(v.statements[j], ""), "passes": bool(self.passes[j]),
            "agree": plain(self.agree[j]), "disagree": plain(self.disagree[j]), "all": plain(self.all_agree[j]),
            "groups": [{"agree": int(self.tally.agree[g, j]), "disagree": int(self.tally.disagree[g, j]),
                        "seen": int(self.tally.seen[g, j]), "smoothed": plain(smooth[g, j])}
                       for g in range(len(self.tally.sizes))],
            "resamples": plain(s.passes[j]), "out": bool(v.out[j]), "unseen": bool(self.never[j]),
        }  # fmt: skip
        return {
            "title": v.title, "people": len(v.people), "statements": len(v.statements), "votes": int(v.seen.sum()),
            "remarks": list(self.remarks), "mode": self.asked.mode, "rule": self.asked.rule,
            "groups": {
                "source": self.source, "sizes": self.tally.sizes.tolist(),
                "own": {"k": self.own.k, "placed": int(self.own.plane.kept.sum()),
                        "sizes": np.bincount(self.own.labels[self.own.labels >= 0]).tolist(),
                        "silhouettes": {str(k): plain(x) for k, x in self.own.silhouettes.items()}},
                "published and own alike": plain(rand(v.groups, self.own.labels)) if v.groups is not None else None,
                "against chance": None if self.chance is None else {
                    "p": plain(self.chance.p), "difference": plain(self.chance.apart),
                    "expected": plain(self.chance.expected)},
            },
            "stability": {
                "draws": len(s.alike), "k": {str(k): n for k, n in s.k.items()}, "alike": [plain(x) for x in s.alike],
                "admitted": [plain(x) for x in s.admitted], "regrouped": [plain(x) for x in s.regrouped],
                "seeds": [plain(x) for x in s.seeds], "readings": [plain(x) for x in s.ways],
            },
            "by number of groups": {str(k): {"past": a, "past the same a group": b} for k, (a, b) in self.by_k.items()},
            "consensus": [row(j) for j in self.order()],
            "typical": [[{"id": v.statements[t.statement], "side": t.side, "share": plain(t.share),
                          "elsewhere": plain(t.elsewhere)} for t in rows] for rows in self.typical],
        }  # fmt: skip


def examine(votes: Votes, asked: Asked = Asked()) -> Opinion:
    """All that `nomoi voices` tells of votes."""
    if not votes.seen.any():
        raise Refusal(f"{votes.title} has no vote in it; agree (1), pass (0) or disagree (-1) would be one.")
    remarks = list(votes.remarks)
    own = group(votes, asked.k)
    chance = None
    if votes.groups is not None and (votes.groups >= 0).any():
        if asked.groups != "own" and asked.k is None:  # else they are only told beside
            check(votes.groups, votes.title)
        if votes.groups.max() > 0:
            chance = permuted(votes, votes.groups, seed=asked.seed)
    if asked.seed and not asked.draws and chance is None:
        raise Refusal("a seed was given, and with no draws and no published groups nothing is left to chance; leave "
                      "one of them out.")  # fmt: skip
    labels, source = own.labels, "own"
    if asked.groups == "published" and (votes.groups is None or not (votes.groups >= 0).any()):
        raise Refusal(f"{votes.title} came without groups; leave --groups out, or name a file that has them.")
    if asked.groups != "own" and asked.k is None and votes.groups is not None and (votes.groups >= 0).any():
        scrambled = chance is not None and chance.scrambled
        if scrambled:
            remarks.append(_scrambled(chance, asked.groups))
        if not scrambled or asked.groups == "published":
            labels, source = votes.groups, "published"
    check(labels, f"{votes.title}, {asked.k or own.k} groups")
    counted = tally(votes, labels)
    never = unseen(counted) & ~votes.out
    if never.any():
        some = [votes.statements[j] for j in np.flatnonzero(never)[:5]]
        remarks.append(f"some group was never asked about {int(never.sum())} of the statements (such as "
                       f"{', '.join(some)}); they do not pass.")  # fmt: skip
    return Opinion(
        votes, asked, own, labels, source, chance, counted, consensus(counted, asked.mode),
        consensus(counted, asked.mode, "disagree"), majority(votes), never, asked.passing(votes, labels),
        typical(counted, votes.out), stability(votes, labels, own, asked.passing, asked.draws, asked.seed, asked.k),
        {} if asked.above is None else by_groups(votes, own, asked.mode, asked.above), tuple(remarks),
    )  # fmt: skip


def _scrambled(chance: Chance | None, groups: str) -> str:
    assert chance is not None
    if not np.isfinite(chance.p):
        return "the published groups saw no statement in common, so whether they are of these votes is not known."
    used = "they are used as asked" if groups == "published" else "groups made of the votes are used instead"
    return (f"the published groups differ no more than a random split of the same people (p = {chance.p:.2f}), so "
            f"their ids are scrambled or of other votes; {used}.")  # fmt: skip
