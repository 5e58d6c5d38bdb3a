"""Every file that the commands about voices read, damaged in the ways of files: one sentence, and nothing written."""

from __future__ import annotations

import json

import pytest

from nomoi.errors import Refusal
from nomoi.voices import answers, constitution, decisions, process, ratings, read

VOICES = ("voices", "w.csv", "--draws", "0", "--out", "z.txt")
DECIDE = ("decisions", "--votes", "v.csv", "--cases", "k.csv")
GOOD = {
    "w.csv": "participant,group-id,0,1,2\n" + "".join(f"{i},{i % 2},{(-1) ** i},1,{i % 3 > 0:d}\n" for i in range(20)),
    "l.csv": "timestamp,comment-id,voter-id,vote\n" + "".join(f"{i},{i % 3},{i // 3},{i % 2}\n" for i in range(60)),
    "c.csv": "comment-id,agrees,moderated,comment-body\n0,10,1,a\n1,20,1,b\n2,13,0,c\n",
    "g.csv": "participant,group-id\n" + "".join(f"{i},{i % 2}\n" for i in range(20)),
    "m.csv": "statement,event,verdict,mapped by\n1,sparse,forbidden,Ada\n",
    "dev.csv": "rule,statement\nBe kind,1\nBe frank,\n",
    "card.csv": "question,answer\nbinding,no\nparticipants,20\n",
    "a.csv": "question,group,option,share\nq,old,a,.6\nq,old,b,.4\nq,young,a,.5\nq,young,b,.5\n",
    "p.csv": "question,option,share\nq,a,1\nq,b,0\n",
    "o.csv": "question,option\nq,a\nq,b\n",
    "q.csv": "question,selections,options\nq,\"{'A': [0.4, 0.6]}\",\"['a', 'b']\"\n",
    "d.csv": "rater_id,item_id,Q_overall,safety_gold\n"
    + "".join(f"{r},{i},{('Yes', 'No')[i % 2]},{('Yes', 'No')[i % 3 > 0]}\n" for i in range(20) for r in range(3)),
    "v.csv": "case,voter,vote\n" + "".join(f"c{i},v{j},{(-1) ** (i + j)}\n" for i in range(40) for j in range(3)),
    "k.csv": "case,date,kind,decision\n" + "".join(f"c{i},{i},{i % 3},{i % 2}\n" for i in range(40)),
    "m.json": json.dumps([{"question": "q", "options": ["a", "b"], "gold_distribution": [0.5, 0.5],
                           "pred_distribution": [1, 0]}]),
    "s.json": json.dumps({"q": {"F": {"a": 3, "b": 2}, "M": {"a": 1, "b": 2}}}),
}  # fmt: skip
COMMANDS = {
    "w.csv": VOICES, "l.csv": ("voices", "l.csv", "--draws", "0", "--out", "z.txt"),
    "c.csv": (*VOICES, "--comments", "c.csv"), "g.csv": (*VOICES, "--groups", "g.csv"),
    "m.csv": (*VOICES, "--map", "m.csv", "--charter", "z.json"), "dev.csv": (*VOICES, "--against", "dev.csv"),
    "card.csv": (*VOICES, "--process", "card.csv"), "a.csv": ("plural", "a.csv", "p.csv"),
    "p.csv": ("plural", "a.csv", "p.csv"), "o.csv": ("plural", "a.csv", "p.csv", "--order", "o.csv"),
    "q.csv": ("plural", "q.csv", "p.csv"), "d.csv": ("decisions", "--votes", "d.csv"), "v.csv": DECIDE,
    "k.csv": DECIDE, "m.json": ("plural", "m.json"), "s.json": ("plural", "s.json", "p.csv"),
}  # fmt: skip


def doubled(text):
    """The first column twice, under a name that is spelt otherwise."""
    head, *rows = text.splitlines()
    return "\n".join([f"{head},{head.split(',')[0].upper()}", *(f"{row},1" for row in rows)])


DAMAGE = {
    "of two bytes a letter": lambda text: text.encode("utf-16"),
    "the same without a mark": lambda text: text.encode("utf-16-le"),
    "with a zero": lambda text: f"{text[:15]}\0{text[15:]}".encode(),
    "of another alphabet": lambda text: text.encode()[:-4] + b"\xe9\xff" + text.encode()[-4:],
    "apart by semicolons": lambda text: text.replace(",", ";").encode(),
    "apart by tabs": lambda text: text.replace(",", "\t").encode(),
    "empty": lambda text: b"",
    "of empty lines": lambda text: b"\n\n \n",
    "a header alone": lambda text: (text.split("\n")[0] + "\n").encode(),
    "a column twice": lambda text: doubled(text).encode(),
    "a row too long": lambda text: (text + "1,2,3,4,5,6,7\n").encode(),
    "a quote left open": lambda text: text.replace("\n", '\n"', 1).encode(),
    "a cell of a million letters": lambda text: text.replace("\n", "\n" + "9" * 1_000_000, 1).encode(),
}


