"""Tables of numbers that people have: CSV with any of the usual separators, read fast, and refused in sentences."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nomoi.errors import Refusal, nearest, printable
from nomoi.files import closed, why

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
EMPTY = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A"]  # how files say that there is no value
LARGEST = 1e100  # of a number in a table (ours): squares and sums of larger ones are none


def head(path: str | Path) -> tuple[str, list[str]]:
    """The separator of a CSV and the names of its columns, from its first line."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.readline(1 << 20).split(b"\r")[0]  # as old spreadsheets end a line
    except OSError as error:
        raise Refusal(f"{path} cannot be read ({why(error)}); check the path.") from None
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in raw:
        raise Refusal(f"{path} cannot be read as text, since its letters are not those of UTF-8; save it as UTF-8.")
    try:
        line = raw.decode("utf-8-sig").strip("\n")
    except UnicodeDecodeError:
        raise Refusal(
            f"{path} cannot be read as text, since its letters are not those of UTF-8; save it as UTF-8."
        ) from None
    if not line.strip():
        raise Refusal(f"{path} is empty; a first line with the names of columns would be right.")
    try:
        found = max(SEPARATORS, key=lambda s: len(next(csv.reader([line], delimiter=s))))
    except csv.Error as error:
        raise Refusal(f"{path}, line 1 cannot be read as names of columns: {error}.") from None
    names = [name.strip() for name in next(csv.reader([line], delimiter=found))]
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise Refusal(f"{path} has two columns named {twice!r}; rename one of them.")
    return found, names


def load(path: str | Path, wanted: Sequence[str] | None = None) -> dict[str, Any]:
    """{column: pyarrow array} of those that are wanted (all, if None); a name that is not there is refused.

    Decimal commas are read where columns are set apart by semicolons or tabs.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow

    separator, names = head(path)
    for name in wanted or ():
        if name not in names:
            hint = nearest(name, names, "column")
            alone = f" (the first line is {printable(names[0])[:60]!r}: is its separator one of , ; tab |?)"
            raise Refusal(f"{path} has no column {name!r}; {hint}{alone if len(names) == 1 else ''}")
    wanted = list(dict.fromkeys(wanted or names))
    quoted = _quoted(path, separator)
    try:
        found = arrow.read_csv(
            str(path),
            arrow.ReadOptions(column_names=names, skip_rows=1, block_size=1 << 24),
            arrow.ParseOptions(delimiter=separator, newlines_in_values=quoted),
            arrow.ConvertOptions(
                include_columns=wanted, null_values=EMPTY, strings_can_be_null=True, decimal_point="."
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        said = printable(str(error).split("\n")[0])[:200]
        raise Refusal(
            f"{path} cannot be read as a table whose columns a {SEPARATORS[separator]} sets apart: {said}."
        ) from None
    if not found.num_rows:
        raise Refusal(f"{path} has names of columns and no row.")
    for name in wanted:
        if pa.types.is_binary(found.column(name).type):
            raise Refusal(f"{path}: letters of {name} are not those of UTF-8; save the file as UTF-8.")
    return {name: found.column(name).combine_chunks() for name in wanted}


def _quoted(path: str | Path, separator: str) -> bool:
    """Whether there are quotes, all of which are closed: the reader below lets one swallow the rows to the end."""
    with Path(path).open("rb") as file:
        if not any(b'"' in part for part in iter(lambda: file.read(1 << 24), b"")):
            return False
    with Path(path).open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        closed(path, lines, separator)
    return True


def numbers(column: Any, name: str, path: str | Path) -> np.ndarray:
    """[n] a column as floats, NaN where it is empty; a word in it is refused with its row."""
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        _doubtful(column, name, path)
        swapped = compute.replace_substring(column, ",", ".") if SEPARATORS[head(path)[0]] != "comma" else column
        try:
            column = compute.cast(swapped, pa.float64())
        except pa.ArrowInvalid:
            rows = column.to_pylist()
            k = next(k for k, v in enumerate(rows) if v is not None and not _numeric(str(v).replace(",", ".")))
            raise Refusal(f"{path}: {name} is {str(rows[k])[:40]!r} in row {k + 2}; numbers would be right.") from None
    elif pa.types.is_boolean(column.type):
        column = compute.cast(column, pa.int8())
    elif not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_null(column.type)):
        raise Refusal(f"{path}: {name} holds {column.type}; numbers would be right.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = np.asarray(compute.cast(column, pa.float64()).to_numpy(zero_copy_only=False), float)
    large = np.abs(out) > LARGEST
    if large.any():
        k = int(np.flatnonzero(large)[0])
        said = "infinite" if np.isinf(out[k]) else f"{out[k]:g}"
        raise Refusal(
            f"{path}: {name} is {said} in row {k + 2}; finite numbers, of at most {LARGEST:g}, would be right."
        )
    return out


def _doubtful(column: Any, name: str, path: str | Path) -> None:
    """Refuse commas that may set thousands apart: 18,022 beside 950.  Where every cell has one, 1.234 is as good."""
    from pyarrow import compute

    commas = compute.match_substring(column, ",")
    some, every = compute.any(commas).as_py(), compute.all(commas).as_py()
    if not some or every:
        return
    written = compute.filter(column, commas)
    if compute.all(compute.match_substring_regex(written, r"^\s*-?[1-9]\d{0,2}(,\d{3})+\s*$")).as_py():
        raise Refusal(
            f"{path}: {name} has {str(written[0].as_py())!r}, whose comma may set thousands apart or decimals; write "
            "numbers without the commas of thousands."
        )


def _numeric(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def columns(path: str | Path) -> dict[str, np.ndarray]:
    """{column: [n] numbers} of a CSV; every cell must hold one."""
    out = {name: numbers(column, name, path) for name, column in load(path).items()}
    for name, values in out.items():
        if np.isnan(values).any():
            raise Refusal(
                f"{path}: {name} is empty in row {int(np.flatnonzero(np.isnan(values))[0]) + 2}; "
                "a finite number would be right."
            )
    return out


def levels(column: Any, name: str, path: str | Path) -> tuple[list[str], np.ndarray]:
    """The words of a column in order, and [n] which each row has; -1 where it is empty.

    One of several lines with separators is refused: that is what two stray quotes make of the rows between them.
    """
    import pyarrow as pa
    from pyarrow import compute

    words = compute.utf8_trim_whitespace(compute.cast(column, pa.string()))
    found = compute.dictionary_encode(words)
    found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    names = [str(word) for word in found.dictionary.to_pylist()]
    if several := [word for word in names if len(word.splitlines()) > 1]:
        separator = head(path)[0]
        if swallowed := next((word for word in several if separator in word), ""):
            raise Refusal(f"{path}: {name} is {swallowed[:40]!r} in a row, and goes on over "
                          f"{len(swallowed.splitlines())} lines; the quote before it swallows them, so leave it "
                          "out.")  # fmt: skip
    order = np.argsort(names, kind="stable")
    rank = np.empty(len(names), int)
    rank[order] = np.arange(len(names))
    codes = np.asarray(compute.fill_null(found.indices, -1).to_numpy(zero_copy_only=False), int)
    return [names[k] for k in order], np.where(codes >= 0, rank[np.maximum(codes, 0)] if names else -1, -1)
