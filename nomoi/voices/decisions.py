"""Real institutions: how far majorities, thresholds, and what is learned of votes and of cases predict decisions.

A rule of social choice takes preferences alone.  What an institution decides may hang on more: on what kind of case it
is.  So every model is set beside the constant, and what is learned beside the same with the kinds shuffled.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.voices import sheets

FIRST = 0.6  # of the cases, by date, that are learned from; the rest tests (ours)
NUMBERS = (10, 40, 160)  # of cases learned from, beside all of them (ours)
THRESHOLDS = (0.55, 0.6, 2 / 3)
CONTESTED = (0.5, 0.67)  # share of yes among the votes cast, both excluded, that a majority leaves open (ours)
RIDGE = 1.0  # penalty on each standardised weight of the logistic fit (ours)
KINDS = 12  # words of a column of context that are told apart, the most frequent first (ours)
ACCEPTED = {"1", "yes", "true", "accepted", "agreed", "passed", "granted", "adopted", "confirmed", "keep", "for"}
REJECTED = {"0", "no", "false", "rejected", "denied", "failed", "refused", "not", "remove", "against"}


@dataclasses.dataclass(frozen=True, eq=False)
class Cases:
    """Cases in the order of their dates.

    cast     [cases, voters] 1 yes, -1 no, 0 neither; NaN for who had no vote
    decided  [cases] whether it was accepted;  context  name -> [cases] words
    contested  [cases] whether the votes were near enough to a half for something else to decide
    groups   [voters] a group of each (a party), -1 none;  rule  [cases] what a rule that was read predicts, if any
    """

    title: str
    voters: tuple[str, ...]
    cast: np.ndarray
    decided: np.ndarray
    context: Mapping[str, tuple[str, ...]]
    groups: np.ndarray | None = None
    rule: np.ndarray | None = None
    yes: np.ndarray | None = None
    no: np.ndarray | None = None
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        decided = np.asarray(self.decided, bool)
        if len(decided) < 10:
            raise Refusal(f"{self.title} has {len(decided)} decided cases; at least 10 are needed to test anything.")
        if decided.all() or not decided.any():
            raise Refusal(f"{self.title}: all {len(decided)} decisions are alike, so nothing can be told apart; cases "
                          "that were decided otherwise are needed.")  # fmt: skip
        object.__setattr__(self, "decided", decided)
        counts = {"yes": 1, "no": -1}
        for name, sign in counts.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, (self.cast == sign).sum(1).astype(float))

    @property
    def share(self) -> np.ndarray:
        """[cases] of the votes for or against, those for; one half where there are none."""
        total = self.yes + self.no  # type: ignore[operator]
        return np.where(total > 0, self.yes / np.maximum(total, 1), 0.5)  # type: ignore[operator]

    @property
    def contested(self) -> np.ndarray:
        """[cases] over half of the votes and under two thirds, where thresholds differ."""
        return (self.share > CONTESTED[0]) & (self.share < CONTESTED[1])


@dataclasses.dataclass(frozen=True)
class Line:
    """A model: agreement with the decisions over all cases and over contested ones, and Cohen's kappa (agreement
    beyond what the constant shares give); how many cases it was tested on."""

    model: str
    agreement: float
    contested: float
    kappa: float
    tested: int
    contested_n: int


def kappa(said: np.ndarray, decided: np.ndarray) -> float:
    """Cohen's kappa; 0 where either never varies."""
    agree = (said == decided).mean()
    chance = said.mean() * decided.mean() + (1 - said.mean()) * (1 - decided.mean())
    return float((agree - chance) / (1 - chance)) if chance < 1 else 0.0


def line(model: str, said: np.ndarray, cases: Cases, on: np.ndarray) -> Line:
    """A model's answers [cases] beside the decisions, on some cases (a mask)."""
    hit = said == cases.decided
    near = on & cases.contested
    return Line(model, float(hit[on].mean()), float(hit[near].mean()) if near.any() else float("nan"),
                kappa(said[on], cases.decided[on]), int(on.sum()), int(near.sum()))  # fmt: skip


