"""Group-aware consensus against majority: what it admits, whom it leaves out, and what their number decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.errors import Missing
from nomoi.files import data
from nomoi.populations.engine import seed_of
from nomoi.runs.effects import of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.voices import groups, read, stability
from nomoi.voices.consensus import consensus, majority, tally
from nomoi.voices.votes import Votes

OURS = "ours, worlds of ours"
CCAI = "ours, on the files of Huang et al. 2024"
POLIS = "ours, on conversations of The Computational Democracy Project"
BOUND = 0.5  # of consensus over two groups, or the same of each
THANKS = ("Data was gathered using the Polis software (see compdemocracy.org/polis and github.com/compdemocracy/polis) "
          "and is sub-licensed under CC BY 4.0 with attribution to The Computational Democracy Project.")  # fmt: skip


def world(rng: np.random.Generator, people: int, statements: int) -> tuple[Votes, np.ndarray, np.ndarray]:
    """Votes, the camp of each person, and how much of each camp supports each statement [camps, statements].

    Two to four camps; half of the statements divide them, half hardly do; four tenths of the votes were cast.
    """
    camps = int(rng.integers(2, 5))
    camp = rng.choice(camps, people, p=np.sort(rng.dirichlet(np.full(camps, 4.0)))[::-1])
    divides = np.where(rng.random(statements) < 0.5, 1.8, 0.3)
    lean = rng.normal(0.5, 1.2, statements) + rng.normal(0, 1, (camps, statements)) * divides
    support = 1 / (1 + np.exp(-lean))
    draw = rng.random((people, statements))
    cast = np.where(draw < 0.9 * support[camp], 1.0, np.where(draw < 0.9, -1.0, 0.0))
    cast[rng.random(cast.shape) < 0.6] = np.nan
    names = tuple(map(str, range(statements)))
    return Votes(cast, tuple(map(str, range(people))), names), camp, support


def drawn(key: jax.Array, worlds: int, people: int, statements: int) -> Mapping[str, float]:
    """What passes by group-aware consensus (groups made of the votes), by the share of all, and by a random split."""
    rng, rows = np.random.default_rng(seed_of(key)), []
    for _ in range(worlds):
        votes, camp, support = world(rng, people, statements)
        own = groups.group(votes)
        value = consensus(tally(votes, own.labels)) ** (1 / own.k)
        admitted = int((value >= np.sqrt(BOUND)).sum())
        if admitted == 0:
            continue
        split = rng.permutation(own.labels)
        choices = {"group-aware": value, "majority": majority(votes), "random split": consensus(tally(votes, split))}
        smallest = int(np.bincount(camp, minlength=len(support)).argmin())
        row: dict[str, float] = {"admitted": admitted, "found the camps": groups.rand(camp, own.labels)}
        for name, score in choices.items():
            chosen = np.argsort(-score, kind="stable")[:admitted]
            row[f"rejected by a camp, {name}"] = float((support[:, chosen].min(0) < 0.5).mean())
            row[f"smallest camp, {name}"] = float(support[smallest, chosen].mean())
            row[f"all, {name}"] = float(support[camp][:, chosen].mean())
        past = stability.by_groups(votes, own, "polis", BOUND)
        if 2 in past and 5 in past and past[2][0]:
            row |= {"k = 2": past[2][0], "k = 5": past[5][0], "k = 5, a group": past[5][1]}
        rows.append(row)
    mean = {name: float(np.nanmean([r.get(name, np.nan) for r in rows])) for name in rows[0]} if rows else {}
    ratio = lambda name: sum(r.get(name, 0) for r in rows) / max(sum(r.get("k = 2", 0) for r in rows), 1)  # noqa: E731
    return mean | {"k = 5 of k = 2": ratio("k = 5"), "k = 5 of k = 2, a group": ratio("k = 5, a group")}


def ccai(key: None) -> Mapping[str, float]:
    """The public input to a constitution: what passes .723 by the groups of either file, and by plain approval."""
    clean = read.read(data("ccai/clean_votes.csv"))
    raw = read.joined(clean, data("ccai/participants-votes.csv"))
    assert clean.groups is not None
    assert raw.groups is not None
    own, passes = groups.group(clean), {}
    for name, votes in (("file", clean), ("raw", raw)):
        passes[name] = consensus(tally(votes, votes.groups)) >= 0.723  # type: ignore[arg-type]
    plain = np.zeros(len(clean.statements), bool)
    plain[np.argsort(-majority(clean), kind="stable")[: passes["raw"].sum()]] = True
    past = stability.by_groups(clean, own, "polis", 0.723)
    return {
        "passes, groups of the same file": float(passes["file"].sum()),
        "passes, groups by xid": float(passes["raw"].sum()),
        "p, groups of the same file": stability.permuted(clean, clean.groups).p,
        "p, groups by xid": stability.permuted(raw, raw.groups).p,
        "as plain approval": float((plain & passes["raw"]).sum() / passes["raw"].sum()),
        "agree with k = 2": groups.rand(raw.groups, groups.group(clean, 2).labels),
    } | {f"passes, k = {k}": float(n) for k, (n, _) in past.items()}  # fmt: skip


def polis(key: None, name: str) -> Mapping[str, float]:
    """A conversation: whether published groups are of its votes, and how much of a grouping comes again."""
    votes = read.read(data(f"polis/{name}"))
    assert votes.groups is not None
    own = groups.group(votes)
    found = stability.stability(votes, votes.groups, own, lambda v, g: consensus(tally(v, g)) >= 0.25, 10)
    return {"p": stability.permuted(votes, votes.groups).p, "own and published": groups.rand(votes.groups, own.labels),
            "worst reading": float(found.ways.min()), "resamples": float(np.nanmean(found.alike)),
            "same k": found.k.get(own.k, 0) / 10}  # fmt: skip


CONVERSATIONS = {"$15/hour": "15-per-hour-seattle", "football": "football-concussions"}


def trials(size: str) -> Sequence[Trial]:
    many = {"worlds": {"smoke": 3, "laptop": 30, "paper": 200}[size], "people": 300, "statements": 60}
    return [Computed("worlds", drawn, many), Computed("ccai", ccai, exact=True),
            *(Computed(label, polis, {"name": name}, exact=True) for label, name in CONVERSATIONS.items())]  # fmt: skip


def _less(one: str, other: str):
    return lambda r: r.late("worlds", one) - r.late("worlds", other)


CLAIMS = [
    Claim("Of as many statements, group-aware consensus admits fewer that some camp rejects than the share of all does",
          OURS, _less("rejected by a camp, group-aware", "rejected by a camp, majority"), below=0,
          unit="of those admitted",
          kind="ours"),
    Claim("... half as many", OURS, lambda r: r.late("worlds", "rejected by a camp, group-aware") /
          r.late("worlds", "rejected by a camp, majority"), below=0.5, unit="of the majority's", kind="ours"),
    Claim("The smallest camp supports more of what it admits", OURS,
          _less("smallest camp, group-aware", "smallest camp, majority"), above=0, unit="share", kind="ours"),
    Claim("It costs all people together less than two hundredths of support", OURS,
          _less("all, group-aware", "all, majority"), above=-0.02, unit="share", kind="ours"),
    Claim("Five groups pass less than a half of the statements that two pass at a product of .5", OURS,
          of("worlds", "k = 5 of k = 2"), below=0.5, unit="of k = 2", kind="ours"),
    Claim("... at the same bound a group (the k-th root), nine tenths", OURS,
          of("worlds", "k = 5 of k = 2, a group"), above=0.9, unit="of k = 2", kind="ours"),
    Claim("Control: with the groups' ids scrambled it admits what a majority would", OURS,
          _less("rejected by a camp, random split", "rejected by a camp, majority"), near=0, tolerance=0.02,
          unit="of those admitted", kind="control"),
    Claim("The groups in ccai's file of cleaned votes differ no more than a random split", CCAI,
          of("ccai", "p, groups of the same file"), above=0.05, unit="p", kind="ours"),
    Claim("... those of its raw file, joined by xid, do", CCAI, of("ccai", "p, groups by xid"), below=0.01, unit="p",
          kind="ours"),
    Claim("There group-aware consensus admits nine tenths of what plain approval would", CCAI,
          of("ccai", "as plain approval"), above=0.9, unit="of 86", kind="ours"),
    Claim("The published groups of the $15/hour conversation are of its votes", POLIS, of("$15/hour", "p"), below=0.01,
          unit="p", kind="ours"),
    Claim("... and another reading of the same pipeline gives groups that are hardly the same", POLIS,
          of("$15/hour", "worst reading"), below=0.7, unit="adjusted Rand", kind="ours"),
    Claim("The published groups of the football conversation are of its votes", POLIS, of("football", "p"), below=0.01,
          unit="p", kind="ours"),
    Claim("... and can be made again from its export", POLIS, of("football", "own and published"), above=0.7,
          unit="adjusted Rand", kind="ours"),
]  # fmt: skip

READINGS = [
    *(Reading(f"ccai: statements past .723, {name}", CCAI, of("ccai", f"passes, {name}"), unit="of 275")
      for name in ("groups of the same file", "groups by xid", "k = 2", "k = 3", "k = 4", "k = 5")),
    Reading("ccai: groups by xid, and those made of the votes with k = 2", CCAI, of("ccai", "agree with k = 2"),
            unit="adjusted Rand"),
    *(Reading(f"{label}: {what}", POLIS, of(label, measure), unit=unit) for label in CONVERSATIONS
      for what, measure, unit in (("groups of four fifths of the people, alike by", "resamples", "adjusted Rand"),
                                  ("resamples with as many groups", "same k", "share"))),
    Reading("worlds: groups made of the votes and the true camps", OURS, of("worlds", "found the camps"),
            unit="adjusted Rand"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, opinions, page
    from nomoi.voices.opinion import Asked, examine

    rules = ("group-aware", "majority", "random split")
    bad = {name: results.late("worlds", f"rejected by a camp, {name}") for name in rules}
    small = {name: results.late("worlds", f"smallest camp, {name}") for name in rules}
    title = "What some camp rejects, of what is admitted"
    out: list[object] = [
        page.Figure(title, figures.svg(figures.intervals(bad, "share of the statements admitted", title)),
                    "Worlds that are drawn; the same number of statements by each rule."),
        page.Figure("The smallest camp", figures.svg(figures.intervals(
            small, "share of the smallest camp that supports what is admitted", "How the smallest camp fares")), ""),
    ]  # fmt: skip
    try:
        found = examine(read.read(data(f"polis/{CONVERSATIONS['$15/hour']}")), Asked(most=12))
    except Missing as missing:
        return [*out, page.Text("Not shown", [str(missing)])]
    for heading, draw in (("Opinion map", opinions.opinion_map), ("Consensus by group", opinions.by_group),
                          ("Who supports what", opinions.supporters)):  # fmt: skip
        out.append(page.Figure(f"{heading}: $15/hour", figures.svg(draw(found)), THANKS))
    return out


STUDY = Study(
    "consensus",
    "What does group-aware consensus admit that a majority does not, whom does it leave out, and who decided how many "
    "groups there are?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 20},
    sections,
    "Worlds that are drawn have 300 people in two to four camps and 60 statements, half of which divide the "
    "camps; four "
    "tenths of the votes are cast; 30 worlds a seed. Claims about conversations need files that do not come with nomoi "
    "(NOMOI_DATA); without them they are not tested.",
    readings=READINGS,
)
