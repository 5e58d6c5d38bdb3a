"""Games from files: what is read, what is written and read again, and what is refused in a sentence."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi import cli
from nomoi.errors import Refusal
from nomoi.solve import formats, nash, nfg
from nomoi.solve.game import NormalForm
from nomoi.solve.methods import METHODS
from nomoi.solve.pure import pure

LISTED = """NFG 1 R "Selten (IJGT, 75), Figure 2" { "Player 1" "Player 2" } { 3 2 }

1 1 0 2 0 2 1 1 0 3 2 0
"""
OUTCOMES = """NFG 1 R "Selten (IJGT, 75), Figure 2" { "Player 1" "Player 2" }
{ { "1" "2" "3" }
{ "1" "2" }
}
"A comment, with { braces } and 3 numbers"

{
{ "" 1, 1 }
{ "both" 0, 2 }
{ 0 3 }
{ "" 2, 0 }
}
1 2 2 1 3 4
"""
ROW, COLUMN = [[1, 1], [0, 0], [0, 2]], [[1, 1], [2, 3], [2, 0]]


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a file in an empty folder and return its name."""
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    return write


@pytest.mark.parametrize("text", [LISTED, OUTCOMES], ids=["payoffs", "outcomes"])
def test_both_versions_of_nfg(file, text):
    game = formats.read(file("g.nfg", text))
    assert game.payoff.tolist() == [ROW, COLUMN]
    assert game.title == "Selten (IJGT, 75), Figure 2"
    assert game.players == ("Player 1", "Player 2")
    assert game.actions == (("1", "2", "3"), ("1", "2"))


def test_the_first_player_changes_fastest_of_three(file):
    numbers = " ".join(str(k) for k in range(3 * 2 * 3 * 2))
    game = formats.read(file("g.nfg", f'NFG 1 R "" {{ "" "" "" }} {{ 2 3 2 }} {numbers}'))
    assert game.shape == (2, 3, 2)
    for k, a in enumerate((i, j, m) for m in range(2) for j in range(3) for i in range(2)):
        assert game.payoff[(slice(None), *a)].tolist() == [3 * k, 3 * k + 1, 3 * k + 2]
    assert game.players == ("P1", "P2", "P3")
    assert game.title == "g"


def test_outcome_zero_pays_nothing(file):
    game = formats.read(file("g.nfg", 'NFG 1 R "t" { "a" "b" } { 2 1 } { { "x" 5 7 } } 0 1'))
    assert game.payoff.tolist() == [[[0], [5]], [[0], [7]]]


def test_names_may_hold_quotes(file):
    game = formats.read(file("g.nfg", r'NFG 1 R "a \"b\" c" { "x" "y\\" } { 1 1 } 1 2'))
    assert game.title == 'a "b" c'
    assert game.players[1] == "y\\"


@pytest.mark.parametrize(
    ("word", "value"),
    [("3", 3), ("-0.5", -0.5), (".8", 0.8), ("1e-3", 1e-3), ("+2.5E2", 250), ("1/3", 1 / 3), ("-22/7", -22 / 7),
     ("5.", 5), (" 4 ", 4)],
)  # fmt: skip
def test_numbers(word, value):
    assert nfg.number(word, "here") == value


@pytest.mark.parametrize(
    "word",
    ["nan", "inf", "-inf", "1/0", "x", "", "1_000", "1e999", "0x10", "1//2", "1/2/3", "--1", "9" * 500, "1e99999999",
     "__import__('os')", "٣"],
)  # fmt: skip
def test_words_that_are_no_numbers(word):
    with pytest.raises(Refusal, match=r"here: .* is no payoff"):
        nfg.number(word, "here")


@given(st.integers(0, 2**31).map(np.random.default_rng), st.integers(2, 4), st.text(max_size=8))
def test_what_is_written_is_read_again_bit_for_bit(tmp_path_factory, rng, n, name):
    name = "".join(c for c in name if c.isprintable()) or "t"
    payoff = rng.choice([rng.random(), 1 / 3, -7.0, 1e-300, 1e300, 2.0**60], (n, *rng.integers(1, 4, n)))
    game = NormalForm(payoff, name, tuple(f"{name}{i}" for i in range(n)))
    again = formats.read(nfg.write(game, tmp_path_factory.mktemp("g") / "x.nfg"))
    assert np.array_equal(again.payoff, game.payoff)
    assert (again.title, again.players, again.actions) == (game.title, game.players, game.actions)


