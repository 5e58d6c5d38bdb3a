"""A session's sheet: CSV, one row a seat and turn, for a spreadsheet or a program of statistics."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.play.table import Table
from nomoi.play.transcript import replay
from nomoi.play.words import choices
from nomoi.runs.session import Session


def rows(one: Session) -> str:
    """CSV, one row a seat and turn: who answered (person, script, late, nobody), what, how fast, what it brought.

    Each answer stands as its number and, under HEAD.words, in words; the stock is what was left after the turn.  Where
    people could talk, `said` is what the seat wrote before that turn was made, a JSON list of texts (which no
    spreadsheet takes for a formula); what was written after the last turn has rows without an answer.
    """
    head, *lines = [one.lived.head, *one.lived.lines]
    heads, labels, terms, out = list(head["actions"]), choices(one.situation), one.terms, io.StringIO()
    talk: list[dict[str, Any]] | None = terms.get("said")
    words = lambda step, i: [] if talk is None else [json.dumps(  # noqa: E731
        [x["words"] for x in talk if (x["step"], x["seat"]) == (step, i)], ensure_ascii=False)]  # fmt: skip
    stocks = again(one)[0]
    titles = [name for h in heads for name in (h, f"{h}.words")]
    kinds = [f"stock.{k}" for k in one.situation.kinds] if stocks else []
    write = csv.writer(out, lineterminator="\n")
    write.writerow(["session", "step", "seat", "role", "name", "by", "ms", *titles, "reward", "transfer", "payoff",
                    "total", *kinds, *(["said"] if talk is not None else [])])  # fmt: skip
    session, roles = lines[-1]["digest"], one.situation.roles
    names: list[str] = []
    steps, totals = [line for line in lines if "step" in line], np.zeros(head["agents"])
    for k, line in enumerate(steps):
        names = line.get("seats", names)
        totals += np.add(line["reward"], line["transfer"])
        for i in range(head["agents"]):
            person = i < terms["persons"]
            by = terms["by"][k][i] if person else "script"
            ms = terms["ms"][k][i] if person and terms["ms"][k][i] is not None else ""
            answers = [line["answers"][h][i] for h in heads]
            chose = [x for h, a in zip(heads, answers, strict=True) for x in (a, labels[h][a])]
            reward, transfer = line["reward"][i], line["transfer"][i]
            paid = map(_number, (reward, transfer, reward + transfer, totals[i], *(stocks[k] if stocks else ())))
            name = f"seat {i + 1}" if person else names[i]  # also where a script answered for somebody late
            write.writerow([session, line["step"], i + 1, roles[i], name, by, ms, *chose, *paid, *words(k, i)])
    blank = [""] * (6 + len(titles) + len(kinds))
    for i in sorted({x["seat"] for x in talk or () if x["step"] >= len(steps)}):
        write.writerow([session, len(steps) + 1, i + 1, roles[i], f"seat {i + 1}", *blank, *words(len(steps), i)])
    return out.getvalue()


def again(one: Session) -> tuple[list[list[float]], list[list[frozenset[str]]]]:
    """What a session's lines do not say, by living through it again: what was left after each turn, kind by kind (of
    nothing where there is no stock), and which heads each seat was asked in it.

    Both are empty where the code is not what made it.
    """
    left, asked = list[list[float]](), list[list[frozenset[str]]]()
    stock = "stock" in one.situation.offers

    def watch(table: Table) -> None:
        if stock and table.brought is not None:
            left.append(np.asarray(one.situation.stock(table.state)).tolist())
        asked.append([frozenset(table.told(i).asked) for i in table.seats])

    try:
        replay(one.lived, one.situation, watch)
    except Refusal:
        return [], []
    return left, asked[:-1]  # of what would be asked next nothing came


def chosen(one: Session, asked: list[list[frozenset[str]]], by: tuple[str, ...]) -> dict[str, np.ndarray]:
    """{head: [T] the mean of what those chose who answered as `by` says}, of choices that are amounts; NaN where nobody
    did.  `by` is of (person, late, script); of the answers of seats that no person had, script.
    """
    out = {}
    lines = [line for line in one.lived.lines if "step" in line]
    for head, labels in choices(one.situation).items():
        try:
            amounts = np.array([float(label) for label in labels])
        except ValueError:  # words
            continue
        mean = []
        for who, heads, line in zip(answered(one), asked, lines, strict=True):
            chose = [amounts[line["answers"][head][i]] for i, x in enumerate(who) if x in by and head in heads[i]]
            mean.append(np.mean(chose) if chose else np.nan)
        out[head] = np.array(mean)
    return out


def answered(one: Session) -> list[list[str]]:
    """[T][n] who answered in each turn at each seat; the seats that no person has are a script's."""
    rest = one.situation.agents - one.terms["persons"]
    return [[*row, *["script"] * rest] for row in one.terms["by"]]


def _number(x: float) -> str:
    """To six decimals and seven digits, which is as far as the world reckons; nothing has no sign."""
    return f"{round(float(x), 6) + 0.0:.7g}"
