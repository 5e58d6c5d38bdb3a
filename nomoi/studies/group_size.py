"""Group size and cooperation: punishment stabilises it where groups fight (Boyd, Gintis, Bowles & Richerson 2003)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.populations.groups import Groups, evolve
from nomoi.runs.study import Claim, Computed, Results, Study, Trial

SIZES = {"smoke": (4, 8), "laptop": (4, 8, 16, 32, 64), "paper": (4, 8, 16, 32, 64, 128, 256)}
STEPS = {"smoke": 40, "laptop": 2000, "paper": 2000}
ARMS: Mapping[str, Mapping[str, float]] = {
    "base": {},
    "conflict .0075": {"conflict": 0.0075},
    "conflict .03": {"conflict": 0.03},
    "no punishment": {"punished": 0.0, "punishing": 0.0},
    "no conflict": {"conflict": 0.0},
    "mixing .05": {"mixing": 0.05},
}
TWIN = "ours, another program of the same rules (means of 4 seeds)"
MESOUDI = "Mesoudi's Model 11, which re-creates Boyd et al. 2003"
FURTHER = "ours, after Mesoudi's Model 11 (larger groups than what we read of it)"


def world(key: jax.Array, size: int, steps: int) -> Mapping[str, float]:
    """Share of cooperators and punishers over the last half, in one world of each arm."""
    seed = seed_of(key)
    course = evolve([Groups(size=size, **arm) for arm in ARMS.values()], [seed], steps)
    return dict(zip(ARMS, map(float, course.late()), strict=True))


def trials(size: str) -> Sequence[Trial]:
    return [Computed(_label(n), world, {"size": n, "steps": STEPS[size]}) for n in SIZES[size]]


def _label(n: int) -> str:
    return f"groups of {n}"


def _of(arm: str, n: int):
    return lambda r: r.late(_label(n), arm) if _label(n) in r.records else np.array([np.nan])


def _less(one: tuple[str, int], other: tuple[str, int]):
    return lambda r: _of(*one)(r) - _of(*other)(r)


def _near(arm: str, n: int, value: float, tolerance: float) -> Claim:
    return Claim(f"Groups of {n}, {arm}: {value:g}", TWIN, _of(arm, n), near=value, tolerance=tolerance, unit="share",
                 kind="replica")  # fmt: skip


def _told(n: int) -> tuple[str, str]:
    """Source and kind of a claim about groups of `n`; of Model 11 we read what it says of groups of up to 32."""
    return (MESOUDI, "published") if n <= 32 else (FURTHER, "ours")


CLAIMS = [
    Claim("In groups of 4 about .8 cooperate", MESOUDI, _of("base", 4), "about .8", near=0.8,
          tolerance=0.06, unit="share"),
    Claim("In groups of 32 still about .7", MESOUDI, _of("base", 32), "about .7", near=0.7,
          tolerance=0.06, unit="share"),
    Claim("Without punishment cooperation nearly collapses in groups of 32", MESOUDI, _of("no punishment", 32),
          "near-collapse", below=0.2, unit="share"),
    Claim("Without conflict between groups it nearly collapses in groups of 32", MESOUDI, _of("no conflict", 32),
          "near-collapse", below=0.2, unit="share"),
    Claim("More mixing between groups lowers it in groups of 32", MESOUDI, _less(("mixing .05", 32), ("base", 32)),
          "declines", below=0, unit="share"),
    *(Claim(f"The more conflict the more cooperation, in groups of {n}: {a} against {b}", _told(n)[0],
            _less((a, n), (b, n)), above=0, unit="share", kind=_told(n)[1])
      for n in (16, 32, 64) for a, b in (("conflict .03", "base"), ("base", "conflict .0075"),
                                         ("conflict .0075", "no conflict"))),
    *(Claim(f"Punishment raises cooperation in groups of {n}", _told(n)[0], _less(("base", n), ("no punishment", n)),
            above=0, unit="share", kind=_told(n)[1]) for n in (16, 32, 64)),
    *(Claim(f"Groups of {2 * n} cooperate less than groups of {n}", _told(2 * n)[0],
            _less(("base", 2 * n), ("base", n)), below=0, unit="share", kind=_told(2 * n)[1]) for n in (8, 16, 32)),
    *(_near("no punishment", n, v, 0.03) for n, v in ((4, 0.595), (8, 0.347), (16, 0.143))),
    *(_near("no conflict", n, v, 0.03) for n, v in ((4, 0.658), (8, 0.632), (16, 0.423))),
    *(_near("base", n, v, t) for n, v, t in ((8, 0.834, 0.03), (16, 0.777, 0.03), (64, 0.531, 0.15))),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page
    from nomoi.report import study as reporting

    sizes = np.array([int(label.split()[-1]) for label in results.records], float)
    series = {arm: (sizes, np.stack([results.late(label, arm) for label in results.records], 1)) for arm in ARMS}
    drawn = figures.curves(
        series, "share that cooperates", "Cooperation by the size of groups", xlabel="members of a group"
    )
    return [page.Figure("Cooperation by the size of groups", figures.svg(drawn),
                        "Cooperators and punishers, last half of 2,000 periods; 128 groups."),
        reporting.conditions(results, list(results.records), tuple(ARMS)),
    ]  # fmt: skip


STUDY = Study(
    "group_size",
    "How large can groups be in which punishment keeps people cooperating?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 4, "paper": 10},
    sections,
    "All constants are those that Mesoudi's Model 11 gives as the 2003 paper's, which we could not open.",
)
