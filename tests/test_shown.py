"""What reaches a page or a terminal: honest words pass, commands do not."""

from __future__ import annotations

import dataclasses
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training import put, what

from nomoi.errors import Refusal, printable
from nomoi.report import figures, page, portrait, terminal
from nomoi.solve.game import NormalForm

EVIL = "a\x1b[2J\x1b]0;owned\x07b\x9b31m\u202ec\rd\udcff"


# --- svg ----------------------------------------------------------------------------------------------------------


def shown(svg):
    return page.page("A", "b", [page.Figure("figure", svg)])


@pytest.mark.parametrize(
    "label", ["once=2", "levy once=2, on=request", "<script>", "a & b", "]]>", "--x", "on<b onload=1"]
)
def test_honest_labels_are_drawn(label):
    found = shown(figures.svg(figures.curves({label: ([0, 1], [[0, 1]])}, "apples", label)))
    assert "<script" not in found
    svg = found[found.rindex("<svg") : found.rindex("</svg>") + 6]  # the last: the key before it has its own
    said = ["".join(node.itertext()).strip() for node in ET.fromstring(svg).iter() if node.tag.endswith("text")]
    assert label in said


@pytest.mark.parametrize(
    "svg",
    [
        "<svg><script>1</script></svg>",
        "<svg><SCRIPT>1</SCRIPT></svg>",
        '<svg xmlns:s="http://www.w3.org/2000/svg"><s:script>1</s:script></svg>',
        "<svg><foreignObject/></svg>",
        '<svg><g onclick="1"/></svg>',
        '<svg onload = "1"/>',
        '<svg><a href="javascript:1"><text>x</text></a></svg>',
        '<svg xmlns:l="http://www.w3.org/1999/xlink"><a l:href=" javascript:1"/></svg>',
        '<svg><image href="http://elsewhere/x.png"/></svg>',
        "<svg>",
        "<svg></svg><p/>",
        "<p/>",
        "<svg>&nbsp;</svg>",
        '<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>',
    ],
)
def test_scripts_and_what_is_no_svg_are_refused(svg):
    with pytest.raises(Refusal, match="must be one <svg>"):
        shown(svg)


def test_what_stands_on_the_page_is_what_was_read():
    """A comment or raw text that a browser would read otherwise than XML does is not passed on."""
    for svg in ("<svg><!--><script>1</script>--></svg>", "<svg><title><![CDATA[<script>1</script>]]></title></svg>"):
        assert "<script" not in shown(svg)


def test_letters_of_all_scripts_are_drawn_without_a_warning(tmp_path, capsys):
    names = ("猫", "犬", "नमस्ते", "🐟")
    game = NormalForm(
        np.array([[[3.0, 0], [5, 1]], [[3, 5], [0, 1]]]), "囚人のジレンマ", names[:2], (names[:2], names[2:])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = portrait.write(game, tmp_path / "game.svg")
        figures.svg(figures.curves(dict.fromkeys(names, ([0, 1], [[0, 1]])), "匹", "魚"))
        figures.svg(figures.intervals({name: [0.0, 1.0] for name in names}, "匹", "魚"))
    assert "囚人のジレンマ" in path.read_text(encoding="utf-8")
    monster = dataclasses.replace(game, title="\U00013000")  # a hieroglyph, which no common font has
    with pytest.raises(Refusal, match=r"no font here has all its letters; write an \.svg"):
        portrait.write(monster, tmp_path / "game.png")
    assert not (tmp_path / "game.png").exists()
    assert capsys.readouterr() == ("", "")


def test_words_of_thousands_of_letters_leave_room_for_the_picture():
    long = "x" * 5000
    for fig in (
        figures.curves({long: ([0, 1], [[0, 1]])}, "m", long),
        figures.intervals({long: [0.0, 1.0]}, "m", long),
    ):
        assert len(figures.svg(fig)) < 30_000  # and without a warning


def test_control_characters_do_not_break_a_figure():
    found = shown(figures.svg(figures.curves({"a\x1bb": ([0, 1], [[0, 1]])}, "apples", "c\x07d")))
    assert ">ab<" in found.replace(" ", "")
    assert "\x1b" not in found


# --- the terminal -------------------------------------------------------------------------------------------------


@given(st.text(st.characters(codec=None), max_size=30))
def test_printable_text_is_idempotent_and_can_be_written(text):
    once = printable(text)
    assert printable(once) == once
    once.encode()
    assert not any((ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) < 160 for c in once)


def test_records_and_paths_are_words(nomoi):
    """Labels, kinds and folders that look like commands or markup."""
    folder = "[red]x[/nothing] :fire:"
    put(folder, {"harvest": (np.zeros(1), np.ones(1))}, what(kind=f"x:{EVIL}"), label=f"{EVIL}[/b]")
    status, out, err = nomoi("runs", "--out", folder)
    assert status == 0, err
    assert folder in out
    assert printable(out) == out
    terminal.said(Path(f"{folder}{EVIL}.html"))


def test_nothing_of_a_users_file_commands_the_terminal(nomoi):
    Path("own.py").write_text(
        "from nomoi.runs.study import Claim, Computed, Study\n"
        f"EVIL = {EVIL!r} + '[/red]'\n"
        "def draw(key):\n    return {'m': 1.0}\n"
        "claim = Claim(EVIL, EVIL, lambda r: r.late(EVIL, 'm'), published=EVIL, above=0, unit=EVIL)\n"
        "STUDY = Study(EVIL.replace('/', ''), EVIL, [claim], lambda size: [Computed(EVIL, draw)], {'smoke': 1})\n"
    )
    status, out, err = nomoi("run", "own.py", "--size", "smoke")
    assert status == 0, err
    assert "owned" in out
    assert printable(out) == out
    assert printable(err) == err
    Path("rule.py").write_text(
        "from nomoi.core import Institution, setting\n"
        f"class Rule(Institution):\n    {EVIL.encode('utf-8', 'replace').decode()!r}\n"
        f"    presets = {{{EVIL!r} + '[/b]': {{}}}}\n"
        f"    fee: object = setting(1.0, {EVIL!r}, {EVIL!r}, {EVIL!r})\n"
    )
    status, out, err = nomoi("show", "rule.py")
    assert status == 0, err
    assert "owned" in out
    assert printable(out) == out
