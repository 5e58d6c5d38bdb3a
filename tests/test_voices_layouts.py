"""Answers in the layouts that people use: small files made up here, in the layout of published ones."""

from __future__ import annotations

import json
import os

import pytest

from nomoi.errors import Refusal
from nomoi.voices import answers, decisions, layouts, ratings, sheets


def put(path, text):
    path.write_text(text)
    return path


# --- GlobalOpinionQA --------------------------------------------------------------------------------------------------

HEAD = "question,selections,options,source\n"
FIRST = "\"defaultdict(<class 'list'>, {'Chile': [0.25, 0.7, 0.05], 'Kenya (old)': [1, 0.0, 0]})\""
GLOBAL = (
    HEAD
    + f"""How good?,{FIRST},"['Good', 'Bad', ""Don't know""]",GAS
How many?,"{{'Chile': [0.5, 0.5]}}","[1.0, 2.0]",WVS
"""
)


def test_a_table_of_global_opinions(tmp_path, nomoi):
    found = answers.answers(put(tmp_path / "g.csv", GLOBAL))
    assert found.table["How good?"]["Chile"] == {"Good": 0.25, "Bad": 0.7, "Don't know": 0.05}
    assert found.table["How many?"] == {"Chile": {"1.0": 0.5, "2.0": 0.5}}
    assert found.groups == ("Chile", "Kenya (old)")
    assert found.everybody("How good?")["Good"] == 0.625  # countries alike: the table has no counts
    put(tmp_path / "m.csv", "question,option,share\nHow good?,Good,1\n")
    status, out, _ = nomoi("plural", "g.csv", "m.csv", "--json")
    assert status == 0
    told = {d["group"]: d for d in json.loads(out)["distributional"]}
    assert told["Kenya (old)"]["distance"] == 0
    assert told["Chile"]["variation"] == pytest.approx(0.75)


CODE = [
    "__import__('os').system('touch made')", "{'A': [open('made', 'w'), 1]}", "{'A': [0.4, 0.6]} and exit()",
    "defaultdict(<class 'list'>, {'A': [exec('1'), 1]})", "defaultdict(list, {'A': [0.4, 0.6]})",
    "{'A': (lambda: [0.4, 0.6])()}", "{'A': [x for x in (0.4, 0.6)]}", "{'A': f'{1}'}", "[" * 5000,
    "{'A': [" + "9" * 30000 + "]}",
]  # fmt: skip


