"""What a study found: a page to look at, and a summary in Markdown to keep beside the code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nomoi import effects
from nomoi.claims import Results
from nomoi.files import write
from nomoi.measure.measures import ALL
from nomoi.measure.statistics import Estimate, number
from nomoi.report import page
from nomoi.store import Record
from nomoi.study import Findings

REMARKS = "## Remarks\n"


def write_page(findings: Findings | Sequence[Findings], path: Path, title: str = "", question: str = "") -> Path:
    """A study as a page: question, verdicts, figures, numbers; or several one after another, under a title."""
    if isinstance(findings, Findings):
        return write(path, page.page(f"Study: {findings.study.name}", _lead(findings), _sections(findings)))
    parts = [[page.Text(f"Study: {f.study.name}", [_lead(f)]), *_sections(f)] for f in findings]
    return write(path, page.page(title, question, [section for part in parts for section in part]))


def _lead(findings: Findings) -> str:
    study = findings.study
    return f"Size {findings.size}, {study.seeds[findings.size]} seeds a condition. {study.question}"


def write_summary(findings: Findings, folder: Path) -> Path:
    """NAME.md with the tables, and NAME-1.svg, ... with the figures; returns the path of the Markdown.

    What people wrote under REMARKS in an older summary is kept at the end of the new one.
    """
    study, size = findings.study, findings.size
    seeds, shown = study.seeds[size], folder.name if folder.is_absolute() else folder
    lines = [
        f"# Results: {study.name}",
        "",
        study.question,
        "",
        f"Made with `nomoi run {study.name} --size {size} --keep {shown}`: {seeds} seeds (0 to {seeds - 1}) a "
        f"condition{_effort(findings)}. {_brackets(findings)}",
        "",
    ]
    figures = 0
    for section in _sections(findings):
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
    rows = [[v.claim.text, v.verdict, v.found(), v.claim.published or "-", v.claim.source] for v in findings.verdicts]
    head = ["claim", "verdict", "found, 95 % interval", "published", "source"]
    note = study.note
    if findings.changed:
        note = f"Settings were changed ({', '.join(findings.changed)}), so these are not the study's verdicts. {note}"
    out: list[Any] = [page.Table("Verdicts", head, rows, note)]
    if study.shown:
        out.append(_conditions(findings))
    return out + (list(study.sections(findings.results)) if study.sections else [])


def conditions(results: Results, labels: Sequence[str], measures: Sequence[str], what: str = "condition") -> page.Table:
    """A table of `labels`, which are `what`, with the means over seeds of their measures; for a study's sections."""
    rows = effects.rows(results, labels, measures)
    return page.Table("Conditions", [what, *measures], rows, "Means over seeds with 95 % intervals.")


def _conditions(findings: Findings) -> page.Table:
    """Every condition that was trained or scripted, with the measures that the study shows."""
    units, results = {m.name: m.unit for m in ALL}, findings.results
    kinds = {label: records[0].spec["kind"] for label, records in results.records.items()}
    labels = [label for label, kind in kinds.items() if kind in ("training", "script")]
    rows = effects.rows(results, labels, findings.study.shown)
    columns = ["condition", *(f"{m} ({units[m]})" if m in units else m for m in findings.study.shown)]
    return page.Table("All conditions", columns, rows, "Sums over all agents in an episode, or shares.")


def _brackets(findings: Findings) -> str:
    what = "brackets are 95 % bootstrap intervals over seeds."
    trained = any(r.spec["kind"] == "training" for rs in findings.results.records.values() for r in rs)
    return f"Means over the last eighth of training; {what}" if trained else what.capitalize()


def _effort(findings: Findings) -> str:
    """How much was computed, where: from the records."""
    trained = [r for rs in findings.results.records.values() for r in rs if "wall_seconds" in r.facts]
    if not trained:
        return ""
    steps = sorted({_steps(r) for r in trained})
    minutes = sum(r.facts["wall_seconds"] for r in trained) / 60
    span = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
    return f", {len(trained)} training runs of {span} world steps, {minutes:.0f} minutes of one worker"


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
