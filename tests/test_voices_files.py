"""What people bring and ask for that cannot be right, or would change nothing: one sentence, and nothing half done."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from nomoi import catalogue
from nomoi.errors import Refusal
from nomoi.voices import answers, decisions, plural, process, sheets

HEAD = "participant,group-id,0,1,2\n"
CROWD = HEAD + "".join(f"{i},{i % 2},{(-1) ** i},1,{i % 3 > 0:d}\n" for i in range(20))
PEOPLE = "question,group,option,share\nq,old,a,.6\nq,old,b,.4\nq,young,b,.5\nq,young,c,.5\n"
MODEL = "question,option,share\nq,a,1\n"
CASES = "case,date,decision\n" + "".join(f"c{i},{i},{i % 2}\n" for i in range(40))
CAST = "case,voter,vote\n" + "".join(f"c{i},v{j},{(-1) ** (i + j)}\n" for i in range(40) for j in range(3))


def put(path, text):
    path.write_text(text)
    return path


@pytest.fixture
def refused(tmp_path, nomoi):
    """refused(words, files): the sentence of a command that ends with 2, says nothing else and writes nothing."""

    def call(*words, **texts):
        for name, text in texts.items():
            put(tmp_path / f"{name}.csv", text)
        before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
        status, out, err = nomoi(*words)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
        return err

    return call


# --- options that would change nothing --------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "sentence"), [
    (("--groups", "g.csv", "--k", "2"), "--k says how many groups to make"),
    (("--process", "card.csv"), "--process stands at the head of the constitution"),
    (("--situation", "harvest"), "give --map and --charter too"),
    (("--seed", "3", "--draws", "0"), "nothing is left to chance"),
    (("--against", "dev.csv"), "'11', on which nobody voted"),
])  # fmt: skip
def test_options_of_voices_that_would_change_nothing(words, sentence, refused):
    alone = CROWD.replace(",group-id", ",n-votes")
    assert sentence in refused("voices", "w.csv", *words, w=alone, g=CROWD, card="question,answer\nbinding,no\n",
                                dev="rule,statement\nBe kind,11\n")  # fmt: skip


def test_options_of_voices_that_change_something(nomoi, tmp_path):
    put(tmp_path / "w.csv", CROWD)
    put(tmp_path / "card.csv", "question,answer\nbinding,no\n")
    assert nomoi("voices", "w.csv", "--seed", "3", "--draws", "0")[0] == 0  # published groups are tested by chance
    status, out, _ = nomoi("voices", "w.csv", "--draws", "0", "--process", "card.csv", "--json")
    assert status == 0
    assert "binding: no" in " ".join(json.loads(out)["constitution"]["provenance"])


@pytest.mark.parametrize(("people", "model", "order", "sentence"), [
    (PEOPLE, "question,option\nq,a\n", "question,option\nq,a\nq,b\nq,c\n", "has no shares of any question"),
    (PEOPLE, MODEL, "question,option\nr,a\n", "'r', which people were not asked"),
    (PEOPLE, MODEL, "question,option\nq,a\nq,b\nq,c\nq,a\n", "line 5: the option 'a' of 'q' has a place before"),
    (PEOPLE, MODEL, "question,option\nq,a\nq,b\n", "differ by the option 'c'"),
    (PEOPLE, "question,option,share,count\nq,a,1,9\n", None, "both a column share and a column count"),
    (PEOPLE.replace("share", "share,count").replace("\nq", "\nq").replace(".6", ".6,6").replace(".4", ".4,4")
     .replace(".5", ".5,5"), MODEL, None, "both a column share and a column count"),
    (PEOPLE, "question,option,group\nq,a,old\n", None, "not how often it gave each option"),
])  # fmt: skip
def test_columns_and_orders_that_would_change_nothing(people, model, order, sentence, refused):
    words = ("plural", "a.csv", "m.csv", *(("--order", "o.csv") if order else ()))
    assert sentence in refused(*words, a=people, m=model, **({"o": order} if order else {}))


def test_a_list_with_a_models_answers_takes_no_second_file(refused, tmp_path):
    both = {"question": "q", "options": ["a", "b"], "gold_distribution": [1, 0], "pred_distribution": [0, 1]}
    put(tmp_path / "both.json", json.dumps([both]))
    assert "leave the second file out" in refused("plural", "both.json", "m.csv", m=MODEL)
    assert "is no table" in refused("plural", "a.csv", "both.json", a=PEOPLE)


def test_steps_are_of_the_questions_that_have_an_order():
    people = answers.Answers({q: {"": {"a": 0.5, "b": 0.5}} for q in "xy"})
    model = answers.Presented(dict.fromkeys("xy", ("a",)), {q: {"": {"a": 1.0}} for q in "xy"})
    found = plural.measure(people, model, {"x": ("a", "b")})
    assert found.distributional[0].steps == 0.5
    assert found.remarks == ("1 of 2 questions have no order; steps are of the others.",)


def test_a_seed_of_decisions_without_context_changes_nothing(refused, nomoi):
    words = ("decisions", "--votes", "v.csv", "--cases", "c.csv")
    assert "no context to shuffle" in refused(*words, "--seed", "2", v=CAST, c=CASES)
    assert nomoi(*words)[0] == 0


def test_words_of_a_context_that_are_not_told_apart_are_said(tmp_path):
    text = CASES.replace("decision", "decision,place").replace("\nc", "\nc")
    rows = [line + ("" if k == 0 else f",p{k % 13}") for k, line in enumerate(text.splitlines())]
    found = decisions.read(put(tmp_path / "v.csv", CAST), put(tmp_path / "c.csv", "\n".join(rows)))
    assert found.remarks == ("the context 'place' has 13 words, of which the 12 most frequent are told apart.",)
    assert decisions._dummies(found.context, 40).shape == (40, 12)


# --- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [
    "2021-02-31", "2023-02-29", "2021-13-01", "2021-00-10", "2021-1-2", "2021-01-02T25:61", "2021-01-02 24:00:01",
    "2021-01-02T12:60", "2021-01-02x", "20210102", "2021-W01-1", "", "0000-01-01", "2021-01-02T10:00+99:00",
    "\uff12021-01-02",
])  # fmt: skip
def test_dates_that_no_calendar_has(word):
    with pytest.raises(Refusal, match=r"the date is .* a date of the calendar such as 2024-12-31"):
        sheets.moment(word, "x.csv, line 2")


def test_dates_of_the_calendar_are_in_order():
    words = ["2020-02-29", "2020-03-01 10:00", "2020-03-01T11:00+01:00", "2020-03-01T10:00:00.5Z", "2020-03-01T23:59"]
    found = [sheets.moment(w, "x") for w in words]
    assert found == sorted(found)
    assert found[1] == found[2]  # eleven in Paris is ten in Greenwich


def test_cases_have_dates_of_the_calendar(refused, tmp_path):
    dated = lambda k: f"2021-{1 + k // 28:02}-{1 + k % 28:02}"  # noqa: E731
    good = "case,date,decision\n" + "".join(f"c{i},{dated(i)},{i % 2}\n" for i in range(40))
    assert len(decisions.read(put(tmp_path / "v.csv", CAST), put(tmp_path / "c.csv", good)).decided) == 40
    for bad, sentence in (
        (good.replace("2021-02-12", "2021-02-31"), "line 41: the date is '2021-02-31'"),
        (good.replace("2021-01-05", "2021-01-05T25:61"), "line 6: the date is '2021-01-05T25:61'"),
        (good.replace("2021-01-05", "2021-01-03T23:59"), "line 6: the date 2021-01-03T23:59 is before"),
    ):
        assert sentence in refused("decisions", "--votes", "v.csv", "--cases", "c.csv", v=CAST, c=bad)


def test_sessions_and_cards_have_dates_of_the_calendar(tmp_path):
    head = "group,rule,text,support,date\nA,r1,be kind,.9,"
    found = process.elicited(put(tmp_path / "s.csv", head + "2024-02-29\n"))
    assert found.union["r1"][0].date == "2024-02-29"
    assert process.elicited(put(tmp_path / "s.csv", head + "\n")).union["r1"][0].date == ""
    with pytest.raises(Refusal, match="line 2: the date is '2023-02-29'"):
        process.elicited(put(tmp_path / "s.csv", head + "2023-02-29\n"))
    card = "question,answer\nparticipants,40 people on {}; 20:20 by gender\n"
    assert process.process(put(tmp_path / "p.csv", card.format("2024-02-29"))).answers
    for day in ("2023-02-29", "2024-02-28 25:61"):
        with pytest.raises(Refusal, match=f"line 2: a date in the answer is '{day}'"):
            process.process(put(tmp_path / "p.csv", card.format(day)))


# --- tables -----------------------------------------------------------------------------------------------------------


def wide(groups, people=200, statements=24):
    """A file of as many camps; all agree with the first 14 statements."""
    rng = np.random.default_rng(0)
    camp = np.arange(people) % groups
    cast = np.where(np.arange(statements) % groups == camp[:, None], 1, -1)
    cast[:, :14] = 1
    seen = rng.random(cast.shape) < 0.9
    head = "participant,group-id," + ",".join(f"s{k}" for k in range(statements)) + "\n"
    rows = (f"{i},{camp[i]}," + ",".join(str(x) if s else "" for x, s in zip(cast[i], seen[i], strict=True))
            for i in range(people))  # fmt: skip
    return head + "\n".join(rows) + "\n", cast, seen, camp


@pytest.mark.parametrize("groups", [2, 5, 8])
def test_nothing_of_a_table_is_lost_in_eighty_columns(groups, tmp_path, nomoi):
    text, cast, seen, camp = wide(groups)
    put(tmp_path / "w.csv", text)
    status, out, _ = nomoi("voices", "w.csv", "--draws", "0", "--above", "0.2", "--groups", "published")
    assert status == 0
    assert max(map(len, out.splitlines())) <= 80
    assert ("by group" in out) == (groups > 3)
    table = out[out.index("Agreed with across") : out.index("and 14 more")]
    for j in [j for j in range(24) if re.search(rf"\bs{j}\b", table)]:
        for g in range(groups):
            asked = seen[camp == g, j].sum()
            agree = (cast[camp == g, j][seen[camp == g, j]] == 1).sum()
            assert f"{agree}/{asked}" in table
    assert "and 14 more (4 of them pass): --report PAGE and --json have all." in out


def test_what_is_all_shown_says_nothing_of_more(tmp_path, nomoi):
    put(tmp_path / "w.csv", CROWD)
    assert "more" not in nomoi("voices", "w.csv", "--draws", "0")[1].split("Agreed with across")[1]


@pytest.mark.parametrize("name", ["x" * 120, "a voter of some " + "y" * 90])
def test_long_names_are_wrapped_and_not_cut(name, tmp_path, nomoi):
    put(tmp_path / "v.csv", CAST.replace("v0", name))
    put(tmp_path / "c.csv", CASES)
    status, out, _ = nomoi("decisions", "--votes", "v.csv", "--cases", "c.csv")
    assert status == 0
    assert "…" not in out
    put(tmp_path / "a.csv", PEOPLE.replace("old", name))
    put(tmp_path / "m.csv", MODEL)
    status, out, _ = nomoi("plural", "a.csv", "m.csv")
    assert status == 0
    assert "…" not in out


# --- what a mapping may name ------------------------------------------------------------------------------------------

MEADOW = Path(__file__).parent.parent / "nomoi" / "examples" / "meadow.py"


@pytest.fixture
def few(monkeypatch):
    """Three situations are all that come with nomoi, since to load every one takes seconds."""
    known = {name: catalogue.find(name, "situation") for name in ("harvest", "pool", "driving")}
    monkeypatch.setattr(catalogue, "situations", lambda: known)


@pytest.mark.parametrize(("row", "where", "sentence"), [
    ("0,sparce,,forbidden,Ada", "", "'sparce' is no event of a situation of nomoi's (--situation FILE.py:Name takes "
     "one of your own); did you mean 'sparse'?"),
    ("0,harvest,rde,forbidden,Ada", "", "'rde' is no kind of thing that harvest is about"),
    ("0,kind,,forbidden,Ada", "", "'kind' is a label and no act"),
    ("0,quota.exces,,forbidden,Ada", "", "did you mean 'quota.excess'?"),
    ("0,charter.violation,,forbidden,Ada", "", "'charter.violation' is no event"),
    ("0,yielded,red,forbidden,Ada", "", "there is no mark to choose from"),
    ("0,sparse,,forbidden,Ada", "driving", "'sparse' is no event of driving; the events are: lead, yielded."),
    ("0,harvest,fish,forbidden,Ada", "harvest", "the marks are: blue, green, red."),
    ("0,sparse,,forbidden,Ada", "harvets", "did you mean 'harvest'?"),
])  # fmt: skip
def test_events_and_marks_that_there_are_not(row, where, sentence, refused, few):
    words = ("voices", "w.csv", "--draws", "0", "--map", "m.csv", "--charter", "law.json")
    said = refused(*words, *(("--situation", where) if where else ()), w=CROWD,
                   m=f"statement,event,mark,verdict,mapped by\n{row}\n")  # fmt: skip
    assert sentence in said
    if not where:
        assert "m.csv, line 2" in said


@pytest.mark.parametrize(("row", "where"), [
    ("1,sparse,,forbidden,Ada", ""), ("1,harvest,red,forbidden,Ada", ""), ("1,harvest,fish,forbidden,Ada", ""),
    ("1,quota.excess,,forbidden,Ada", ""), ("1,yielded,,forbidden,Ada", "driving"),
    ("1,harvest,grass,forbidden,Ada", f"{MEADOW}:Meadow"),
])  # fmt: skip
def test_events_and_marks_that_there_are(row, where, tmp_path, nomoi, few):
    put(tmp_path / "w.csv", CROWD)
    put(tmp_path / "m.csv", f"statement,event,mark,verdict,mapped by\n{row}\n")
    words = ("voices", "w.csv", "--draws", "0", "--map", "m.csv", "--charter", "law.json")
    status, _, err = nomoi(*words, *(("--situation", where) if where else ()))
    assert (status, err) == (0, "")
    rule = json.loads((tmp_path / "law.json").read_text())["rules"][-1]
    assert rule["condition"]["act"] == row.split(",")[1]
