"""Is a moderator that is aligned to people, or to all of them together, thereby compatible with their institution?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nomoi.probes.amending import SINCE, amended, concerted, drifted
from nomoi.probes.compatible import SEEN, SHOWN, compared
from nomoi.runs.effects import Effect, of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial

OURS = "ours"
ALL_ASKED = {"proposals": 0, "gap": "ask"}
PRECEDENTS = {"radius": 1, "cases": 400}
BENCHES: Mapping[str, Mapping[str, Any]] = {
    "all asked each time": ALL_ASKED,
    "rules": {},
    "rules by two thirds": {"majority": 2 / 3},
    "rules, gaps asked": {"gap": "ask"},
    "rules and precedents": PRECEDENTS,
    "rules, precedents, rights": PRECEDENTS | {"rights": True},
    "identical cases alone": ALL_ASKED | {"radius": 0, "cases": 400},
    "rights alone": ALL_ASKED | {"rights": True},
    "the smallest group's cases": ALL_ASKED | {"local": True},
}
LESSONS = ("all asked each time", "rules", "rules, precedents, rights")  # in which learning is looked at


def trials(size: str) -> Sequence[Trial]:
    many = {"members": 101, "worlds": {"smoke": 1, "laptop": 5, "paper": 20}[size]}
    full = PRECEDENTS | {"rights": True}
    return [
        *(Computed(label, compared, many | {"bench": bench, "lessons": label in LESSONS})
          for label, bench in BENCHES.items()),
        Computed("one member", compared, many | {"bench": ALL_ASKED, "lessons": False, "alone": True}),
        Computed("an amendment", amended, many | {"bench": full}),
        *(Computed(f"drift {rate:g}", drifted, many | {"bench": {}, "drift": rate}) for rate in (0.0, 0.03, 0.1)),
        Computed("a fifth in concert", concerted, many | {"bench": {}, "share": 0.2}),
    ]  # fmt: skip


def less(label: str, one: str, other: str) -> Effect:
    """One measure of a condition less another one of it."""
    return lambda r: r.late(label, one) - r.late(label, other)


def ours(text: str, effect: Effect, unit: str = "of posts", kind: str = "ours", **bound: float) -> Claim:
    return Claim(text, OURS, effect, unit=unit, kind=kind, **bound)  # type: ignore[arg-type]


def again(text: str, label: str, measure: str, value: float, tolerance: float) -> Claim:
    return Claim(text, OURS, of(label, measure), f"{value:g}", near=value, tolerance=tolerance, unit="of posts",
                 kind="replica")  # fmt: skip


ASKED, RULES, FULL = LESSONS

CLAIMS = [
    # whether they part, and by how much
    ours("A moderator that gives the median of all members agrees with the rules that these members passed less than "
         "with another aggregate, the mean", less(RULES, "median", "mean with median"), below=0),
    ours("... and so does one that goes by the mean", less(RULES, "mean", "mean with median"), below=0),
    ours("It is generality that parts them: all asked for each post anew, but some removals barred, the median agrees "
         "in more than 95 of 100 posts", of("rights alone", "median"), above=0.95),
    ours("... and the default that what no rule forbids is kept: if all are asked in gaps, so few rules pass that the "
         "median agrees in more than 95 of 100", of("rules, gaps asked", "median"), above=0.95),
    ours("The part is not in the gaps alone: where a rule speaks the median differs in more than a fifth of posts",
         of(RULES, "median, under rules"), below=0.8),
    ours("It is history: two foundings of the same members agree with each other more than the median does with either",
         less(RULES, "second founding", "median"), above=0),
    ours("... but once there are precedents, not by more than 0.1",
         less(FULL, "second founding", "median"), below=0.1),
    # what trials found
    again("Under rules the median agrees with the bench", RULES, "median", 0.747, 0.06),
    again("... the mean", RULES, "mean", 0.744, 0.06),
    again("... all wishes and the procedure, not the history (the most frequent verdict of 16 other foundings)", RULES,
          "all but history", 0.915, 0.08),
    again("With precedents and rights who learned 100 decisions agrees", FULL, "decisions, 100 seen", 0.94, 0.03),
    # learning
    ours("Who learned 100 decisions agrees with the bench more than all wishes and the procedure without the history",
         less(FULL, "decisions, 100 seen", "all but history"), above=0),
    ours("... and more than who learned the mean of all wishes for 1,000 posts",
         less(FULL, "decisions, 100 seen", "mean, 1000 seen"), above=0),
    ours("Control: shuffled decisions teach no more than the most frequent verdict",
         less(FULL, "shuffled, 1000 seen", "constant"), kind="control", below=0.02),
    ours("Where all are asked each time it is false that decisions are better: 100 of them agree less than an "
         "aggregate, the median", less(ASKED, "decisions, 100 seen", "median"), below=0),
    # the text, a sense
    ours("A stranger who reads the text agrees more than one who knows the decisions of other communities",
         less(FULL, "text, none seen", "decisions of others, none seen"), above=0),
    ours("... and more than one who saw 30 decisions", less(FULL, "text, none seen", "decisions, 30 seen"), above=0),
    ours("Control: with texts swapped among communities a reader gains less than 0.1 on who knows others' decisions",
         less(FULL, "text of others, none seen", "decisions of others, none seen"), kind="control", below=0.1),
    ours("The text does not help who wants the mean: with it the mean agrees no more by 0.02",
         less(FULL, "mean and text, 100 seen", "mean, 100 seen"), below=0.02),
    ours("After an amendment of the widest rule 300 old decisions do harm: with 100 new ones they agree less than "
         "these alone", less("an amendment", "all history, 100 since", "only since, 100 since"), below=0),
    # what people get
    ours("The bench is best for members: its verdicts are worth more to them on average than those of the mean",
         less(RULES, "worth to all: bench", "worth to all: mean"), unit="of worth", above=0),
    ours("... or to the worst-off group than those of the rule for it",
         less(RULES, "worth to the worst-off group: bench", "worth to the worst-off group: worst"), unit="of worth",
         above=0),
    ours("Members accept its verdicts more than plurality's though they give procedure no weight (the break-even "
         "weight stands below)", of(RULES, "accepted at no weight: bench less plurality"), unit="of verdicts", above=0),
    # in time
    ours("While members change their minds, fewer of the bench's verdicts change in ten steps than of the median's",
         less("drift 0.1", "changed: bench", "changed: median"), below=0),
    ours("A fifth of members in concert moves fewer verdicts of the bench than of the mean",
         less("a fifth in concert", "moved: bench", "moved: mean"), below=0),
    ours("... and gains less by it", less("a fifth in concert", "gained: bench", "gained: mean"), unit="of worth",
         below=0),
]  # fmt: skip

BESIDE = ("constant", "mean with median", "second founding", "break-even weight of procedure")

READINGS = [
    Reading("All asked each time: the median is the bench, and learns the same of the same posts", OURS,
            of(ASKED, "decisions and median learn the same"), unit="of seeds"),
    Reading("One member: a principal, the mean and the bench are one", OURS, of("one member", "mean"), unit="of posts"),
    *(Reading(f"{label}: {measure}", OURS, of(label, measure), unit="of posts" if k < 3 else "log-odds")
      for label in (RULES, FULL) for k, measure in enumerate(BESIDE)),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page
    from nomoi.report import study as reporting
    from nomoi.runs import effects

    def drawn(label: str, wants: Mapping[str, str], title: str) -> Any:
        series = {said: (np.array(SEEN, float), np.stack([results.late(label, f"{name}, {n} seen") for n in SEEN], 1))
                  for said, name in wants.items()}  # fmt: skip
        base = {"all but the history": float(np.nanmean(results.late(label, "all but history"))),
                "most frequent verdict": float(np.nanmean(results.late(label, "constant")))}  # fmt: skip
        return figures.svg(figures.curves(series, "posts with the bench's verdict", title, base,
                                          xlabel="decisions, or posts of which all wishes are known"))  # fmt: skip

    wants = {"decisions": "decisions", "decisions and text": "decisions and text", "mean of wishes": "mean",
             "one principal": "principal", "decisions, shuffled": "shuffled"}  # fmt: skip
    apart = {label: results.late(label, "median") for label in BENCHES}
    title = "Median of the members and bench of the members"
    every = reporting.conditions(results, list(BENCHES), (*SHOWN, "kappa, median", *BESIDE[:3]), "bench")
    people = [[name, *(effects.rows(results, [RULES], [f"{what}: {name}"])[0][1]
                       for what in ("worth to all", "worth to the worst-off group"))]
              for name in (*SHOWN, "bench")]  # fmt: skip
    since = [[str(n), *(effects.rows(results, ["an amendment"], [f"{what}, {n} since"])[0][1]
                        for what in ("all history", "only since"))] for n in SINCE]  # fmt: skip
    moved = [[name, *(effects.rows(results, ["a fifth in concert"], [f"{what}: {name}"])[0][1]
                      for what in ("moved", "gained"))] for name in (*SHOWN[1:], "bench")]  # fmt: skip
    return [
        page.Figure(title, figures.svg(figures.intervals(apart, "posts with the same verdict", title)),
                    "Each bench is made of the members whose median it is compared with."),
        page.Figure("Learned with precedents and rights", drawn(FULL, wants, "Who comes to agree with the bench"),
                    "One learner on the same posts; only the score that it is given, and what it senses, differ."),
        page.Figure("Learned where all are asked each time", drawn(ASKED, wants, "Where the bench is an aggregate"),
                    "Here decisions are the median's, seen one by one."),
        page.Table("Agreement with the bench", every.columns, every.rows,
                   "Shares of posts, weighted by how often they come; kappa takes off what constants would bring."),
        page.Table("What members get under rules", ["moderator", "worth to all", "worth to the worst-off group"],
                   people, "1 is one's wish, always."),
        page.Table("After an amendment", ["decisions since", "learned of all", "learned of those since"], since,
                   "300 decisions were seen before."),
        reporting.conditions(results, ["drift 0", "drift 0.03", "drift 0.1"],
                             ("changed: bench", "changed: median", "median with bench"), "drift"),
        page.Table("A fifth of members in concert", ["decided by", "verdicts moved", "gain of the fifth"], moved,
                   "They all say the end to which they lean; no best answer was sought."),
    ]  # fmt: skip


STUDY = Study(
    "compatibility",
    "Is a moderator that is aligned to one person, or to all of them together, thereby compatible with their "
    "institution?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 8, "paper": 20},
    sections,
    "Exact over 256 posts of 8 marks; 101 members in groups of a half, three tenths and a fifth with weights at "
    "random; the bench is made of these members and of nobody else. Smallest group's cases alone, rights and sizes of "
    "knobs are assumed, and so is how often rules may be amended while members drift; that gaps are kept is necessary. "
    "One learner (ridge regression), one way of speaking in "
    "concert. That procedure has a weight in acceptance is an assumption, so its break-even is shown.",
    readings=READINGS,
)