PD = [[[2, 0], [4, 1]], [[2, 4], [0, 1]]]
CSV = {
    "two payoffs a cell": '"2,2","0,4"\n"4,0","1,1"\n',
    "separated by spaces": "2 2,0 4\n4 0,1 1\n",
    "separated by semicolons": "2;2,0; 4\n4 ;0,1;1\n",
    "with names": 'who,C,D\nC,"2,2","0,4"\nD,"4,0","1,1"\n',
    "without a corner": ',C,D\r\nC,"2,2","0,4"\r\nD,"4,0","1,1"\r\n',
    "a table a player": "2,0\n4,1\n\n2,4\n0,1\n",
    "with remarks": "# the row player\n2,0\n4,1\n\n\n# the column player\n2,4\n0,1\n",
    "with a mark of order": "\ufeff2,0\n4,1\n",
    "symmetric": "2,0\n4,1\n",
    "symmetric, named": ",C,D\nC,2,0\nD,4,1",
}


@pytest.mark.parametrize("layout", CSV)
def test_layouts_of_csv(file, layout):
    game = formats.read(file("g.csv", CSV[layout]))
    assert game.payoff.tolist() == PD
    named = "C," in CSV[layout]
    assert game.actions == ((("C", "D"),) * 2 if named else (("1", "2"),) * 2)


NO_COMMA = {
    "semicolons": "3;0\n5;1\n", "tabs": "3\t0\n5\t1\n", "bars": "3|0\n5|1\n", "spaces": "3 0\n5 1\n",
    "semicolons, with names": "who;C;D\nC;3;0\nD;5;1\n", "tabs, in a remark, a comma": "# x, y\n3\t0\n5\t1\n",
    "semicolons, two tables": "3;0\n5;1\n\n3;5\n0;1\n",
}  # fmt: skip


@pytest.mark.parametrize("case", NO_COMMA)
def test_columns_that_no_comma_separates_are_refused_and_not_another_game(file, case):
    with pytest.raises(Refusal, match=rf"no comma but {case.split(',')[0]}; separate its columns by commas, as in 3,0"):
        formats.read(file("g.csv", NO_COMMA[case]))


def test_a_single_column_has_its_comma_in_quotes(file):
    assert formats.read(file("g.csv", '"3,1"\n"5,2"\n')).payoff.tolist() == [[[3], [5]], [[1], [2]]]


