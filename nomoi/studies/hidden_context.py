"""A reward learned from comparisons of people who want different things is Borda's count of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.runs.effects import of
from nomoi.runs.study import Claim, Computed, Results, Study, Trial
from nomoi.voices import rules
from nomoi.voices.rules import Profile

OURS = "ours, after Siththaranjan et al. 2024"
SHARES = (0.5, 0.3, 0.2)
OPTIONS = 5
RIDGE = 1e-3  # of the fit, so that what nobody ever prefers has a reward (ours)


def fitted(wins: np.ndarray) -> np.ndarray:
    """[options] rewards of Bradley and Terry's model from wins [a, b], how often a was preferred to b."""
    n = len(wins)
    r, both = np.zeros(n), wins + wins.T
    for _ in range(60):
        p = 1 / (1 + np.exp(np.clip(r[None] - r[:, None], -40, 40)))  # that row is preferred
        slope = (wins - both * p).sum(1) - RIDGE * r
        weight = both * p * (1 - p)
        step = np.linalg.solve(np.diag(weight.sum(1)) - weight + RIDGE * np.eye(n), slope)
        r = r + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    return r


def drawn(key: jax.Array, worlds: int, comparisons: int, groups: int, even: bool) -> Mapping[str, float]:
    """Groups with utilities of their own, which nobody records, compare pairs; what a learned reward makes of it.

    even  all pairs are compared equally often; else some much more often than others
    """
    rng, rows = np.random.default_rng(seed_of(key)), []
    share = np.array(SHARES[:groups]) / sum(SHARES[:groups])
    a, b = np.triu_indices(OPTIONS, 1)
    for _ in range(worlds):
        utility = rng.normal(0, 1, (groups, OPTIONS)) * np.exp(rng.normal(0, 0.5, (groups, 1)))
        often = np.full(len(a), 1 / len(a)) if even else rng.dirichlet(np.full(len(a), 0.5))
        asked = rng.multinomial(comparisons, np.outer(share, often).ravel()).reshape(groups, -1)
        first = utility[:, a] > utility[:, b]
        wins = np.zeros((OPTIONS, OPTIONS))
        np.add.at(wins, (a, b), (asked * first).sum(0))
        np.add.at(wins, (b, a), (asked * ~first).sum(0))
        reward = fitted(wins)
        people = Profile(np.repeat((-utility).argsort(1), np.round(100 * share).astype(int), 0))
        borda, mean = rules.borda_scores(people), share @ utility
        apart = borda[a] != borda[b]
        alike = ((reward[a] > reward[b]) == (borda[a] > borda[b]))[apart].mean()
        best, wanted = int(reward.argmax()), rules.condorcet(people)
        spread = mean.max() - mean.min()
        rows.append((alike, best == mean.argmax(), (mean.max() - mean[best]) / spread,
                     np.nan if wanted is None else best == wanted,
                     float(rules.maximal_lottery(people) @ mean - mean[best]) / spread,
                     utility[-1].argmax() == best))  # fmt: skip
    found = np.array(rows, float)
    names = ("ordered as Borda", "best for all", "lost to the best", "chooses who beats all", "lottery gains",
             "best for the smallest group")  # fmt: skip
    return dict(zip(names, np.nanmean(found, 0).tolist(), strict=True))


def trials(size: str) -> Sequence[Trial]:
    many = {"worlds": {"smoke": 5, "laptop": 200, "paper": 1000}[size], "comparisons": 20_000}
    return [
        Computed("hidden context", drawn, many | {"groups": 3, "even": True}),
        Computed("some pairs much more often", drawn, many | {"groups": 3, "even": False}),
        Computed("one group", drawn, many | {"groups": 1, "even": True}),
    ]


CLAIMS = [
    Claim("A reward learned from comparisons orders options as Borda's count of the people who made them", OURS,
          of("hidden context", "ordered as Borda"), above=0.98, unit="of pairs", kind="ours"),
    Claim("... if pairs are compared unequally often it does not: more than one pair in twenty is turned", OURS,
          of("some pairs much more often", "ordered as Borda"), below=0.95, unit="of pairs", kind="ours"),
    Claim("Its best option is another than that of the highest mean utility in more than a fifth of worlds", OURS,
          of("hidden context", "best for all"), below=0.8, unit="of worlds the same", kind="ours"),
    Claim("... which costs people together more than a twentieth of what is between best and worst", OURS,
          of("hidden context", "lost to the best"), above=0.05, unit="of the range", kind="ours"),
    Claim("It passes over who beats all others in more than a tenth of the worlds that have one", OURS,
          of("hidden context", "chooses who beats all"), below=0.9, unit="of worlds chosen", kind="ours"),
    Claim("A maximal lottery of the same rankings is worth more to people together", OURS,
          of("hidden context", "lottery gains"), above=0, unit="of the range", kind="ours"),
    Claim("Control: of one group the learned best is the best", OURS, of("one group", "best for all"), above=0.98,
          unit="of worlds", kind="control"),
    Claim("The smallest group, a fifth, gets what it likes best less often than one option in five at random would be",
          OURS, of("hidden context", "best for the smallest group"), below=0.2, unit="of worlds", kind="ours"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page
    from nomoi.report import study as reporting

    labels = ("hidden context", "some pairs much more often", "one group")
    alike = {label: results.late(label, "ordered as Borda") for label in labels}
    title = "How far a learned reward is Borda's count"
    return [
        page.Figure(title, figures.svg(figures.intervals(alike, "pairs of options in the same order", title)),
                    "20,000 comparisons a world, 200 worlds a seed."),
        reporting.conditions(results, labels, ("ordered as Borda", "best for all", "lost to the best",
                                               "chooses who beats all", "best for the smallest group")),
    ]  # fmt: skip


STUDY = Study(
    "hidden_context",
    "What does a reward stand for that is learned from comparisons of people who want different things?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 20},
    sections,
    "Three groups (a half, three tenths, a fifth) with utilities at random and strengths of their own, which "
    "whoever fits "
    "the reward does not see; five options; answers without error. That the fit is Borda's count where all pairs are "
    "compared equally often is a theorem for endless data; here the data end.",
)
