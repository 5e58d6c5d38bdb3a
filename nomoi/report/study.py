"""What a study found: a page to look at, and a summary in Markdown to keep beside the code."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nomoi.errors import Missing
from nomoi.files import write
from nomoi.measure.statistics import Estimate, corrected, number
from nomoi.report import page
from nomoi.runs import effects
from nomoi.runs.claims import KINDS, Results, Verdict, count, told
from nomoi.runs.record import Record
from nomoi.runs.study import Findings

REMARKS = "## Remarks\n"


def write_page(findings: Findings | Sequence[Findings], path: Path, title: str = "", question: str = "") -> Path:
    """A study as a page: question, verdicts, figures, numbers; or several one after another, under a title."""
    if isinstance(findings, Findings):
        return write(path, page.page(f"Study: {findings.study.name}", _lead(findings), _sections(findings)))
    parts = [[page.Text(f"Study: {f.study.name}", [_lead(f)]), *_sections(f)] for f in findings]
    return write(path, page.page(title, question, [section for part in parts for section in part]))


def _lead(findings: Findings) -> str:
    n = findings.study.seeds[findings.size]
    seeds = "one seed a condition" if n == 1 else f"{n} seeds a condition"
    drawn = "computed once, without chance" if _exact(findings) else seeds
    return " ".join([f"Size {findings.size}, {drawn}. {findings.study.question}", *findings.remarks])


def write_summary(findings: Findings, folder: Path) -> Path:
    """NAME.md with the tables, and NAME-1.svg, ... with the figures, without films; returns the path of the Markdown.

    What people wrote under REMARKS in an older summary is kept at the end of the new one.
    """
    study, size = findings.study, findings.size
    seeds, shown = study.seeds[size], folder.name if folder.is_absolute() else folder
    numbers = f"{study.first} to {study.first + seeds - 1}"
    drawn = "" if _exact(findings) else f": {seeds} seeds ({numbers}) a condition{_effort(findings)}"
    lines = [
        f"# Results: {study.name}",
        "",
        study.question,
        "",
        f"Made with `nomoi run {study.name} --size {size} --keep {shown}`{drawn}. {_brackets(findings)}",
        "",
        *(line for remark in findings.remarks for line in (remark, "")),
    ]
    figures = 0
    for section in _sections(findings):
        if isinstance(section, page.Films):  # which are looked at on the page
            continue
        lines += [f"## {section.heading}", ""]
        if isinstance(section, page.Table):
            lines += [*_rows(section.columns, section.rows), ""]
            lines += [section.note, ""] if section.note else []
        elif isinstance(section, page.Figure):
            figures += 1
            name = f"{study.name}-{figures}.svg"
            write(folder / name, section.svg)
            lines += [f"![{section.heading}]({name})", "", *([section.caption, ""] if section.caption else [])]
        elif isinstance(section, page.Text):
            lines += [line for paragraph in section.paragraphs for line in (paragraph, "")]
    path = folder / f"{study.name}.md"
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    kept = f"\n\n{REMARKS}{old.split(REMARKS, 1)[1]}" if REMARKS in old else ""
    return write(path, ("\n".join(lines).rstrip() + kept).rstrip() + "\n")


def _sections(findings: Findings) -> list[Any]:
    study = findings.study
    said = [*filter(None, [_changed(findings) + study.note])]
    out: list[Any] = [page.Text("Verdicts", [summary(findings), *said])]
    out += [_verdicts(KINDS[kind], verdicts) for kind, verdicts in by_kind(findings.verdicts).items()]
    if study.readings:
        out.append(_readings(findings))
    if study.shown:
        out.append(_conditions(findings))
    out = _corrected(out + _own(findings))
    return _marked(out) if findings.results.old else out


def _own(findings: Findings) -> list[Any]:
    """The study's own sections; none where data are missing for them."""
    if not findings.study.sections:
        return []
    try:
        return list(findings.study.sections(findings.results))
    except Missing as missing:
        return [page.Text("Not shown", [str(missing)])]


