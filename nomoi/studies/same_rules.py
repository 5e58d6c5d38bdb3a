"""The same institutions on every commons: which run there as they are, and what they bring to people who adapt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from nomoi import catalogue, govern
from nomoi.core import Situation
from nomoi.errors import Refusal
from nomoi.learners.villagers import Villagers
from nomoi.measure.statistics import estimate, number
from nomoi.runs import regimes
from nomoi.runs.claims import Results
from nomoi.runs.effects import late
from nomoi.runs.study import Claim, Study, Trained, Trial
from nomoi.runs.trials import Scripted
from nomoi.scripts.fixed import Forager

OURS = "ours"
LAND = ("harvest", "laboratory")  # of situations on land these two alone, lived in by foragers (ours)
BASE = "quota(target=0.3,public=true)"
# One text a rule, the same everywhere: what stands before an institution is what it needs to be heard, or to hear.
RULES: Mapping[str, str] = {
    "nothing": "",
    "quota": f"{BASE}+fine(on=quota.excess,rate=7)",
    "shares": f"shares+{BASE}+fine(on=quota.excess,rate=7)",
    "survey": f"survey+{BASE}+fine(on=quota.excess,rate=7)",
    "assembly": f"assembly+{BASE}+fine(on=quota.excess,rate=7)",
    "wardens": f"{BASE}+wardens(posts=1)+fine(rate=7)",
    "court": f"{BASE}+wardens(posts=1)+court+fine(rate=7)",
    "challenged": f"{BASE}+fine(on=quota.excess,rate=7)+challenged(of=quota)",
    "monitor": "monitor(on=harvest,allowed=1)+fine",
    "fine": "fine(on=harvest,rate=0.5)",
    "levy": "levy(on=harvest,rate=0.5,proceeds=shared)",
    "tax": "tax(period=10)",
    "licence": "licence",
    "vote": "vote(on=harvest,rates=[0,0.5,1])",
    "rotation": "rotation(length=1)",
    "season": "season",
    "traps": "traps",
    "peers": "peers(on=harvest,allowed=1)",
    "deposit": "deposit",
}


@cache
def commons() -> dict[str, Situation]:
    """The situations in which something is held, kept up or given in common, by name: all without land, and LAND."""
    out = {}
    for name, cls in sorted(catalogue.situations().items()):
        place = cls()
        if name in LAND or ({"stock", "worked", "given"} & place.offers and "scene" not in place.offers):
            out[name] = place
    return out


@cache
def rules() -> dict[str, str]:
    """RULES of which every institution is there."""
    known = catalogue.institutions()
    return {name: text for name, text in RULES.items() if name in known or name == "nothing"}


@cache
def refusal(situation: str, rule: str) -> str:
    """Why a rule cannot govern a situation, in a sentence; empty where it can."""
    try:
        govern(commons()[situation], *regimes.parse(rule, rules()[rule]).institutions)
    except Refusal as refused:
        return str(refused)
    return ""


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 640, "laptop": 16_000, "paper": 160_000}[size]
    out: list[Trial] = []
    for name, place in commons().items():
        for rule in rules():
            if refusal(name, rule):
                continue
            stack = regimes.parse(rule, rules()[rule]).institutions
            label = f"{name}: {rule}"
            out.append(
                Scripted(label, place, Forager(), stack, worlds=2 if size == "smoke" else 16) if name in LAND
                else Trained(label, place, stack, steps, Villagers())
            )  # fmt: skip
    return out


ADAPTIVE = ("commons", "irrigation", "pool")  # of which something is claimed
CLAIMS = [
    *(Claim(f"{text} ({name})", OURS, late("stock", f"{name}: {rule}", f"{name}: nothing"), above=0, unit="of capacity",
            kind="ours")
      for rule, text in (("quota", "A quota that follows the stock, with a fine, leaves more of the commons"),
                         ("rotation", "Turns, one person a step, leave more of the commons"))
      for name in ADAPTIVE),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import page

    out: list[object] = []
    names = list(commons())
    rows: list[list[object]] = [[rule, *("yes" if not refusal(n, rule) else "no" for n in names)] for rule in rules()]
    out.append(page.Table("Which run as they are", ["rule", *names], rows, "One text a rule, the same everywhere."))
    for name in names:
        there = [rule for rule in rules() if not refusal(name, rule)]
        brought = [[rule, rules()[rule] or "-", *_brings(results, name, rule)] for rule in there]
        who = "foragers, who heed no rule" if name in LAND else "villagers, who adapt"
        note = f"Lived in by {who}; sums over all in an episode, and the mean stock, of capacity. Means over seeds."
        columns = ["rule", "text", "earned", "with transfers", "stock"]
        out.append(page.Table(f"What they bring: {name}", columns, brought, note))
    refused = [[n, rule, said] for n in names for rule in rules() if (said := refusal(n, rule))]
    out.append(page.Table("Which do not, and why", ["situation", "rule", "what is said"], refused))
    return out


def _brings(results: Results, name: str, rule: str) -> list[str]:
    label = f"{name}: {rule}"
    known = results.measures(label)
    found = [estimate(results.late(label, m)) if m in known else None for m in ("reward", "payoff", "stock")]
    return [number(e.mean) if e and e.n else "-" for e in found]


STUDY = Study(
    "same_rules",
    "Which of the institutions of a commons run on every commons as they are, and what do they bring there?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 3, "paper": 10},
    sections,
    "The situations are all of the catalogue in which something is held, kept up or given in common, without land, and "
    "two on land; the rules are texts that are the same everywhere, with amounts that suit none of them in particular. "
    "So the tables say what a rule does as it is, and not what could be made of it. Villagers adapt for so short a "
    "time that they may not have settled. All was run once before on the same seeds, when foragers could not yet "
    "collect in the laboratory and a situation and two rules were missing: seen results came before, and nothing was "
    "set after them.",
)
