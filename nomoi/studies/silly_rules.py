"""Silly rules (Koster et al. 2022): does a rule against something harmless help people to keep one that matters?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nomoi.core import build
from nomoi.learners.ppo import PPO
from nomoi.measure.statistics import Estimate, correlation, ttest
from nomoi.probes.staged import probes
from nomoi.runs import effects
from nomoi.runs.effects import percent, tenths
from nomoi.runs.regimes import parse
from nomoi.runs.study import Claim, Evaluated, Results, Study, Trained, Trial
from nomoi.situations.berries import Berries, rule

NO, IMPORTANT, SILLY = "no rule", "important rule", "silly rule"
RULES = {NO: "", IMPORTANT: rule("poison"), SILLY: rule("poison,silly")}
ARMS = tuple(RULES)
FIGURE, PROBES = "Koster et al. 2022, Fig. 4", "Koster et al. 2022, Fig. 6"
POPULATIONS = "Koster et al. 2022, Fig. 5"
# a place that was chosen where our own curves are highest would be a peak on any noise
PEAKS = {IMPORTANT: (2, 3), SILLY: (2, 2)}  # tenths of training; .17 to .22 and .125 in Fig. 4
PANELS = (
    ("Misdirected punishing", "hits on the unmarked an episode", "wrong"),
    ("Times punished", "hits on the marked an episode", "correct"),
    ("Time marked", "share of agent-time", "marked"),
    ("Time poisoned", "share of agent-time", "poisoned"),
    ("Taboo berries eaten", "berries an episode", "taboo"),
    ("Collective return", "reward an episode", "payoff"),
)
# ours: credit for the poison (30 steps later) must not flow inside a rollout
LEARNER = build(
    PPO, worlds=32, steps=32, minibatches=4, learning_rate=4e-4, learning_rate_end=4e-4, gamma=0.97, gae_lambda=0.9,
    entropy_coef=0.02, entropy_coef_end=0.005, scale=1 / 3,
)  # fmt: skip


def own(arm: str) -> str:
    """The label of an arm in which each agent learns with parameters of its own."""
    return f"{arm}, minds of their own"


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 20_000, "laptop": 1_000_000, "paper": 1_000_000_000}[size]
    place = Berries.preset("paper" if size == "paper" else "meadow")
    points = 4 if size == "smoke" else 16

    def trained(label: str, under: str, snapshots: int = 0, learner: PPO = LEARNER) -> Trained:
        return Trained(label, place, parse(label, under).institutions, steps, learner, snapshots)

    return [
        *(trained(arm, under, points) for arm, under in RULES.items()),
        trained("silly rule, no reward for punishing", rule("poison,silly", reward=0)),
        trained("important rule, own mark visible, no reward", rule("poison", known=True, reward=0)),
        trained("silly only", rule("silly")),
        *(trained(own(arm), under, learner=LEARNER.replace(shared=False)) for arm, under in RULES.items()),
        *(Evaluated(f"{arm}: probes", arm, probes, along=True) for arm in ARMS),
    ]


def _peak(results: Results, arm: str) -> np.ndarray:
    """[seeds] hits on the marked in the tenths of training in which the published curve has its peak."""
    first, last = PEAKS[arm]
    return results.bins(arm, "correct")[:, first - 1 : last].mean(1)


def _peaks(arm: str) -> Callable[[Results], np.ndarray]:
    """How far the peak is above both the first and the last tenth; on flat noise it is below."""
    return lambda r: _peak(r, arm) - r.bins(arm, "correct")[:, [0, -1]].max(1)


def _later(arm: str) -> Callable[[Results], Estimate]:
    """Punishing in the first fifth of training against poisoning in the second, over seeds."""
    return lambda r: correlation(r.bins(arm, "correct")[:, :2].mean(1), r.bins(arm, "poisoned")[:, 2:4].mean(1))


def _first(there: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """[seeds] share of training at the first snapshot of which something is true; 1 where it never is."""
    return np.where(there.any(1), steps[there.argmax(1)] / steps[-1], 1.0)


def _shunned(results: Results, arm: str, probe: str) -> np.ndarray:
    """When the score of approaching a berry falls below half of what it is without a rule (the measure is ours)."""
    steps, values = results.curve(f"{arm}: probes", probe)
    return _first(values < results.curve(f"{NO}: probes", probe)[1].mean(0) / 2, steps)


def _practised(results: Results, arm: str) -> np.ndarray:
    """When the marked are struck sooner than the unmarked, by a score of at least 0.1 (the measure is ours)."""
    steps, marked = results.curve(f"{arm}: probes", "marked")
    return _first(marked - results.curve(f"{arm}: probes", "unmarked")[1] > 0.1, steps)


def _skill(arm: str) -> Callable[[Results], Estimate]:
    """Striking the marked in the first fifth of the snapshots against approaching poison in the second, over seeds."""

    def effect(results: Results) -> Estimate:
        early, later = (results.bins(f"{arm}: probes", p, 5) for p in ("marked", "poison"))
        return correlation(early[:, 0], later[:, 1])

    return effect


CLAIMS = [
    Claim("T1 Early, no rule earns more than the important rule", FIGURE, tenths("payoff", NO, IMPORTANT, 1, 1),
          above=0, published="3700 against 3100 at the start", unit="reward"),
    Claim("T1 Early, the important rule earns more than the silly one", FIGURE,
          tenths("payoff", IMPORTANT, SILLY, 1, 1), above=0, published="t = -22.3 in the first tenth", unit="reward"),
    Claim("T2 Punishing under the important rule peaks in tenths 2 and 3, then declines", FIGURE, _peaks(IMPORTANT),
          above=0, published="peak 20, then below 4.5", unit="hits"),
    Claim("T2 Punishing under the silly rule peaks in tenth 2, then declines", FIGURE, _peaks(SILLY), above=0,
          published="peak 47.5, then 4", unit="hits"),
    Claim("T2 The silly rule's peak is at least half as high again", FIGURE + "; ours (half)",
          lambda r: _peak(r, SILLY) - 1.5 * _peak(r, IMPORTANT), above=0, published="2.4 times", unit="hits"),
    Claim("T3 Midway fewer are poisoned under the silly than under the important rule", FIGURE,
          tenths("poisoned", SILLY, IMPORTANT, 4, 6), below=0, published=".17 against .32 to .50", unit="of time"),
    Claim("T3 Midway fewer are poisoned under the important rule than under none", FIGURE,
          tenths("poisoned", IMPORTANT, NO, 4, 6), below=0, published=".32 against .54", unit="of time"),
    Claim("T3 Midway the silly rule earns more than the important one", FIGURE,
          tenths("payoff", SILLY, IMPORTANT, 4, 6), above=0, published="t = 3.9, 3.3, 2.4 in tenths 4 to 6",
          unit="reward"),
    Claim("T4 In the end the important rule earns at least 5 % more than none", FIGURE,
          percent("payoff", IMPORTANT, NO), above=5, published="13 to 15 %", unit="%"),
    Claim("T4 In the end the silly rule earns at least 5 % more than none", FIGURE, percent("payoff", SILLY, NO),
          above=5, published="13 to 15 %", unit="%"),
    Claim("T4 In the end both rules are equivalent, within 5 %", FIGURE, percent("payoff", SILLY, IMPORTANT), near=0,
          tolerance=5, published="no difference (t = -1.4, p = .18)", unit="%"),
    Claim("T5 Without a rule poisoning stays as it is", FIGURE,
          lambda r: r.bins(NO, "poisoned")[:, -1] - r.bins(NO, "poisoned")[:, 4], near=0, tolerance=0.05,
          published="flat at .54", unit="of time"),
    Claim("T6 Poison is shunned no later than the silly berry", PROBES,
          lambda r: _shunned(r, SILLY, "silly") - _shunned(r, SILLY, "poison"), above=-0.1,
          published="both by t = .3", unit="of training"),
    Claim("T6 Poison is shunned sooner under the silly rule", PROBES,
          lambda r: _shunned(r, IMPORTANT, "poison") - _shunned(r, SILLY, "poison"), above=0,
          published="t = .3 against .35", unit="of training"),
    Claim("T6 The marked are told from the unmarked before poison is shunned (important rule)", PROBES,
          lambda r: _shunned(r, IMPORTANT, "poison") - _practised(r, IMPORTANT), above=0, unit="of training"),
    Claim("T6 The marked are told from the unmarked before poison is shunned (silly rule)", PROBES,
          lambda r: _shunned(r, SILLY, "poison") - _practised(r, SILLY), above=0, unit="of training"),
    Claim("T6 Striking the marked early goes with shunning poison later, over populations (important rule)", PROBES,
          _skill(IMPORTANT), below=0, published="r = -.86, p < .001"),
    Claim("T6 Striking the marked early goes with shunning poison later, over populations (silly rule)", PROBES,
          _skill(SILLY), below=0, published="r = -.46, p = .085"),
    Claim("T7 Control: without a reward for punishing the silly rule brings nothing", "ours",
          percent("payoff", "silly rule, no reward for punishing", NO), near=0, tolerance=5, unit="%",
          kind="control"),
    Claim("Control: whoever sees the own mark shuns the poison though nobody punishes (a leak)",
          "ours", percent("payoff", "important rule, own mark visible, no reward", NO), above=5, unit="%",
          kind="control"),
    Claim("Control: a silly rule alone only costs", "ours", percent("payoff", "silly only", NO), below=0, unit="%",
          kind="control"),
    *(Claim(f"{text}, where each has a mind of its own", FIGURE, effect, published=published, unit=unit, **bound)
      for text, effect, published, unit, bound in (
        ("T3 Midway fewer are poisoned under the silly than under the important rule",
         tenths("poisoned", own(SILLY), own(IMPORTANT), 4, 6), ".17 against .32 to .50", "of time", {"below": 0}),
        ("T3 Midway the silly rule earns more than the important one",
         tenths("payoff", own(SILLY), own(IMPORTANT), 4, 6), "t = 3.9, 3.3, 2.4 in tenths 4 to 6", "reward",
         {"above": 0}),
        ("T4 In the end the important rule earns at least 5 % more than none",
         percent("payoff", own(IMPORTANT), own(NO)), "13 to 15 %", "%", {"above": 5}))),
    Claim("Early punishing goes with less poisoning later, over populations (important rule)",
          POPULATIONS, _later(IMPORTANT), below=0, published="r = -.80, p < .001"),
    Claim("Early punishing goes with less poisoning later, over populations (silly rule)",
          POPULATIONS, _later(SILLY), below=0, published="r = -.39, p = .15"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    """Published layouts: panels A to F, the ten tests, the correlation over populations, the probes."""
    from nomoi.report import figures, page, panels

    def shown(measure: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {arm: results.curve(arm, measure) for arm in ARMS if measure in results.measures(arm)}

    grid = [(title, unit, shown(measure)) for title, unit, measure in PANELS]
    published = (-22.3, -15.6, 1.2, 3.9, 3.3, 2.4, 0.2, -1.1, -0.7, -1.4)
    tests = [ttest(results.bins(SILLY, "payoff")[:, k], results.bins(IMPORTANT, "payoff")[:, k]) for k in range(10)]
    rows = [([f"{k + 1}"], one, [f"{was:g}"]) for k, (one, was) in enumerate(zip(tests, published, strict=True))]
    early = {
        arm: (results.bins(arm, "correct")[:, :2].mean(1), results.bins(arm, "poisoned")[:, 2:4].mean(1))
        for arm in (IMPORTANT, SILLY)
    }
    names = {"poison": "approach poison", "silly": "approach the silly berry", "healthy": "approach a healthy berry",
             "marked": "strike the marked", "unmarked": "strike the unmarked"}  # fmt: skip
    tested = [
        (title, "score (1 at once, 0 never)", {arm: results.curve(f"{arm}: probes", probe) for arm in ARMS})
        for probe, title in names.items()
    ]
    return [
        page.Figure("What happens in training (layout of Fig. 4)", figures.svg(panels.panels(grid, labels=ARMS))),
        effects.Tests("Silly minus important rule: collective return in ten parts of training", ["tenth"], rows,
                      ["published t (two samples)"]),
        page.Figure("Where each has a mind of its own", figures.svg(panels.panels(
            [(title, unit, {arm: results.curve(own(arm), m) for arm in ARMS if m in results.measures(own(arm))})
             for title, unit, m in PANELS], labels=ARMS))),
        page.Figure("Early punishing and later poisoning (layout of Fig. 5)", figures.svg(panels.scatter(
            "One point a population", "hits on the marked, first fifth", "time poisoned, second fifth", early, ARMS))),
        page.Figure("What has been learned when (layout of Fig. 6)", figures.svg(panels.panels(tested, labels=ARMS))),
    ]  # fmt: skip


STUDY = Study(
    "silly_rules",
    "Does a rule against something harmless help people to keep a rule that matters?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 8, "paper": 15},
    sections,
    "The paper trained for 10^9 steps on another map with other constants: orderings are compared, not sizes. "
    "The study `silly_phase` maps where they hold. At size paper: 135 runs of 10^9 steps, two to three days of an H100 "
    "if berries are learned about as fast as apples there (700,000 steps a second).",
    ("payoff", "harvest", "poisoned", "poison", "silly", "taboo", "marked", "correct", "wrong", "precision", "seized"),
    first=10,
)