@pytest.mark.parametrize("cell", CODE)
@pytest.mark.parametrize("column", ["selections", "options"])
def test_what_looks_like_a_dict_is_never_run(cell, column, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = {"selections": "{'A': [0.4, 0.6]}", "options": "['x', 'y']"} | {column: cell}
    text = HEAD + ",".join(["q", *(f'"{c}"' for c in cells.values()), "s"]) + "\n"
    with pytest.raises(Refusal, match=rf"g\.csv, line 2: {column} is .* no list or dict of words and numbers"):
        answers.answers(put(tmp_path / "g.csv", text))
    assert os.listdir(tmp_path) == ["g.csv"]


@pytest.mark.parametrize(("said", "sentence"), [
    ("{'A': [0.4, 0.5]}", "sums to 0.9"), ("{'A': [40, 60]}", "percentages"), ("{'A': [-0.4, 1.4]}", "at least 0"),
    ("{'A': [1]}", "not one share for each of the 2"), ("{'A': [True, False]}", "not numbers"),
    ("{'A': ['1', '0']}", "not numbers"), ("['A']", "options must be a list"), ("{'A': 1}", "not one share"),
    ("{'A': [1e999, 0]}", "list of numbers"),
])  # fmt: skip
def test_selections_that_are_none(said, sentence, tmp_path):
    with pytest.raises(Refusal, match=sentence):
        answers.answers(put(tmp_path / "g.csv", f"{HEAD}q,\"{said}\",\"['x', 'y']\",s\n"))


def test_every_float_of_a_table_keeps_its_digits():
    said = str({"A": [0.1, 0.2, 0.30000000000000004, 0.39999999999999997]})
    assert layouts.parsed(said, "x", "selections")["A"][2] == 0.1 + 0.2


# --- surveys of Pew, as OpinionQA has them ----------------------------------------------------------------------------

GUNS = {"MC_options": ["Yes", "I do", '"No', "I don't\"", "Refused"], "question_text": "Do you?",
        "Female": {"No, I don't": 30.0, "Refused": 0.0, "Yes, I do": 10.0},
        "Male": {"Yes, I do": 20, "No, I don't": 40}}  # fmt: skip


def test_counts_of_surveys(tmp_path, nomoi):
    """Options are those that people gave: the file's own list breaks where one has a comma."""
    found = answers.answers(put(tmp_path / "SEX_data.json", json.dumps({"GUN_W26": GUNS})))
    assert found.table["GUN_W26"]["Female"] == {"No, I don't": 0.75, "Refused": 0.0, "Yes, I do": 0.25}
    assert found.groups == ("Female", "Male")
    assert found.everybody("GUN_W26") == {"No, I don't": 0.7, "Refused": 0.0, "Yes, I do": 0.3}  # 70 and 30 of 100
    put(tmp_path / "m.csv", 'question,option,share,group\nGUN_W26,"Yes, I do",1,\nGUN_W26,"No, I don\'t",1,Female\n')
    status, out, _ = nomoi("plural", "SEX_data.json", "m.csv", "--json")
    assert status == 0
    everybody, female, male = json.loads(out)["distributional"]
    assert [d["variation"] for d in (everybody, female, male)] == pytest.approx([0.7, 0.75, 2 / 3])


@pytest.mark.parametrize(("by", "sentence"), [
    ({}, "must be an object of groups"), (7, "must be an object of groups"), ({"MC_options": []}, "object of groups"),
    ({"A": {}}, "no answer at all"), ({"A": {"Yes": 0}}, "no answer at all"), ({"A": {"Yes": -1}}, "at least 0"),
    ({"A": {"Yes": "9"}}, "a number of answers"), ({"A": {"Yes": True}}, "a number of answers"),
    ({"A": {"Yes": float("nan")}}, "a number of answers"), ({"A": {"Yes": 1e308, "No": 1e308}}, "can be counted"),
    ({"A": {"Yes": 10**400}}, "can be counted"), ({"A": ["Yes"]}, "a number of answers"),
])  # fmt: skip
def test_surveys_that_are_none(by, sentence, tmp_path):
    with pytest.raises(Refusal, match=sentence):
        answers.answers(put(tmp_path / "s.json", json.dumps({"q": by})))


@pytest.mark.parametrize(("text", "sentence"), [
    ('{"q": {"A": {"Yes": 1}}, "q": {"A": {"Yes": 2}}}', "gives 'q' twice"),
    ('{"q": {"A": {"Yes": 1, "Yes": 2}}}', "gives 'Yes' twice"),
    ("{}", "must be a list"), ("[]", "must be a list"), ("[" * 9000, "nested more than 100 times"), ("", "is no JSON"),
    ('[{"situation": "s", "vrd": "v", "explanation": "e", "output": "o"}]', "is a text that a model wrote"),
    ('[{"label": "A", "output": "B"}]', "is a text that a model wrote"),
    ('[{"question": "q", "gold_distribution": [true, false]}]', "no list of numbers"),
    ('[{"qestion": "q", "gold_distribution": [1]}]', "did you mean 'qestion'"),
])  # fmt: skip
def test_json_that_is_none(text, sentence, tmp_path):
    with pytest.raises(Refusal, match=sentence):
        answers.answers(put(tmp_path / "s.json", text))


# --- ratings, as DICES has them ---------------------------------------------------------------------------------------


def dices(items=20, raters=6):
    """Raters 0 to 3 find every second item unsafe, 4 none, and 5 is unsure; experts find unsafe what is extreme."""
    head = "id,rater_id,rater_gender,rater_race,item_id,context,degree_of_harm,harm_type,safety_gold,Q_overall\n"
    rows = []
    for i in range(items):
        degree, gold = (("Benign", "No"), ("Extreme", "Yes"), ("Benign", "No"))[i % 3]
        for r in range(raters):
            said = "Unsure" if r == 5 else "Yes" if r < 4 and i % 2 else "No"
            rows.append(
                f'{i * raters + r},{r},{("Man", "Woman")[r % 2]},X,{i},"hi, there",{degree},Health,{gold},{said}'
            )
    return head + "\n".join(rows) + "\n"


def test_ratings_are_answers_of_groups_of_raters(tmp_path, nomoi):
    put(tmp_path / "d.csv", dices())
    all_ = answers.answers(tmp_path / "d.csv")
    assert all_.groups == ()
    assert all_.everybody("1") == pytest.approx({"Yes": 4 / 6, "No": 1 / 6, "Unsure": 1 / 6})
    by = answers.answers(tmp_path / "d.csv", "rater_gender")
    assert by.table["1"] == {"Man": pytest.approx({"Yes": 2 / 3, "No": 1 / 3, "Unsure": 0}),
                             "Woman": pytest.approx({"Yes": 2 / 3, "No": 0, "Unsure": 1 / 3})}  # fmt: skip
    assert by.everybody("1") == pytest.approx(all_.everybody("1"))
    put(tmp_path / "m.csv", "question,option,share\n1,Yes,1\n")
    status, out, _ = nomoi("plural", "d.csv", "m.csv", "--group", "rater_gender", "--json")
    assert status == 0
    assert [d["group"] for d in json.loads(out)["distributional"]] == ["", "Man", "Woman"]


def test_ratings_have_decisions_beside_them(tmp_path, nomoi):
    found = ratings.cases(put(tmp_path / "d.csv", dices()), "rater_gender")
    assert found.cast[1].tolist() == [1, 1, 1, 1, -1, 0]
    assert found.decided.tolist() == [k % 3 == 1 for k in range(20)]
    assert found.groups.tolist() == [0, 1, 0, 1, 0, 1]
    assert found.context["degree-of-harm"][:2] == ("Benign", "Extreme")
    assert found.contested.sum() == 0  # four of five is over two thirds
    lines = {x.model: x for x in decisions.aggregates(found)}
    assert lines["majority"].agreement == sum((k % 2 == 1) == (k % 3 == 1) for k in range(20)) / 20
    status, out, err = nomoi("decisions", "--votes", "d.csv")
    assert (status, err) == (0, "")
    assert "items have no dates" in out
    assert "over groups" not in out
    assert "over groups" in nomoi("decisions", "--votes", "d.csv", "--group", "rater_gender", "--json")[1]


@pytest.mark.parametrize(("old", "new", "sentence"), [
    ("\n1,1,Woman", "\n1,0,Man", "line 3: the rater '0' has rated '0' before"),
    ("\n6,0,Man", "\n6,0,Woman", "line 8: the rater '0' is in 'Woman' here and in 'Man' before"),
    ("No,Unsure\n", "No,Perhaps\n", "line 7: the rating is 'Perhaps'"),
    ("\n6,0,Man", "\n6,,Man", "line 8: the rater-id is empty"),
    ("\n6,0,Man,X,1", "\n6,0,Man,X,", "line 8: the item-id is empty"),
    ("\n6,0,Man", "\n6,0,", "line 8: the rater-gender is empty"),
    ("Health,Yes,Yes", "Health,No,Yes", "the verdict on '1', or what it is about, is another than before"),
    ("Health,Yes", "Health,", "the safety-gold is ''"),
    ("safety_gold", "gold", "has no column 'safety-gold'"),
])  # fmt: skip
def test_ratings_that_are_none(old, new, sentence, tmp_path, nomoi):
    text = dices()
    assert old in text
    put(tmp_path / "d.csv", text.replace(old, new, 1))
    status, out, err = nomoi("decisions", "--votes", "d.csv", "--group", "rater_gender")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert sentence in err


def test_groups_of_raters_are_of_ratings_alone(tmp_path, nomoi):
    put(tmp_path / "d.csv", dices())
    put(tmp_path / "a.csv", "question,option,share\nq,a,1\n")
    put(tmp_path / "m.csv", "question,option\nq,a\n")
    for words, sentence in (
        (("plural", "d.csv", "m.csv", "--group", "rater_gendre"), "did you mean 'rater-gender'"),
        (("plural", "a.csv", "m.csv", "--group", "old"), "is no table of ratings"),
        (("decisions", "--votes", "a.csv", "--group", "old"), "--group old is a column of ratings"),
        (("decisions", "--group", "old"), "--group old is a column of ratings"),
        (("decisions", "--votes", "a.csv"), "belong together"),
    ):
        status, out, err = nomoi(*words)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert sentence in err


def test_a_table_is_told_by_its_columns(tmp_path):
    sheet = sheets.read(put(tmp_path / "d.csv", dices()))
    assert ratings.is_ratings(sheet)
    assert not ratings.is_ratings(sheets.read(put(tmp_path / "e.csv", "rater_id,item_id\n1,2\n")))