def aggregates(cases: Cases) -> list[Line]:
    """What needs no learning, on all cases."""
    every = np.ones(len(cases.decided), bool)
    share = cases.share
    common = bool(cases.decided.mean() >= 0.5)
    out = [line(f"always {'accept' if common else 'reject'}", np.full(len(share), common), cases, every),
           line("majority", cases.yes > cases.no, cases, every)]  # type: ignore[operator]  # fmt: skip
    out += [line(f"threshold {t:.3g} of the votes", share >= t - 1e-12, cases, every) for t in THRESHOLDS]
    if cases.groups is not None and cases.groups.max() > 0:
        agree, seen = _by_group(cases)
        smooth = (agree + 1) / (seen + 2)
        product, least = smooth.prod(0), smooth.min(0)
        for name, value in (("product over groups", product), ("group that agrees least", least)):
            bound = _best_bound(value, cases.decided)
            out.append(line(f"{name}, best threshold ({bound:.2f}, in sample)", value >= bound, cases, every))
    voters = _each(cases)
    if voters:
        best = max(voters, key=lambda v: v[1])
        out.append(line(f"best single voter ({best[0]}; where they voted)", best[2], cases, best[3]))
    if cases.rule is not None:
        out.append(line("rule read by kind of case", cases.rule, cases, every))
    return out


def _by_group(cases: Cases) -> tuple[np.ndarray, np.ndarray]:
    """[groups, cases] yes, and votes that are yes or no."""
    groups = cases.groups
    assert groups is not None
    member = (groups == np.arange(groups.max() + 1)[:, None]).astype(float)
    return member @ (cases.cast == 1).T, member @ (np.abs(np.nan_to_num(cases.cast)) == 1).T


def _best_bound(value: np.ndarray, decided: np.ndarray) -> float:
    bounds = np.unique(value)
    return float(bounds[np.argmax([((value >= b) == decided).mean() for b in bounds])])


def _each(cases: Cases) -> list[tuple[str, float, np.ndarray, np.ndarray]]:
    """Each voter who took part in at least half of the cases: agreement of their votes with the decisions, what they
    said [cases], and where they voted [cases]."""
    out = []
    for k, voter in enumerate(cases.voters):
        took = np.abs(np.nan_to_num(cases.cast[:, k])) == 1
        if took.mean() >= 0.5:
            said = cases.cast[:, k] == 1
            out.append((voter, float((said == cases.decided)[took].mean()), said, took))
    return out


def learned(cases: Cases, seed: int = 0) -> list[Line]:
    """Logistic regression on the first cases by date, tested on the rest: of the share of yes, of every single vote,
    and of the share with the context; and, as a control, the last with the context's rows shuffled."""
    if seed < 0:
        raise Refusal(f"the seed is {seed}; a whole number of at least 0 would be right.")
    n = len(cases.decided)
    cut = round(FIRST * n)
    test = np.arange(n) >= cut
    if len(set(cases.decided[:cut])) < 2 or len(set(cases.decided[test])) < 2:
        raise Refusal(f"{cases.title}: the first {cut} cases, or the others, were all decided alike; more are needed.")
    share = (cases.share - 0.5)[:, None]
    rng = np.random.default_rng(seed)
    kinds = _dummies(cases.context, cut)
    if seed and not kinds.shape[1]:
        raise Refusal(f"{cases.title} has no context to shuffle, so a seed of the control changes nothing; leave it "
                      "out, or add a column to the cases.")  # fmt: skip
    features = {"share of yes": share, "every single vote": np.nan_to_num(cases.cast)}
    if kinds.shape[1]:
        features["share and kind of case"] = _crossed(share, kinds)
        features["control: share and kinds shuffled"] = _crossed(share, kinds[rng.permutation(n)])
    out = [line("majority, on the same test", cases.yes > cases.no, cases, test)]  # type: ignore[operator]
    for name, x in features.items():
        for size in [s for s in NUMBERS if s < cut] + [cut]:
            out.append(line(f"{name}, from {size}", _fitted(x, cases.decided, size), cases, test))
    return out


def _dummies(context: Mapping[str, Sequence[str]], cut: int, most: int = KINDS) -> np.ndarray:
    """[cases, kinds] 0 or 1 for each word of the context that is common enough among the cases learned from."""
    columns = []
    for words in context.values():
        known, counts = np.unique(np.array(words[:cut]), return_counts=True)
        for word in known[np.argsort(-counts, kind="stable")][:most]:
            columns.append(np.array(words) == word)
    return (
        np.array(columns, float).T.reshape(len(next(iter(context.values()), [])), -1) if columns else np.zeros((0, 0))
    )


def _crossed(share: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    return np.hstack([share, kinds, share * kinds])


def _fitted(x: np.ndarray, y: np.ndarray, size: int) -> np.ndarray:
    """[cases] what a ridge logistic regression on the first `size` says of all (Newton's method)."""
    mean, spread = x[:size].mean(0), x[:size].std(0)
    z = np.hstack([np.ones((len(x), 1)), (x - mean) / np.where(spread > 1e-9, spread, 1)])
    z[:, 1:][:, spread <= 1e-9] = 0
    a, b, w = z[:size], y[:size].astype(float), np.zeros(z.shape[1])
    penalty = np.r_[1e-6, np.full(z.shape[1] - 1, RIDGE)]
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(a @ w, -30, 30)))
        step = np.linalg.solve((a * (p * (1 - p))[:, None]).T @ a + np.diag(penalty), a.T @ (b - p) - penalty * w)
        w += step
        if np.abs(step).max() < 1e-8:
            break
    return z @ w > 0


