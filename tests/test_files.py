"""Files and records: what is written goes where it was asked for, and what is read is what it says it is."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
import stat
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from training import put, what

from nomoi import files
from nomoi.core.own import module
from nomoi.errors import Refusal
from nomoi.report import console, records
from nomoi.runs.record import read
from nomoi.runs.store import Store


def kept(root, seed=0, harvest=1.0, label="one"):
    """A record of three rows."""
    curve = {"harvest": (np.arange(3), np.full(3, harvest))}
    return put(root, curve, what(seed=seed), {"mind.0": np.ones(2)}, label)


def test_one_damaged_record_hides_no_other(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(records, "console", console.Plain(width=120))
    whole, broken = kept(tmp_path, 0), kept(tmp_path, 1)
    (broken.folder / "record.json").write_bytes(b"{")
    records.records(Store(tmp_path))
    out = capsys.readouterr().out
    assert whole.id in out
    assert f"{broken.id} is damaged (" in " ".join(out.split())
    with pytest.raises(Refusal, match=f"{broken.id} is damaged"):
        Store(tmp_path).all()
    shutil.rmtree(whole.folder)
    records.records(Store(tmp_path))
    assert "There are no whole records in" in capsys.readouterr().out


# --- writing ------------------------------------------------------------------------------------------------------


def test_what_is_no_regular_file_is_written_through(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    files.check_place(pipe)
    files.write(pipe, "through")
    reader.join(5)
    assert got == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    files.write("/dev/null", "gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
def test_a_full_device_stays_one(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("/dev/full")
    for path in ("/dev/full", link):
        with pytest.raises(Refusal, match="disk is full"):
            files.write(path, "x" * 100)
        assert stat.S_ISCHR(os.stat(path).st_mode)
    assert link.is_symlink()


def test_a_link_stays_and_its_end_is_written(tmp_path):
    (tmp_path / "there").mkdir()
    for end in ("there/old.html", "there/new.html"):
        link = tmp_path / f"to-{Path(end).name}"
        link.symlink_to(end)
        (tmp_path / "there/old.html").write_text("old")
        assert files.write(link, "page") == link
        assert link.is_symlink()
        assert (tmp_path / end).read_text() == "page"
    round_ = tmp_path / "round"
    round_.symlink_to("round")
    with pytest.raises(Refusal, match="cannot be written"):
        files.write(round_, "page")


def test_names_as_long_as_a_name_may_be(tmp_path):
    path = tmp_path / ("猫" * 85)
    files.check_place(path)
    files.write(path, "a \udcff b")
    assert path.read_text() == "a ? b"
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("folder", "is a folder"),
        ("runs", "is a folder"),
        ("kept/in", "is a folder"),
        ("file/page.html", "cannot be written"),
        ("/proc/1/nothing/page.html", "cannot be written"),
        ("x" * 256, "cannot be written"),
        ("new/" + "x" * 256 + "/page.html", "cannot be written"),
    ],
)
def test_the_place_of_a_page_is_tried_before_anything_runs(nomoi, report, said, monkeypatch):
    from nomoi.runs import compare as comparison
    from nomoi.runs import study

    monkeypatch.setattr(comparison, "compare", lambda *_, **__: pytest.fail("trained"))
    monkeypatch.setattr(study, "run", lambda *_, **__: pytest.fail("run"))
    Path("folder").mkdir()
    Path("file").write_text("")
    Path("own.py").write_text(
        "from nomoi.runs.study import Study\nSTUDY = Study('own', '?', (), lambda size: (), {'smoke': 1})"
    )
    before = sorted(os.listdir())
    out = ["--out", "kept/in/runs"] if report.startswith("kept") else []
    calls = [["compare", "pool", "--report", report], ["run", "own.py", "--report", report]]
    if report not in ("folder", "runs", "kept/in"):
        calls += [["run", "own.py", "--keep", report], ["solve", "stag_hunt", "--picture", f"{report}.svg"]]
    for words in calls:
        status, shown, err = nomoi(*words, *(out if words[0] != "solve" else ()))
        assert (status, shown) == (2, ""), (words, err)
        assert said in err, words
        assert err.count("\n") == 1
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--report", "x", "--keep", "x"], "is a folder, or will be"),
        (["--report", "x", "--keep", "x/y"], "is a folder, or will be"),
        (["--report", "x/own.md", "--keep", "./x"], "of the page and of a summary"),
        (["--report", "runs/records/x.html"], "among the records of runs"),
        (["--report", "runs/records"], "is a folder, or will be"),
        (["--keep", "runs/records"], "among the records of runs"),
        (["--report", "a/unfinished/b/x.html", "--out", "a"], "among the records of a"),
    ],
)
def test_places_that_would_be_in_one_anothers_way(nomoi, words, said):
    Path("own.py").write_text(
        "from nomoi.runs.study import Study\nSTUDY = Study('own', '?', (), lambda size: (), {'smoke': 1})"
    )
    status, out, err = nomoi("run", "own.py", "--size", "smoke", *words)
    assert (status, out) == (2, ""), err
    assert said in err
    assert os.listdir() == ["own.py"]


def test_ones_own_file_is_its_text_whatever_was_compiled_of_an_older_one(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text("N = 1\n")
    py_compile.compile(str(mine), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    when = mine.stat().st_mtime
    mine.write_text("N = 2\n")  # of the same length, within the same second
    os.utime(mine, (when, when))
    assert module(mine).N == 2


# --- records ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["[ab]", "*", "?", "a\\b", "it's", "{a,b}", "**", "[bold]", "date=1", "~"])
def test_folders_may_have_any_name(name, nomoi):
    """Next to folders that the name would match as a pattern."""
    for other in ("a", "b", "ab", "a/b"):
        kept(other, harvest=5.0)
    record = kept(name, harvest=2.5, label="mine")
    assert Store(name).query("select distinct id, value from curves") == [(record.id, 2.5)]
    status, out, err = nomoi("runs", "--out", name)
    assert status == 0, err
    assert f"records in {name}" in out
    assert ("2.5" in out, "5.0" in out) == (True, False)


@pytest.mark.parametrize("width", [24, 40, 60, 80, 200])
def test_a_narrow_terminal_gets_fewer_columns_and_each_whole(width, nomoi, monkeypatch):
    record = kept("runs", label="altar(display=hidden)+sanction", harvest=3.0)
    monkeypatch.setattr(records, "console", console.Plain(width=width))
    status, out, _ = nomoi("runs")
    assert status == 0
    head = next(line for line in out.splitlines() if line.startswith("record") and "records in" not in line)
    shown = head.split()
    every = ["record", "kind", "label", "options", "seed", "steps", "seconds", "harvest", "code"]
    assert [name for name in every if name in shown] == shown
    assert (len(shown) == len(every)) == (width == 200)
    assert record.id in out
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= width
    assert ("label" in shown) == (width >= 40)


def test_runs_without_a_folder_are_refused_and_an_empty_one_is_shown(nomoi):
    status, out, err = nomoi("runs", "--out", "nowhere")
    assert (status, out) == (2, "")
    assert "there is no folder nowhere" in err
    Path("empty").mkdir()
    status, out, _ = nomoi("runs", "--out", "empty")
    assert status == 0
    assert out.strip() == "There are no records in empty yet."


def test_nothing_is_read_before_its_checksum(tmp_path, nomoi):
    record = kept(tmp_path / "runs")
    (record.folder / "curve.parquet").write_bytes(b"PAR1 no table PAR1")
    with pytest.raises(Refusal, match=r"damaged \(curve.parquet has changed"):
        Store(tmp_path / "runs").query("select 1 from curves")
    status, _, err = nomoi("runs", "show", record.id)
    assert status == 2
    assert "curve.parquet has changed" in err


def edit(record, **facts):
    file = record.folder / "record.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | facts))


def test_a_record_is_what_its_name_says(tmp_path):
    one, two = kept(tmp_path, 1), kept(tmp_path, 2)
    spare = tmp_path / "spare"
    for source, target in ((one.folder, spare), (two.folder, one.folder), (spare, two.folder)):
        shutil.move(source, target)
    for seed in (1, 2):
        with pytest.raises(Refusal, match="damaged"):
            Store(tmp_path).get(what(seed=seed))
    with pytest.raises(Refusal, match="damaged"):
        Store(tmp_path).all()


@pytest.mark.parametrize(
    "facts",
    [{"format": None}, {"spec": []}, {"spec": what(seed=7).spec}, {"created": "now"}, {"files": {}},
     {"files": []}, {"files": {"curve.parquet": ""}}],
)  # fmt: skip
def test_a_record_of_another_format_or_spec_is_refused(facts, tmp_path):
    record = kept(tmp_path)
    edit(record, **facts)
    with pytest.raises(Refusal, match=f"{record.id} is damaged"):
        Store(tmp_path).get(what())


def test_what_a_record_does_not_list_is_not_read(tmp_path):
    record = put(tmp_path, {"harvest": (np.zeros(1), np.ones(1))})
    np.savez(record.folder / "arrays.npz", slipped=np.ones(1))
    assert read(record.folder).arrays() == {}


def test_keys_that_are_numbers_do_not_change_a_name(tmp_path):
    spec = what({2: "a", 10: "b"})
    record = put(tmp_path, {"m": (np.zeros(1), np.ones(1))}, spec)
    found = Store(tmp_path).get(spec)
    assert found is not None
    assert found.id == record.id


@pytest.mark.parametrize("part", ["records", "unfinished"])
def test_a_file_where_a_folder_of_records_should_be_is_refused(part, tmp_path):
    (tmp_path / part).write_text("")
    with pytest.raises(Refusal, match=f"{part} is a file, and a folder is needed there"):
        Store(tmp_path)


# --- checkpoints --------------------------------------------------------------------------------------------------


def stored(file, **entry):
    """An archive whose first entry says of itself what `entry` says (a compression, a flag)."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("rows.npy", b"x" * 100)
    data = bytearray(file.read_bytes())
    central = data.rindex(b"PK\x01\x02")
    for start, base in ((0, 6), (central, 8)):
        data[start + base] |= entry.get("flag", 0)
        data[start + base + 2] = entry.get("method", data[start + base + 2])
    file.write_bytes(data)


def rows(file, content, of=None):
    of = file.parent.name if of is None else of
    np.savez(file, leaf0=np.zeros(1), of=np.array(of), rows=np.frombuffer(json.dumps(content).encode(), np.uint8))


DAMAGE = {
    "an unknown compression (NotImplementedError)": lambda file: stored(file, method=99),
    "an encrypted entry (RuntimeError)": lambda file: stored(file, flag=1),
    "no archive": lambda file: file.write_bytes(b"PK\x03\x04 nothing"),
    "nothing": lambda file: file.write_bytes(b""),
    "a folder": lambda file: file.mkdir(),
    "rows that are none": lambda file: rows(file, {"seconds": 1}),
    "another run's": lambda file: rows(file, [{"seconds": 1.0}], of="0" * 16),
    "rows of numbers": lambda file: rows(file, [1, 2]),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_checkpoint_is_removed(case, tmp_path):
    store = Store(tmp_path)
    file = store._unfinished(what()) / "checkpoint.npz"
    file.parent.mkdir(parents=True)
    DAMAGE[case](file)
    assert store.resume(what()) is None
    assert not file.exists()
    store.save(what(), [np.zeros(1)], [{"seconds": 1.0}])
    assert store.resume(what()) is not None
