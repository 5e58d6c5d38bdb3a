"""Audits as people see them: in the terminal, as JSON, and as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.padding import Padding

from nomoi import files
from nomoi.errors import Refusal, nearest
from nomoi.measure.statistics import number
from nomoi.proxies.findings import FAIL, NOT_APPLICABLE, NOT_ENOUGH, PASS, WARN, Audit
from nomoi.report import page
from nomoi.report.console import console
from nomoi.report.terminal import said

TONES = {PASS: "green", WARN: "yellow", FAIL: "red", NOT_APPLICABLE: "dim", NOT_ENOUGH: "magenta"}


# what each kind of audit may be asked, with what stands where nobody asked
ASKED: Mapping[str, Mapping[str, Any]] = {
    "reward": {"gamma": None, "outside": None},
    "label": {
        "score": "",
        "need": None,
        "proxy": None,
        "group": "",
        "compare": "",
        "other": None,
        "weight": "",
        "top": 97,
        "permutations": 200,
        "drop": False,
    },
    "proxy": {},
    "measure": {"proxy": None, "need": None, "group": "", "pushed": "", "drop": False},
}


def run(kind: str, file: Path, asked: Mapping[str, Any], report: Path, as_json: bool) -> int:
    """The command: audit a file of a kind; what was asked of another kind is refused."""
    if kind not in ASKED:
        raise Refusal(f"there is no audit of a {kind!r}; {nearest(kind, ASKED, 'audit')}")
    every = {k: v for options in ASKED.values() for k, v in options.items()}
    for option, value in asked.items():
        if value != every[option] and option not in ASKED[kind]:
            mine = ", ".join(f"--{o}" for o in ASKED[kind]) or "none"
            raise Refusal(f"--{option} means nothing to an audit of a {kind}; its options are: {mine}.")
    files.check_place(report)
    if file.exists() and report.exists() and file.samefile(report):
        raise Refusal(f"{report} is the file that is audited; give --report another place.")
    wanted = {k: asked[k] for k in ASKED[kind]}
    return show(_AUDITS[kind](file, wanted), report, as_json)


def _audit_reward(file: Path, asked: Mapping[str, Any]) -> Audit:
    from nomoi.proxies.reward import find
    from nomoi.proxies.reward_audit import audit

    outside = asked["outside"]
    if outside not in (None, "extrapolate", "clip"):
        raise Refusal(f"--outside is {outside!r}; extrapolate or clip would be right.")
    reward = find(file)
    if outside is not None and not reward.ranged:
        raise Refusal(f"--outside is {outside!r}, and no field of {reward.title} has a range; leave it out.")
    return audit(reward, asked["gamma"], outside)


def _audit_label(file: Path, asked: Mapping[str, Any]) -> Audit:
    from nomoi.proxies.label_audit import audit, load

    people = load(
        file,
        asked["score"],
        asked["need"] or (),
        asked["group"],
        asked["proxy"] or (),
        asked["other"] or (),
        asked["weight"],
        asked["drop"],
    )
    return audit(people, asked["compare"], asked["top"], asked["permutations"])


def _audit_proxy(file: Path, asked: Mapping[str, Any]) -> Audit:
    from nomoi.proxies.proxy_audit import audit

    return audit(file)


def _audit_measure(file: Path, asked: Mapping[str, Any]) -> Audit:
    from nomoi.proxies.measure_audit import audit, load

    for option in ("proxy", "need"):
        if len(asked[option] or ()) > 1:
            raise Refusal(f"--{option} is given {len(asked[option])} times; an audit of a measure takes one of them.")
    one = lambda option: (asked[option] or ("",))[0]  # noqa: E731
    return audit(load(file, one("proxy"), one("need"), asked["group"], asked["pushed"], asked["drop"]))


_AUDITS: dict[str, Any] = {"reward": _audit_reward, "label": _audit_label, "proxy": _audit_proxy,
                           "measure": _audit_measure}  # fmt: skip


def show(found: Audit, report: Path, as_json: bool) -> int:
    """Print an audit and write its page; the exit status: 1 where a check fails."""
    written = write_page(found, report)
    if as_json:
        print(json.dumps(found.data(), indent=1, allow_nan=False))
    else:
        _print(found)
        for note in found.notes:
            console.print(note, style="dim", highlight=False, markup=False)
        said(written)
    return int(found.failed)


def _print(found: Audit) -> None:
    console.print(f"[bold]{escape(found.title)}[/bold]: audit of a {found.kind}", highlight=False)
    for f in found.findings:
        numbers = "" if f.value is None else f" [bold]{_value(f.value)}[/bold]"
        numbers += "" if f.value is None or f.threshold is None else f" (compared with {_value(f.threshold)})"
        console.print(f"[{TONES[f.status]}]{f.status:>16}[/]  {escape(f.check)}{numbers}", highlight=False)
        for line in (f.evidence, f.advice and f"-> {f.advice}"):
            if line:
                console.print(Padding(escape(line), (0, 0, 0, 18)), highlight=False)


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return escape(", ".join(f"{k}: {_value(v)}" for k, v in value.items()))
    return number(value) if hasattr(value, "__float__") else escape(str(value))


def write_page(found: Audit, path: Path) -> Path:
    """The audit as a page."""
    counts = {status: sum(f.status == status for f in found.findings) for status in TONES}
    lead = ", ".join(f"{n} {status}" for status, n in counts.items() if n)
    rows = [[f.check, f.status, _value(f.value), _value(f.threshold), f.evidence, f.advice] for f in found.findings]
    sections: list[Any] = [
        page.Table("Findings", ["check", "finding", "value", "threshold", "evidence", "advice"], rows),
        *_SECTIONS[found.kind](found),
    ]
    if found.notes:
        sections.append(page.Text("Notes", list(found.notes)))
    return files.write(path, page.page(f"{found.title}: audit of a {found.kind}", f"{lead}.", sections))


def _reward(found: Audit) -> list[Any]:
    from nomoi.proxies.reward_audit import baselines
    from nomoi.report import figures, risks

    cases = found.details.get("cases", {})
    people = {str(baselines().get(k, {}).get("label", k)): v for k, v in found.details["humans_km"].items()}
    rows, ladder = [], {}
    for words, case in cases.items():
        for label, row in case.items():
            if "km" in row:
                rows.append(
                    [
                        words,
                        label,
                        *(number(row["returns"][k], 5) for k in ("crash", "idle", "destination")),
                        number(row["p"], 4),
                        number(row["km"], 4),
                        row["kind"],
                    ]
                )
                if label == "own gamma":
                    ladder.setdefault(found.title, []).append(row["km"])
            else:
                rows.append([words, label, *(f"{k}: {number(v, 5)}" for k, v in row["returns"].items())])
    out: list[Any] = []
    if ladder and all(v == v for v in ladder[found.title]):
        drawn = figures.svg(risks.ladder(ladder, people, "What it approves of, beside people"))
        caption = "People: see docs/sources.md; the file may give its own."
        out.append(page.Figure("Crashes that it approves of", drawn, caption))
    if found.drawn:
        out.append(
            page.Figure(
                "What weight it would take",
                figures.svg(
                    risks.weights(
                        found.drawn,
                        {k: v for k, v in people.items() if "most" not in k},
                        "What the weight of a collision buys",
                    )
                ),
                "All else as it is in the file.",
            )
        )
    if rows and "km" in next(iter(next(iter(cases.values())).values()), {}):
        out.append(
            page.Table(
                "Returns and the point of indifference",
                ["case", "discount", "crash", "idle", "destination", "p", "km a crash", "kind"],
                rows,
            )
        )
    if found.details.get("sensitivity"):
        out.append(
            page.Table(
                "What moves it",
                ["attribute", "d ln km / d ln weight", "weight now", "weight needed"],
                [
                    [
                        a,
                        number(v, 3),
                        *(
                            number(found.details["weight_needed"].get(a, {}).get(k, float("nan")), 4)
                            for k in ("now", "weight")
                        ),
                    ]
                    for a, v in found.details["sensitivity"].items()
                ],
                f"The weight at which it asks for {number(found.details['humans_km']['drunk_16_17'], 4)} km a crash, "
                "or the file's target_km.",
            )
        )
    return out


def _label(found: Audit) -> list[Any]:
    from nomoi.report import figures, risks

    out: list[Any] = []
    for pair, drawn in found.drawn.items():
        for what, gaps in drawn["calibration"].items():
            for name, gap in gaps.items():
                title = f"{name} at one score: {pair}"
                out.append(
                    page.Figure(
                        title,
                        figures.svg(risks.deciles(gap, name, f"{name} by decile of the score")),
                        f"Means with 95 % intervals; what is asked is whether the {what} is the same.",
                    )
                )
    columns = ["pair", "need", "before", "after", "null", "95 % of the null", "excess", "p", "as in 2019", "reversed"]
    rows = []
    for pair, row in found.details.items():
        for need, s in row.get("swap", {}).items():
            rows.append(
                [
                    pair,
                    need,
                    s["before"],
                    s["after"],
                    s["null"],
                    f"{number(s['low'])} to {number(s['high'])}",
                    s["excess"],
                    number(s["p"]),
                    s["published"],
                    f"{number(s['reversed'][0])} to {number(s['reversed'][1])}",
                ]
            )
    if rows:
        out.append(
            page.Table(
                "The swap, beside what it would be if groups were names alone",
                columns,
                rows,
                "Shares of the compared group among the chosen.  The walk exchanges one way only and scores "
                "are noisy, so it lifts any group: read the excess.",
            )
        )
    table = found.details["concentration"]
    names = list(next(iter(table.values())))
    out.append(
        page.Table(
            "Shares of all outcomes that fall to the 3 % on top",
            ["score", *names],
            [
                [score, *(f"{number(row[n]['share'], 4)} +- {number(row[n]['error'], 2)}" for n in names)]
                for score, row in table.items()
            ],
            "group: everybody but the largest; errors are standard errors.",
        )
    )
    return out


def _proxy(found: Audit) -> list[Any]:
    from nomoi.report import charts, figures, risks

    path, names = found.drawn["path"], found.drawn["names"]
    over = charts.lines(
        {n: (path.t, path.s[:, k]) for k, n in enumerate(names)},
        "amount of each attribute",
        "What rises and what falls",
        "time of optimisation",
        of="computed path",
    )
    return [
        page.Figure(
            "Two phases",
            figures.svg(risks.phases(path, found.drawn["remedies"], "What the proxy says, and what is so")),
            "Dotted: where the utility is best.",
        ),
        page.Figure(
            "Attributes", figures.svg(over), "Those that the proxy does not mention pay for those that it does."
        ),
    ]


def _measure(found: Audit) -> list[Any]:
    from nomoi.report import charts, figures

    x, y = zip(*found.drawn["means"], strict=True)
    over = charts.lines({"goal": (x, y)}, "mean of what is meant", "What the measure says, and what is so",
                        "mean of what is measured, by twentieths of the rows", of="means of rows")  # fmt: skip
    return [page.Figure("The goal over the measure", figures.svg(over), "Rows that were pushed are left out.")]


_SECTIONS: dict[str, Any] = {"reward": _reward, "label": _label, "proxy": _proxy, "measure": _measure}