# --- files ------------------------------------------------------------------------------------------------------------


def read(votes: str | Path, cases: str | Path) -> Cases:
    """From files of one's own: votes of case, voter, vote (1, 0, -1), and perhaps group; cases of case, decision, and
    perhaps date and further columns, which are the context."""
    asked, cast = sheets.read(cases), sheets.read(votes)
    sheets.need(asked, ("case", "decision"), "a file of cases")
    sheets.need(cast, ("case", "voter", "vote"), "a file of votes")
    _dated(asked)
    index: dict[str, int] = {}
    decided, undecided = [], set()
    for i, (case, word) in enumerate(zip(sheets.ids(asked, "case"), asked.column("decision"), strict=True)):
        if case in index or case in undecided:
            raise Refusal(f"{asked.where(i)}: the case {case!r} stands there before; one row a case is right.")
        if not word:
            undecided.add(case)  # where an institution has not spoken there is nothing to agree with
            continue
        if word.lower() not in ACCEPTED | REJECTED:
            raise Refusal(f"{asked.where(i)}: the decision is {word!r}; 1 or 0, yes or no, accepted or rejected.")
        index[case] = i
        decided.append(word.lower() in ACCEPTED)
    rows = {case: k for k, case in enumerate(index)}
    voters = list(dict.fromkeys(sheets.ids(cast, "voter")))
    column = {v: j for j, v in enumerate(voters)}
    table = np.full((len(rows), len(voters)), np.nan)
    groups: dict[str, str] = {}
    for i, (case, voter, word) in enumerate(
        zip(cast.column("case"), cast.column("voter"), cast.column("vote"), strict=True)
    ):
        if case not in rows:
            if case not in undecided:
                raise Refusal(f"{cast.where(i)}: the case {case!r} is not in {asked.path}; every vote is on one of it.")
            continue
        if word not in ("1", "0", "-1", "1.0", "0.0", "-1.0", ""):
            raise Refusal(f"{cast.where(i)}: {word!r} is no vote; 1 (yes), 0 (neither), -1 (no) or nothing is right.")
        at = rows[case], column[voter]
        if not np.isnan(table[at]):
            raise Refusal(f"{cast.where(i)}: {voter!r} votes twice on {case!r}; leave in the vote that counts.")
        table[at] = float(word) if word else np.nan
        if "group" in cast:
            group = cast.rows[i][cast.at("group")]
            if groups.setdefault(voter, group) != group:
                raise Refusal(f"{cast.where(i)}: {voter!r} is in {group!r} here and in {groups[voter]!r} before.")
    names = sorted({g for g in groups.values() if g})
    sides = np.array([names.index(groups[v]) if groups.get(v) else -1 for v in voters]) if names else None
    context = {c: tuple(asked.rows[i][asked.at(c)] for i in index.values()) for c in asked.columns
               if c and c not in ("case", "decision", "date")}  # fmt: skip
    said = [f"{len(undecided)} cases are undecided and left out."] * bool(undecided)
    if not context:
        said.append("cases have no column of context, so only rules of the votes alone can be compared.")
    said += many(context)
    return Cases(Path(cases).stem, tuple(voters), table, np.array(decided, bool), context, sides, remarks=tuple(said))


def many(context: Mapping[str, Sequence[str]]) -> list[str]:
    """What is to be said of columns with more words than are told apart."""
    sizes = {name: len(set(words)) for name, words in context.items()}
    return [f"the context {name!r} has {n:,} words, of which the {KINDS} most frequent are told apart."
            for name, n in sizes.items() if n > KINDS]  # fmt: skip


def _dated(sheet: sheets.Sheet) -> None:
    """Refuse dates that run backwards: the first cases are learned from, so their order counts."""
    if "date" not in sheet:
        return
    dates = sheet.column("date")
    numbered = dates[0].replace(".", "", 1).isdecimal()  # the first row says how dates are written
    order: list[Any] = [(sheets.number if numbered else sheets.moment)(d, sheet.where(i), "the date")
                        for i, d in enumerate(dates)]  # fmt: skip
    for i in range(1, len(order)):
        if order[i] < order[i - 1]:
            raise Refusal(f"{sheet.where(i)}: the date {dates[i]} is before that of the row above, {dates[i - 1]}; "
                          "sort the cases by date.")  # fmt: skip
