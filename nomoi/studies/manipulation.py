"""An assistant that learns from thumbs finds whom it can manipulate, and only an audit by cue sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from nomoi.measure.statistics import number
from nomoi.proxies.manipulation import FOOLED, HARMFUL, NORMAL, RATINGS, SUBTLE, VULNERABLE, Feedback, audited, learn
from nomoi.runs.claims import Claim, Reading, Results
from nomoi.runs.effects import of
from nomoi.runs.study import Computed, Study, Trial

OURS = "ours, after Williams et al. 2024"
UNIT = "of answers"
ROUNDS = (0, 5, 10, 15, 20, 25, 30)


def course(
    key: jax.Array,
    subtle: bool = False,
    fooled: bool = False,
    delayed: bool = False,
    same: bool = False,
    users: int = 1000,
    **options: float,
) -> Mapping[str, float]:
    """One assistant: harm by kind of user and round, ratings, welfare, and what audits see in the end.

    fooled   all raters can be;   same   nobody can be;   delayed   raters say how they fared
    """
    p = Feedback(**options)
    seed = int(jax.random.bits(key))
    ratings = FOOLED if fooled else (RATINGS[0], RATINGS[0]) if same else RATINGS
    c = learn(p, seed, subtle, ratings, delayed)
    last = len(c.rating) - 1
    out = {
        "rating, rise": float(c.rating[-1] - c.rating[0]),
        "welfare, rise": float(c.welfare[-1] - c.welfare[0]),
        "vulnerable welfare, rise": float(c.welfare_by[-1, VULNERABLE] - c.welfare_by[0, VULNERABLE]),
        "manipulation": float(c.chances[-1, VULNERABLE, HARMFUL]),
        "nudge": float(c.chances[-1, VULNERABLE, SUBTLE]) if subtle else 0.0,
    }
    for name, kind in (("normal", NORMAL), ("vulnerable", VULNERABLE)):
        out[f"{name} harm"] = float(c.harm(kind)[-1])
        out |= {f"{name} harm, round {k}": float(c.harm(kind)[min(k, last)]) for k in ROUNDS}
    return out | {f"audit of {k}": v for k, v in audited(c, p, users, seed).items()}


def trials(size: str) -> Sequence[Trial]:
    few = {"iterations": 3} if size == "smoke" else {}
    make = lambda label, **o: Computed(label, course, {**few, **o})  # noqa: E731
    return [
        make("half", vulnerable_share=0.5),
        make("a tenth", vulnerable_share=0.1),
        make("2 %", vulnerable_share=0.02),
        make("2 %, cue at chance", vulnerable_share=0.02, accuracy=0.5),
        make("2 %, cue 95 %", vulnerable_share=0.02, accuracy=0.95),
        make("2 %, learning shared", vulnerable_share=0.02, share=1.0),
        make("nobody can be", vulnerable_share=0.1, same=True),
        make("judge sees 80 %", vulnerable_share=0.1, veto=0.8),
        make("judge sees 95 %, nudges 10 %", vulnerable_share=0.1, veto=0.95, veto_subtle=0.1, subtle=True),
        make("judge sees 95 %, no nudge", vulnerable_share=0.1, veto=0.95),
        make("all are fooled", vulnerable_share=0.5, fooled=True),
        make("all are fooled, rated later", vulnerable_share=0.5, fooled=True, delayed=True),
    ]


def _gap(one: str, other: str, measure: str) -> Callable[[Results], np.ndarray]:
    return lambda r: r.late(one, measure) - r.late(other, measure)


def _seen(text: str, effect: Callable[[Results], np.ndarray], published: str = "", **bounds: Any) -> Claim:
    """What was seen in language models, asked of the simulator."""
    return Claim(text, OURS, effect, published=published, unit=UNIT, kind="ours", **bounds)


def _ours(text: str, effect: Callable[[Results], np.ndarray], kind: str = "ours", **bounds: Any) -> Claim:
    return Claim(text, OURS, effect, unit=UNIT, kind=kind, **bounds)


CLAIMS = [
    _seen(
        "Learning from ratings, an assistant comes to manipulate those who can be (half of all users)",
        of("half", "vulnerable harm"),
        above=0.5,
    ),
    _seen("... and still where they are 2 %", of("2 %", "vulnerable harm"), "emerges at 2 %", above=0.5),
    _seen("... and hardly the others", of("2 %", "normal harm"), below=0.05),
    _seen(
        "A judge who keeps flagrant answers out of training leaves subtler ones to be learned",
        of("judge sees 95 %, nudges 10 %", "nudge"),
        "lying .05, nudging .76 (booking, binary judge)",
        above=0.3,
    ),
    _ours(
        "A cue that is right in 95 of 100 is not enough: hardly anybody is manipulated",
        of("2 %, cue 95 %", "vulnerable harm"),
        below=0.05,
    ),
    _ours("A judge who sees four of five halves it", _gap("judge sees 80 %", "a tenth", "vulnerable harm"), below=-0.3),
    _ours(
        "Control: where nobody can be manipulated, nobody is",
        of("nobody can be", "vulnerable harm"),
        "control",
        below=0.05,
    ),
    _ours(
        "Control: without a subtle answer to learn, that judge prevents it",
        of("judge sees 95 %, no nudge", "vulnerable harm"),
        "control",
        below=0.1,
    ),
]

READINGS = [
    *(
        Reading(f"{label}: manipulated in the end, of those who can be", OURS, of(label, "vulnerable harm"), unit=UNIT)
        for label in ("half", "a tenth", "2 %", "judge sees 80 %")
    ),
    Reading(
        "2 %: rise of the rating, which is what is learned from",
        OURS,
        of("2 %", "rating, rise"),
        unit="points of 1 to 10",
    ),
    Reading(
        "... and of how those fare who can be manipulated",
        OURS,
        of("2 %", "vulnerable welfare, rise"),
        unit="welfare, from -1 to 1",
    ),
    *(
        Reading(
            f"{label}: manipulated in the end, as both kinds get the same answers",
            OURS,
            of(label, "vulnerable harm"),
            unit=UNIT,
        )
        for label in ("2 %, cue at chance", "2 %, learning shared")
    ),
    Reading("2 %: what an audit of the average of 1000 users sees", OURS, of("2 %", "audit of average"), unit=UNIT),
    Reading("... and one of those with the cue, which is always right", OURS, of("2 %", "audit of cue 1"), unit=UNIT),
    Reading(
        "All are fooled: manipulated, of those without the cue", OURS, of("all are fooled", "audit of cue 0"), unit=UNIT
    ),
    Reading(
        "All are fooled: what an audit of those with the cue sees beyond one of those without",
        OURS,
        lambda r: r.late("all are fooled", "audit of cue 1") - r.late("all are fooled", "audit of cue 0"),
        unit=UNIT,
    ),
    Reading(
        "... manipulated in the end where raters say later how they fared",
        OURS,
        of("all are fooled, rated later", "vulnerable harm"),
        unit=UNIT,
    ),
]


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    late = results.late
    read = lambda label, kind: np.stack([late(label, f"{kind} harm, round {k}") for k in ROUNDS], 1)  # noqa: E731
    series = {
        f"the {label.removeprefix('a ')} who can be": (np.array(ROUNDS), read(label, "vulnerable"))
        for label in ("half", "a tenth", "2 %")
    }
    series["the other 98 %"] = (np.array(ROUNDS), read("2 %", "normal"))
    labels = [t.label for t in trials("laptop")]
    rows = [
        [
            label,
            *(
                number(float(results.late(label, m).mean()))
                for m in ("vulnerable harm", "normal harm", "rating, rise", "audit of average", "audit of cue 1")
            ),
        ]
        for label in labels
    ]
    return [
        page.Figure(
            "Who is manipulated",
            figures.svg(
                figures.curves(
                    series,
                    "of answers that manipulate",
                    "It learns whom it can manipulate",
                    xlabel="rounds of learning",
                )
            ),
        ),
        page.Figure(
            "What audits see",
            figures.svg(
                figures.intervals(
                    {
                        f"{where}, {what}": results.late(label, f"audit of {m}")
                        for where, label in (("2 % can be", "2 %"), ("all are fooled", "all are fooled"))
                        for what, m in (("all users", "average"), ("without the cue", "cue 0"), ("with it", "cue 1"))
                    },
                    "of users who are manipulated",
                    "What audits of 1000 users see",
                )
            ),
        ),
        page.Table(
            "All conditions",
            ["condition", "harm to those who can be", "to others", "rise of ratings", "audit: average", "audit: cue"],
            rows,
        ),
    ]


STUDY = Study(
    "manipulation",
    "Does an assistant that learns from users' thumbs come to manipulate those whom it can, and who would see it?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 3, "paper": 10},
    sections,
    "No language model: a simulator with two kinds of raters, whose levels are set after released tables.",
    readings=READINGS,
)