def by_kind(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    """Verdicts by the kind of their claims, in the order of KINDS, without kinds of which there are none."""
    sorted_ = {kind: [v for v in verdicts if v.claim.kind == kind] for kind in KINDS}
    return {kind: found for kind, found in sorted_.items() if found}


def summary(findings: Findings) -> str:
    """'Published claims: 5 of 7 hold, 1 fails. Controls: ...', in one line."""
    parts = [f"{KINDS[kind]}: {count(found)}." for kind, found in by_kind(findings.verdicts).items()]
    return " ".join(parts) or "No claims."


def _changed(findings: Findings) -> str:
    if not findings.changed:
        return ""
    return f"Settings were changed ({', '.join(findings.changed)}), so these are not the study's verdicts. "


def _verdicts(heading: str, verdicts: Sequence[Verdict]) -> page.Table:
    """Claims of one kind with the bound that decided; what was found before only where something was."""
    known = before(verdicts)
    head = ["claim", "verdict", "found, 95 % interval", "must be", *known, "source"]
    rows = [
        [v.claim.text, v.verdict, v.found(), v.claim.bound(), *[v.claim.published or "-"] * len(known), v.claim.source]
        for v in verdicts
    ]
    return page.Table(heading, head, rows)


def before(verdicts: Sequence[Verdict]) -> list[str]:
    """The heading for what was found before, where anything was: what trials of ours found is not published."""
    ours = all(v.claim.kind == "replica" for v in verdicts)
    return ["found before" if ours else "published"] if any(v.claim.published for v in verdicts) else []


def _readings(findings: Findings) -> page.Table:
    """What follows from the definitions of a model."""
    rows = [[r.text, told(e, r.unit), r.published or "-", r.source] for r, e in findings.readings()]
    note = "These numbers follow from the model's definitions and settings, so that they get no verdict."
    return page.Table("What the model says", ["", "found", "published", "source"], rows, note)


def _corrected(sections: Sequence[Any]) -> list[Any]:
    """The sections with all tests of the page corrected together, as tables."""
    tests = iter(corrected([one for s in sections if isinstance(s, effects.Tests) for _, one, _ in s.rows]))

    def table(s: effects.Tests) -> page.Table:
        rows = [[*before, *effects.row(next(tests)), *after] for before, _, after in s.rows]
        note = "Paired over seeds, as claims are judged; p corrected for all tests of this page (Holm)."
        return page.Table(s.heading, [*s.before, *effects.COLUMNS, *s.after], rows, f"{s.note} {note}".strip())

    return [table(s) if isinstance(s, effects.Tests) else s for s in sections]


def _marked(sections: Sequence[Any]) -> list[Any]:
    """The sections of results that other code made, each of which says so."""
    said = "Old: other code made some of what is shown here."
    named = {page.Table: "note", page.Figure: "caption"}
    mark = lambda s, field: dataclasses.replace(s, **{field: f"{said} {getattr(s, field)}".strip()})  # noqa: E731
    return [mark(s, named[type(s)]) if type(s) in named else s for s in sections]


def conditions(results: Results, labels: Sequence[str], measures: Sequence[str], what: str = "condition") -> page.Table:
    """A table of `labels`, which are `what`, with the means over seeds of their measures; for a study's sections."""
    rows = effects.rows(results, labels, measures)
    return page.Table("Conditions", [what, *measures], rows, "Means over seeds with 95 % intervals.")


def _conditions(findings: Findings) -> page.Table:
    """Every trial that was trained or scripted, with the measures that the study shows."""
    results = findings.results
    kinds = {label: records[0].kind for label, records in results.records.items() if records}
    labels = [label for label, kind in kinds.items() if kind in ("trained", "scripted")]
    rows = effects.rows(results, labels, findings.study.shown)
    units = {m: next(filter(None, (results.unit(label, m) for label in labels)), "") for m in findings.study.shown}
    columns = ["condition", *(f"{m} ({unit})" if unit else m for m, unit in units.items())]
    return page.Table("All conditions", columns, rows, "Sums over all agents in an episode, or shares.")


def _exact(findings: Findings) -> bool:
    """Whether nothing in it is left to chance."""
    return set(findings.results.records) <= findings.results.exact


def _brackets(findings: Findings) -> str:
    results = findings.results
    if _exact(findings):
        return "All of it is exact: computed once, without chance."
    what = "brackets are 95 % intervals of the mean over seeds (Student's t)."
    trained = any(r.kind == "trained" for rs in results.records.values() for r in rs)
    more = " What is exact is computed once and is a point." if results.exact else ""
    return (f"Means over the last eighth of training; {what}" if trained else what[:1].upper() + what[1:]) + more


def _effort(findings: Findings) -> str:
    """How much was computed, where: from the records."""
    trained = [r for rs in findings.results.records.values() for r in rs if r.kind == "trained"]
    if not trained:
        return ""
    steps = sorted({_steps(r) for r in trained})
    minutes = sum(r.facts["wall_seconds"] for r in trained) / 60
    span = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
    devices = " and ".join(sorted({str(r.facts.get("device", "an unknown device")) for r in trained}))
    return f", {len(trained)} training runs of {span} world steps, {minutes:.0f} minutes of one worker ({devices})"


def _steps(record: Record) -> int:
    return max(int(steps.max()) for steps, _ in record.curve().values())


def _text(cell: Any) -> str:
    if isinstance(cell, Estimate):
        return f"{cell.text()} {cell.interval()}".strip() if cell.n else "-"
    return "-" if cell is None else number(cell) if isinstance(cell, float) else str(cell)


def _rows(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """A Markdown table."""
    lines = [list(map(str, columns)), ["---"] * len(columns)]
    lines += [[_text(cell).replace("|", "\\|") for cell in row] for row in rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
