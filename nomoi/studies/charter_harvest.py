"""A charter as the classification behind a sanction: foragers with and without law, and through its changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import equinox as eqx
import jax
import numpy as np

from nomoi.core import Situation, build, govern
from nomoi.core.learner import Learner
from nomoi.institutions.charter import Charter
from nomoi.institutions.sanction import Sanction
from nomoi.measure.evaluate import episodes
from nomoi.measure.measures import Episode
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.scripts.citizens import Citizen
from nomoi.scripts.fixed import Mixed
from nomoi.situations.harvest import Harvest

OURS = "ours, after Hart 1961 (primary rules, and secondary rules of recognition, change and adjudication)"
LAW, LOSS = Charter().law, 10.0
ARMS: Mapping[str, tuple[str, int, float, float]] = {  # law, scofflaws, zeal of citizens, obedience of citizens
    "no law": ("", 0, 0.0, 1.0),
    "law": (LAW, 0, 1.0, 1.0),
    "law, one scofflaw": (LAW, 1, 1.0, 1.0),
    "law, one scofflaw, nobody punishes": (LAW, 1, 0.0, 1.0),
    "law that nobody minds": (LAW, 0, 0.0, 0.0),
    "law from step 10 on": ("late", 0, 1.0, 1.0),
    "law until step 150": ("lapse", 0, 1.0, 1.0),
    "law for one person": ("named", 0, 1.0, 1.0),
}


@eqx.filter_jit
def _played(place: Situation, script: Learner, key: jax.Array, worlds: int) -> Episode:
    return episodes(key, place, script, worlds=worlds)


def village(
    key: jax.Array, law: str, loss: float, scofflaws: int, zeal: float, obeys: float, worlds: int
) -> Mapping[str, float]:
    """An episode of five foragers: harvest of all, mean payoff of the first (`first`) and of the others (`others`).

    Without a law, a charter that is not in force keeps the program the same.
    """
    charter = build(Charter, law=law or "lapse", in_force=bool(law))
    place = govern(Harvest(), charter, build(Sanction, by="charter", loss=loss, in_force=bool(law)))
    script = Mixed(Citizen(obeys=0.0, zeal=0.0), Citizen(zeal=zeal, obeys=obeys), scofflaws)
    played = _played(place, script, key, worlds)
    payoff = np.asarray(played.reward + played.transfer).mean(0)
    mean = lambda name: float(np.asarray(played.events[name]).sum(1).mean())  # noqa: E731
    return {
        "harvest": mean("harvest"), "sparse": mean("sparse"), "violations": mean("charter.violation"),
        "correct": mean("sanction.correct"), "wrong": mean("sanction.wrong"), "first": float(payoff[0]),
        "others": float(payoff[1:].mean()), "left": float(np.asarray(played.last).sum(1).mean()),
    }  # fmt: skip


def trials(size: str) -> Sequence[Trial]:
    worlds = {"smoke": 2, "laptop": 8, "paper": 32}[size]
    names = ("law", "scofflaws", "zeal", "obeys")
    return [Computed(arm, village, dict(zip(names, values, strict=True)) | {"loss": LOSS, "worlds": worlds})
            for arm, values in ARMS.items()]  # fmt: skip


def _gap(one: str, other: str, measure: str = "harvest"):
    return lambda r: r.late(one, measure) - r.late(other, measure)


ONE = "law, one scofflaw"
CLAIMS = [
    # controls: the scripts of citizens are told to spare what the charter forbids
    Claim("Under a charter that citizens live by, all together harvest more than without law", OURS,
          _gap("law", "no law"), above=0, unit="apples", kind="control"),
    Claim("An amendment dated in the log takes effect: a law from step 10 on feeds more than none", OURS,
          _gap("law from step 10 on", "no law"), above=0, unit="apples", kind="control"),
    Claim("but less than one that was there from the start", OURS, _gap("law from step 10 on", "law"), below=0,
          unit="apples", kind="control"),
    Claim("Repealed half-way, the law feeds less than a law that stays", OURS,
          _gap("law until step 150", "law"), below=0, unit="apples", kind="control"),
    Claim("A scofflaw among citizens who punish earns less than they do", OURS,
          lambda r: r.late(ONE, "first") - r.late(ONE, "others"), below=0, unit="payoff", kind="control"),
    Claim("A scofflaw among citizens who do not punish earns more than they do", OURS,
          lambda r: r.late(f"{ONE}, nobody punishes", "first") - r.late(f"{ONE}, nobody punishes", "others"), above=0,
          unit="payoff", kind="control"),
    Claim("A law that names one person is no law: it feeds less than a general one", OURS,
          _gap("law for one person", "law"), below=0, unit="apples", kind="control"),
    Claim("Of the citizens' hits nine in ten are on whom the charter marks", OURS,
          lambda r: r.late(ONE, "correct") / (r.late(ONE, "correct") + r.late(ONE, "wrong")), above=0.9, unit="share",
          kind="ours"),
]  # fmt: skip

READINGS = [
    Reading("what a charter that nobody minds and nobody enforces changes: the same steps, so nothing", OURS,
            _gap("law that nobody minds", "no law"), unit="apples"),
]  # fmt: skip


SHOWN = ("harvest", "sparse", "violations", "correct", "wrong", "first", "others", "left")


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page
    from nomoi.report import study as reporting

    drawn = figures.intervals(
        {arm: results.late(arm, "harvest") for arm in ARMS}, "apples an episode", "Harvest by law"
    )
    both = {f"{arm}: {who}": results.late(arm, name) for arm in (ONE, f"{ONE}, nobody punishes")
            for who, name in (("scofflaw", "first"), ("citizens", "others"))}  # fmt: skip
    paid = figures.intervals(both, "payoff an agent", "What a scofflaw gets")
    return [
        page.Figure("Harvest by law", figures.svg(drawn), "All five foragers together; dots are seeds."),
        page.Figure(
            "What a scofflaw gets", figures.svg(paid), "Apples, less what sanctions took, plus what they paid."
        ),
        reporting.conditions(results, list(ARMS), SHOWN),
    ]


STUDY = Study(
    "charter_harvest",
    "Can a charter with rules of recognition, change and adjudication be the law of a commons?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 20},
    sections,
    "Everybody is scripted and nothing is trained: this shows that what a charter forbids is what is punished, step by "
    "step through its amendments, not that learners would obey it.",
    readings=READINGS,
)
