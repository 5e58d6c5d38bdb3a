"""What becomes of an archive that people write for each other, once a machine has read it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nomoi.core.institution import Institution
from nomoi.institutions.gate import Gate
from nomoi.institutions.giveback import Giveback
from nomoi.learners.villagers import Villagers
from nomoi.populations.archives import Digital
from nomoi.runs.effects import Effect, late, of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trained, Trial
from nomoi.situations.archive import Archive

OURS = "ours"
WORLDS: Mapping[str, Mapping[str, float]] = {
    "all who ask are silent": {},
    "gate .5": {"gate": 0.5},
    "gate .9": {"gate": 0.9},
    "gate 1": {"gate": 1.0},
    "a sixth are silent": {"silenced": 0.16},
    "none are silent": {"silenced": 0.0},
    "giveback .3": {"back": 0.3},
    "giveback .6": {"back": 0.6},
}
EARLIER = {  # H and Q by our earlier program
    "all who ask are silent": (3.71, 0.698), "gate .5": (3.46, 0.773), "gate .9": (2.95, 0.915), "gate 1": (2.70, 1.0),
    "a sixth are silent": (6.64, 0.741), "none are silent": (7.52, 0.752), "giveback .3": (4.87, 0.717),
    "giveback .6": (6.50, 0.739),
}  # fmt: skip
ARMS: Mapping[str, tuple[Institution, ...]] = {
    "machines": (Gate(in_force=False), Giveback(in_force=False)),
    "gate": (Gate(), Giveback(in_force=False)),
    "giveback": (Gate(in_force=False), Giveback(rate=0.2)),
    "both": (Gate(), Giveback(rate=0.2)),
}


def settled(key: None, machines: bool, changes: Mapping[str, float]) -> Mapping[str, float]:
    """Answers of people and of machines, who asks machines, and quality, once nothing changes; from two starts."""
    h, a, u, q = Digital(**changes).settles(machines)
    return {"human": float(h[0]), "machine": float(a[0]), "asked": float(u[0]), "quality": float(q[0]),
            "apart": float(np.abs(h[1] - h[0]))}  # fmt: skip


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 3_200, "laptop": 160_000, "paper": 640_000}[size]
    return [
        Computed("no machines", settled, {"machines": False, "changes": {}}, exact=True),
        *(Computed(name, settled, {"machines": True, "changes": dict(w)}, exact=True) for name, w in WORLDS.items()),
        *(Trained(f"people: {arm}", Archive(), stack, steps, Villagers()) for arm, stack in ARMS.items()),
    ]


def _gap(measure: str, one: str, other: str = "machines") -> Effect:
    return late(measure, f"people: {one}", f"people: {other}")


CLAIMS = [
    Claim("People who adapt: a giveback raises what people write", OURS, _gap("stock", "giveback"), above=0,
          unit="of capacity", kind="ours"),
    Claim("... and a gate does not", OURS, _gap("stock", "gate"), below=0.02, unit="of capacity", kind="ours"),
    Claim("A gate raises the quality of the archive", OURS, _gap("quality", "gate"), above=0, unit="share",
          kind="ours"),
    Claim("... and so has more people ask the machine, which learns from it", OURS, _gap("machines", "gate"), above=0,
          unit="of questions", kind="ours"),
    Claim("With both, people end with more than with a gate alone", OURS, _gap("reward", "both", "gate"), above=0,
          unit="reward", kind="ours"),
]  # fmt: skip
READINGS = [
    Reading("Answers of people where there are no machines", OURS, of("no machines", "human"), unit="answers"),
    *(Reading(f"{name}: {what} (by our earlier program {EARLIER[name][k]:g})", OURS, of(name, measure), unit=unit)
      for name in WORLDS for k, (what, measure, unit) in enumerate((("answers of people", "human", "answers"),
                                                                    ("quality", "quality", "share")))),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.measure.statistics import number
    from nomoi.report import figures, page

    rows = [[name, *(number(results.late(name, m)[0], 3) for m in ("human", "machine", "asked", "quality"))]
            for name in ("no machines", *WORLDS)]  # fmt: skip
    shown = (
        ("stock", "of what people could write", "What people write"),
        ("quality", "of what stands in the archive, right", "How good the archive is"),
    )
    people = {m: figures.intervals({arm: results.late(f"people: {arm}", m) for arm in ARMS}, unit, title,
                                   labels=tuple(ARMS)) for m, unit, title in shown}  # fmt: skip
    return [
        page.Table("Once nothing changes", ["", "answers of people", "of machines", "questions asked of machines",
                                            "quality"], rows,
                   "The model in continuous time, from few answers and from many (they settle at the same)."),
        *(page.Figure(f"People who adapt: {m}", figures.svg(fig), "They imitate who fares better: whom to ask, whether "
                      "to answer, whether to post what a machine said.") for m, fig in people.items()),
    ]  # fmt: skip


STUDY = Study(
    "digital_commons",
    "What becomes of an archive that people write for each other, once a machine has read it?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 16},
    sections,
    "Models of ours about what Huang & Siddarth 2023 ask. The first is in continuous time and has people who ask a "
    "machine write less; the second is a situation in which each decides. Neither is fitted to any archive.",
    readings=READINGS,
)