PAGE = (Path(__file__).parent.parent / "docs" / "games.md").read_text()
EXAMPLES = re.findall(r"```(csv|json|nfg)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_the_examples_of_the_page_are_read_and_solved(file, kind, text):
    game = formats.read(file(f"g.{kind}", text))
    found = nash.solve(game)
    if game.n == 3:
        assert game.players == ("Ann", "Ben", "Cem")
        assert pure(game) == [(0, 0, 0), (1, 1, 1)]
    else:
        known = {"pd": [[3, 0], [5, 1]], "bos": [[3, 0], [0, 2]], "pennies": [[1, -1], [-1, 1]]}
        (name,) = (name for name, row in known.items() if game.payoff[0].tolist() == row)
        assert len(found.points) == {"pd": 1, "bos": 3, "pennies": 1}[name]


def test_the_page_has_an_example_of_every_layout_and_names_every_method():
    assert [kind for kind, _ in EXAMPLES] == ["csv"] * 3 + ["json"] + ["nfg"] * 2
    assert all(f"`{name}`" in PAGE for name in METHODS)


HOSTILE = "\x1b]0;owned\x07\x1b[2Jred\x9b31m\u202etxet\r\n"


def test_control_characters_of_titles_and_names_do_not_reach_the_terminal(file, monkeypatch, capsys):
    data = {"title": HOSTILE, "players": [HOSTILE, "b"], "actions": [[HOSTILE, "x"], ["y", HOSTILE]],
            "payoff": [[[3, 0], [5, 1]], [[3, 5], [0, 1]]]}  # fmt: skip
    texts = {
        "g.json": json.dumps(data),
        "g.nfg": f'NFG 1 R "{HOSTILE}" {{ "{HOSTILE}" "b" }} {{ {{ "{HOSTILE}" "x" }} {{ "y" "z" }} }} 3 3 5 0 0 5 1 1',
        "g.csv": f',a,b\n"{HOSTILE}",3,0\nx,5,1\n',
    }
    for name, text in texts.items():
        for words in ([], ["--json"], ["--method", "support,"]):
            monkeypatch.setattr(sys, "argv", ["nomoi", "solve", file(name, text), *words])
            with contextlib.suppress(SystemExit):
                cli.main()
            said = capsys.readouterr()
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", said.out + said.err), (name, words)
    assert formats.read("g.json").title == "]0;owned[2Jred31mtxet"
    with pytest.raises(Refusal) as refused:
        NormalForm(np.zeros((1, 2)), HOSTILE)
    assert "\x1b" not in str(refused.value)
    assert NormalForm(np.zeros((2, 1, 1)), "\ud800\x1b").title == "game"


def test_csv_of_unlike_many_actions(file):
    game = formats.read(file("g.csv", ",x,y,z\na,1/3 0,1 1,2 2\nb,-1 0,1e2 1,.5 2\n"))
    assert game.payoff[0].tolist() == [[1 / 3, 1, 2], [-1, 100, 0.5]]
    assert game.actions == (("a", "b"), ("x", "y", "z"))
    game = formats.read(file("h.csv", "x,y\n1 2,3 4\n"))
    assert game.actions == (("1",), ("x", "y"))
    quoted = formats.read(file("q.csv", '"a&b""c", " d""e "\n3,0\n5,1\n'))
    assert quoted.actions[0] == ('a&b"c', 'd"e')


def test_json(file):
    text = '{"payoff": [[["1/3", 0], [4, 1]], [[2, 4], [0, 1.5]]], "players": ["a", "b"], "title": "t"}'
    game = formats.read(file("g.json", text))
    assert game.payoff.tolist() == [[[1 / 3, 0], [4, 1]], [[2, 4], [0, 1.5]]]
    assert (game.title, game.players, game.actions) == ("t", ("a", "b"), (("1", "2"), ("1", "2")))


NFG = 'NFG 1 R "t" { "a" "b" } '
PAIR = '{"payoff": [[[3, 0], [5, 1]], [[3, 5], [0, 1]]], '
BAD = {
    "an empty file": ("g.nfg", "", "ends where NFG"),
    "another kind of file": ("g.nfg", 'EFG 2 R "t"', "line 1: 'EFG' stands where NFG"),
    "another version": ("g.nfg", 'NFG 2 R "t"', "'2' stands where the version 1"),
    "another kind of number": ("g.nfg", 'NFG 1 Q "t"', "must be R"),
    "no title": ("g.nfg", "NFG 1 R { ", "title in quotes"),
    "an open quotation": ("g.nfg", 'NFG 1 R "t', "never closed"),
    "one player": ("g.nfg", 'NFG 1 R "t" { "a" } { 2 } 1 2', "has 1 player"),
    "no players": ("g.nfg", 'NFG 1 R "t" { } { } 1', "has 0 player"),
    "an open brace": ("g.nfg", 'NFG 1 R "t" { "a" "b"', "ends inside the players"),
    "too few strategies": ("g.nfg", NFG + "{ 2 } 1 2 3 4", "strategies to 1 of 2"),
    "no strategy": ("g.nfg", NFG + "{ 2 { } } 1", "has no strategy"),
    "zero strategies": ("g.nfg", NFG + "{ 2 0 } 1", "has no strategy"),
    "strategies that are no number": ("g.nfg", NFG + "{ 2 x }", "no number of strategies"),
    "too few payoffs": ("g.nfg", NFG + "{ 2 2 }\n1 2 3 4 5 6 7", "after 7 payoffs; 4 outcomes for 2 players need 8"),
    "too many payoffs": ("g.nfg", NFG + "{ 2 1 }\n\n1 2 3 4\n5", "line 4: '5' stands after the last"),
    "a payoff that is none": ("g.nfg", NFG + "{ 2 1 }\n1 2\n3 nan", "line 3: 'nan' is no payoff"),
    "a division by zero": ("g.nfg", NFG + "{ 2 1 }\n1 2\n3 1/0", "line 3: '1/0' is no payoff"),
    "a brace among payoffs": ("g.nfg", NFG + "{ 2 1 } 1 2 } 3", "'}' stands where a payoff"),
    "a huge game": ("g.nfg", NFG + "{ 100000 100000 } 1", "20,000,000,000 payoffs, more than"),
    "absurdly many strategies": ("g.nfg", NFG + "{ 99999999 2 } 1", "no number of strategies"),
    "an outcome that is not there": ("g.nfg", NFG + '{ 1 2 } { { "" 1 2 } }\n1 2', "line 2: there is no outcome '2'"),
    "outcomes that end early": ("g.nfg", NFG + '{ 1 2 } { { "" 1 2 } } 1', "after 1 outcome numbers"),
    "an outcome for one": ("g.nfg", NFG + '{ 1 1 } { { "" 1 } } 1', "has 1 payoffs for 2"),
    "bytes that are no text": ("g.nfg", b"\xff\xfe\x00", "cannot be read as text"),
    "an empty table": ("g.csv", "\n\n", "has 0 tables"),
    "three tables": ("g.csv", "1\n\n2\n\n3", "has 3 tables"),
    "ragged rows": ("g.csv", "1,2\n3\n", "line 2 has 1 cells of payoffs and the first row 2"),
    "ragged named rows": ("g.csv", ",a,b\nc,1 1,2 2\nd,3 3\n", "line 3 has 1 cells"),
    "an empty cell": ("g.csv", "1,2\n3,\n", "line 2, column 2: the cell is empty"),
    "NaN in a table": ("g.csv", "1,2\nnan,3\n", "line 2, column 1: 'nan' is no payoff"),
    "a word in a table": ("g.csv", "1,2\n3,x\n", "line 2, column 2: 'x' is no payoff"),
    "three payoffs a cell": ("g.csv", "1 2 3,4 5 6\n", "holds 3 payoffs"),
    "mixed cells": ("g.csv", "1 2,3\n", "some cells hold one payoff and some two"),
    "one table that is not square": ("g.csv", "1,2,3\n4,5,6\n", "must be square"),
    "tables of two sizes": ("g.csv", "1,2\n3,4\n\n1,2\n", "one size"),
    "names alone": ("g.csv", "a,b\n", "without payoffs"),
    "too few names": ("g.csv", "a\n1 2,3 4\n", "names 1 columns and has 2"),
    "an open quotation in a table": ("g.csv", '"1,2\n3,4\n', "line"),
    "a minus of another kind": ("g.csv", "\u22123,0,1\n5,1,2\n", "line 1, column 1: '\u22123' is no payoff"),
    "a currency": ("g.csv", "$3,0,1\n5,1,2\n", "line 1, column 1: '$3' is no payoff"),
    "an empty first cell": ("g.csv", ",0,1\n5,1,2\n", "line 1, column 1: the cell is empty"),
    "an empty first cell and a pair": ("g.csv", ',"1,2"\n"1,2","3,4"\n', "line 1, column 1: the cell is empty"),
    "an empty cell below a name": ("g.csv", ',A,B\nA,"3,3",\n', "line 2, column 3 (B): the cell is empty"),
    "a list of outcomes": ("g.csv", "P1,P2,a,b\nA,A,3,3\nA,B,0,5\nB,A,5,0\nB,B,1,1\n", "seems to list outcomes"),
    "a list of numbered outcomes": ("g.csv", "P1,P2,a,b\n0,0,3,3\n0,1,0,5\n1,0,5,0\n1,1,1,1\n", "seems to list"),
    "rows named and columns not": ("g.csv", "C,3,0\nD,5,1\n", "line 1, column 1: 'C' is no payoff"),
    "a slip below names": ("g.csv", 'C,D\n"\u22123,1","0,2"\n"5,1","1,1"\n', "line 2: '\u22123,1' stands among names"),
    "a slip below numbers": ("g.csv", 'C,D\n"5,1","1,1"\n"x3,1","0,2"\n', "line 2: '5,1' stands among names"),
    "a slip that looks like names of columns": ("g.csv", "3,$0\n5,1\n2,4\n", "line 1: '3' stands among names"),
    "an empty name of a row": ("g.csv", ",C,D\nC,3,0\n,5,1\n", "line 3: a name is empty"),
    "an empty name of a column": ("g.csv", ",C,\nC,3,0\nD,5,1\n", "line 1: a name is empty"),
    "a word of spreadsheets": ("g.csv", "sep=,\n3,0\n5,1\n", "begins with sep="),
    "a quote that opens in the first cell": (
        "g.csv",
        '"x,C,D\nC,3,0\nD,5,1\n',
        "line 1 has a quote that is not closed",
    ),
    "one that opens after a blank": ("g.csv", ' "C,D\n3,0\n5,1\n', "line 1 has a quote that is not closed"),
    "one that closes alone": ("g.csv", 'C",D\n3,0\n5,1\n', 'line 1: the cell C" has a quote without its other half'),
    "one of a row": ("g.csv", ',C,D\nC",3,0\nD,5,1\n', 'line 2: the cell C" has a quote without its other half'),
    "what follows a quote": ("g.csv", ',"C"x,D\nC,3,0\nD,5,1\n', "line 1: something follows a closing quote"),
    "pairs without quotes": ("g.csv", ",C,D\nC,3,3,0,5\nD,5,0,1,1\n", "needs its name, or two payoffs of one cell"),
    "a payoff too many": ("g.csv", ",C,D\nC,3,0,1\nD,5,1,1\n", "names 2 columns and has 3; each needs its name."),
    "semicolons between columns": ("g.csv", ';C;D\nC;"3,3";"0,5"\nD;"5,0";"1,1"\n', "semicolons in its first line"),
    "tabs without names": ("g.csv", "3,3\t0,5\n5,0\t1,1\n", "seems to have tabs between its columns"),
    "bars in names and cells": ("g.csv", "x|C|D\nC|3,3|0,5\nD|5,0|1,1\n", "no comma but bars in its first line"),
    "blanks between pairs": ("g.csv", "x C D\nC 3,3 0,5\nD 5,0 1,1\n", "seems to have spaces between its columns"),
    "a tiny number": ("g.csv", "1e-400,0\n5,1\n", "'1e-400' is no payoff"),
    "a tiny number in JSON": ("g.json", '{"payoff": [[[1e-400]], [[1]]]}', "'1e-400' is no payoff"),
    "70 players": (
        "g.nfg",
        'NFG 1 R "t" { ' + '"p" ' * 70 + "} { " + "1 " * 70 + "} " + "0 " * 70,
        "has 70 players; a game here has at most 32",
    ),
    "63 players": ("g.nfg", 'NFG 1 R "t" { ' + '"p" ' * 63 + "} { " + "1 " * 63 + "} " + "0 " * 63, "has 63 players"),
    "70 players in JSON": (
        "g.json",
        '{"payoff": [' + ", ".join(["[" * 70 + "0" + "]" * 70] * 70) + "]}",
        "has 70 play",
    ),
    "letters of another code": ("g.csv", "é,D\n1,2\n".encode("latin-1"), "save it as UTF-8"),
    "letters of two bytes, unmarked": ("g.csv", "1,2\n3,4\n".encode("utf-16-le"), "save it as UTF-8"),
    "letters of two bytes": ("g.csv", "1,2\n3,4\n".encode("utf-16"), "save it as UTF-8"),
    "no JSON": ("g.json", '{"payoff": [\n[1,', "line 2: this is not JSON"),
    "a list": ("g.json", "[1]", 'must be an object with "payoff"'),
    "no payoffs": ("g.json", "{}", 'must be an object with "payoff"'),
    "ragged JSON": ("g.json", '{"payoff": [[[1, 2], [3]], [[1, 2], [3, 4]]]}', "make no table"),
    "NaN in JSON": ("g.json", '{"payoff": [[NaN]]}', "NaN is no payoff"),
    "null in JSON": ("g.json", '{"payoff": [[null]]}', "None is no payoff"),
    "truth in JSON": ("g.json", '{"payoff": [[true]]}', "True is no payoff"),
    "a huge number": ("g.json", '{"payoff": [[1e999]]}', "is no payoff"),
    "a very long number": ("g.json", '{"payoff": [[' + "1" * 5000 + "]]}", "number is too long"),
    "deep JSON": ("g.json", "[" * 100000, "nested too deeply"),
    "one player in JSON": ("g.json", '{"payoff": [[1, 2]]}', "two or more"),
    "an unknown word": ("g.json", '{"payoff": [], "eval": 1}', "has 'eval'"),
    "names that are none": ("g.json", '{"payoff": [[[1]], [[1]]], "players": [1, 2]}', "list of names"),
    "too few names in JSON": ("g.json", '{"payoff": [[[1]], [[1]]], "players": ["a"]}', "names 1 players"),
    "a player without a name in JSON": ("g.json", PAIR + '"players": ["", "B"]}', "an empty name among the players"),
    "an action of no width": ("g.json", PAIR + '"actions": [["c", "d"], ["\\u200b", "d"]]}', "among the actions of P2"),
    "half a letter": ("g.json", PAIR + '"players": ["\\ud800", "B"]}', "half a letter"),
    "half a letter of an action": ("g.json", PAIR + '"actions": [["c\\udfff", "d"], ["c", "d"]]}', "half a letter"),
    "half a letter in a title": ("g.json", PAIR + '"title": "\\ud800"}', "a title that is no text"),
    "a number for a title": ("g.json", PAIR + '"title": 5}', "a title that is no text"),
    "nothing for a title": ("g.json", PAIR + '"title": null}', "a title that is no text"),
    "a player of no width in Gambit's": ("g.nfg", 'NFG 1 R "t" { "\u200b" "b" } { 1 1 } 1 2', "among the players"),
    "a name of no width": ("g.csv", ",\u200b,D\nC,3,0\nD,5,1\n", "line 1: a name is empty"),
    "a row of no width": ("g.csv", ",C,D\n\u200b,3,0\nD,5,1\n", "line 2: a name is empty"),
    "a character of code 0": ("g.csv", ",C,D\nC,3,0\nlo\0w,5,1\n", "line 3 has a character of code 0"),
    "another ending": ("g.txt", "1", "must end in .nfg, .csv, .json"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_one_sentence_and_exit_2(file, monkeypatch, capsys, case):
    name, text, part = BAD[case]
    monkeypatch.setattr(sys, "argv", ["nomoi", "solve", file(name, text)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    assert end.value.code == 2
    assert part in said.err
    assert said.err.startswith("nomoi: ")
    assert said.err.strip().count("\n") == 0
    assert said.out == ""


def test_a_game_of_more_players_than_arrays_have_axes():
    with pytest.raises(Refusal, match="has 33 players; a game here has at most 32"):
        NormalForm(np.zeros((33, *[1] * 33)))
    assert NormalForm(np.zeros((32, *[1] * 32))).n == 32


def test_a_file_that_is_not_there_and_one_that_is_too_large(file, monkeypatch):
    with pytest.raises(Refusal, match="there is no file"):
        formats.read("nowhere.nfg")
    monkeypatch.setattr(formats, "BYTES", 10)
    with pytest.raises(Refusal, match="more than the"):
        formats.read(file("g.csv", "1,2\n3,4\n" * 3))


@given(st.text(alphabet='NFGR1 2"{}/\n,.-e', max_size=60))
def test_no_text_breaks_the_parser(tmp_path_factory, text):
    for name in ("g.nfg", "g.csv", "g.json"):
        path = tmp_path_factory.mktemp("g") / name
        path.write_text('NFG 1 R "t" { "a" "b" } ' + text if name == "g.nfg" else text)
        try:
            game = formats.read(path)
        except Refusal:
            continue
        assert np.isfinite(game.payoff).all()