READERS = {  # what the commands read each file with, beside the good others
    "w.csv": read.read, "l.csv": read.read, "c.csv": lambda path: read.read(path.with_name("w.csv"), path),
    "g.csv": lambda path: read.joined(read.read(path.with_name("w.csv")), path), "m.csv": constitution.mapping,
    "dev.csv": constitution.listed, "card.csv": process.process, "a.csv": answers.both, "p.csv": answers.presented,
    "o.csv": answers.order, "q.csv": answers.both, "d.csv": ratings.cases,
    "v.csv": lambda path: decisions.read(path, path.with_name("k.csv")),
    "k.csv": lambda path: decisions.read(path.with_name("v.csv"), path), "m.json": answers.both, "s.json": answers.both,
}  # fmt: skip
TABLES = ("apart by tabs", "a header alone", "a column twice", "a quote left open", "a cell of a million letters")


@pytest.fixture
def there(tmp_path):
    for file, text in GOOD.items():
        (tmp_path / file).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_refused_in_a_sentence(name, there):
    READERS[name](there / name)
    for way in [w for w in DAMAGE if name.endswith(".csv") or w not in TABLES]:
        (there / name).write_bytes(DAMAGE[way](GOOD[name]))
        with pytest.raises(Refusal) as refused:
            READERS[name](there / name)
        assert name in str(refused.value), way
        assert len(str(refused.value)) < 600, way


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_end_with_two_and_write_nothing(name, there, nomoi):
    before = sorted(p.name for p in there.iterdir())
    (there / name).write_bytes(DAMAGE["of another alphabet"](GOOD[name]))
    status, out, err = nomoi(*COMMANDS[name])
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert name in err
    assert sorted(p.name for p in there.iterdir()) == before


@pytest.mark.parametrize("name", ["w.csv", "k.csv", "m.json"])
def test_marks_of_editors_are_read_over(name, there, nomoi):
    plain = nomoi(*COMMANDS[name])
    (there / name).write_bytes(b"\xef\xbb\xbf" + GOOD[name].replace("\n", "\r\n").encode())
    assert nomoi(*COMMANDS[name]) == plain
    assert plain[0] == 0


def test_names_with_lines_in_them_are_refused_on_one_line(tmp_path, nomoi):
    (tmp_path / "a.csv").write_text('question,group,option,share\nq,"o\nl\r\nd",a,.6\n')
    (tmp_path / "p.csv").write_text(GOOD["p.csv"])
    status, _, err = nomoi("plural", "a.csv", "p.csv")
    assert (status, err.count("\n")) == (2, 1)
    assert "'q' (o l d) sums to 0.6" in err


@pytest.mark.parametrize(("old", "new", "sentence"), [
    ("1,20,1,b", "1,20,2,b", "line 3: moderated is '2'; -1, -1.0, 0, 1, 0.0, 1.0 or nothing is right"),
    ("1,20,1,b", "1,20,rejected,b", "line 3: moderated is 'rejected'"),
    ("1,20,1,b", "1,-20,1,b", "line 3: agrees is -20; a count of at least 0"),
    ("1,20,1,b", "1,many,1,b", "line 3: agrees is 'many'"),
])  # fmt: skip
def test_statements_that_are_none(old, new, sentence, tmp_path):
    (tmp_path / "w.csv").write_text(GOOD["w.csv"])
    (tmp_path / "c.csv").write_text(GOOD["c.csv"].replace(old, new))
    with pytest.raises(Refusal, match=sentence):
        read.read(tmp_path / "w.csv", tmp_path / "c.csv")


def test_meta_statements_are_told_by_words_that_are_known(tmp_path):
    (tmp_path / "w.csv").write_text(GOOD["w.csv"])
    text = "comment-id,is_meta\n0,{}\n1,\n2,False\n"
    for word, out in (("TRUE", True), ("t", True), ("1", True), ("0", False), ("f", False)):
        (tmp_path / "c.csv").write_text(text.format(word))
        assert read.read(tmp_path / "w.csv", tmp_path / "c.csv").out.tolist() == [out, False, False]
    (tmp_path / "c.csv").write_text(text.format("yes"))
    with pytest.raises(Refusal, match="line 2: is-meta is 'yes'"):
        read.read(tmp_path / "w.csv", tmp_path / "c.csv")
