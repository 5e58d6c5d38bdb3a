"""Plant small errors, one at a time, and count how many of them the tests catch.

    python benchmarks/planting.py nomoi/institutions --count 10 --seed 3
    python benchmarks/planting.py nomoi/core/govern.py --tests tests/test_laws.py --seconds 900

All happens in a copy of the tree in a temporary folder.  Kinds of error are drawn alike, then a place for one of the
kind; texts, annotations and what is raised are left alone.  The tests are those that import the error's file, directly
or through a helper, and of them the `--most` that name oftenest what stands in the file; then the table of options.  A
test that fails counts only if it passes without the error.  Some errors change nothing that matters (they are
equivalent), so the survivors are printed for a person to look at.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from common import table

ROOT = Path(__file__).parent.parent
OPERATORS = {
    "Lt": "LtE Gt", "LtE": "Lt GtE", "Gt": "GtE Lt", "GtE": "Gt LtE", "Eq": "NotEq", "NotEq": "Eq", "In": "NotIn",
    "NotIn": "In", "Is": "IsNot", "IsNot": "Is", "Add": "Sub", "Sub": "Add", "Mult": "Add Div", "Div": "Mult",
    "FloorDiv": "Mult", "Mod": "FloorDiv", "Pow": "Mult", "BitAnd": "BitOr", "BitOr": "BitAnd", "BitXor": "BitOr",
    "LShift": "RShift", "RShift": "LShift", "And": "Or", "Or": "And",
}  # fmt: skip
PAIRS = "min max, minimum maximum, any all, argmin argmax, floor ceil, sum mean, zeros ones, sum max, prod sum"
NAMES = {a: b for pair in PAIRS.split(", ") for a, b in (pair.split(), pair.split()[::-1])}
COMPOUND = ast.BinOp | ast.BoolOp | ast.Compare | ast.UnaryOp
LEFT_ALONE = ast.JoinedStr | ast.Raise | ast.Import | ast.ImportFrom


class Error(NamedTuple):
    """What may be written in place of the bytes start..end of a file."""

    path: Path
    line: int
    start: int
    end: int
    kind: str
    was: str
    now: str


def changes(node: ast.AST, local: list[str]) -> Iterator[tuple[str, ast.AST]]:
    """(kind, what might stand there by mistake) for a node in a function whose variables are `local`."""
    but = lambda **parts: type(node)(**dict(ast.iter_fields(node)) | parts)  # noqa: E731
    others = lambda op: (getattr(ast, name)() for name in OPERATORS.get(type(op).__name__, "").split())  # noqa: E731
    words = lambda *nodes: all(isinstance(n, ast.Constant) and isinstance(n.value, str) for n in nodes)  # noqa: E731
    match node:
        case ast.Compare(ops=[op]):
            yield from (("comparison", but(ops=[other])) for other in others(op))
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op):
            kind = "and, or" if isinstance(op, ast.boolop | ast.BitAnd | ast.BitOr) else "arithmetic"
            yield from ((kind, but(op=other)) for other in others(op))
            if isinstance(op, ast.Sub | ast.Div) and isinstance(node, ast.BinOp):
                yield "order", but(left=node.right, right=node.left)
        case ast.UnaryOp(op=ast.Not() | ast.Invert() | ast.USub(), operand=operand):
            yield "negation", operand
        case ast.IfExp(test=test) | ast.If(test=test) if not isinstance(test, ast.Compare | ast.UnaryOp):
            yield "negation", ast.UnaryOp(ast.Not(), test)
        case ast.Constant(value=bool(value)):
            yield "constant", ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from (("constant", ast.Constant(value + by)) for by in (1, -1))
        case ast.Constant(value=float(value)):
            yield "constant", ast.Constant(value * 2 if value else 1.0)
        case ast.Attribute(attr=name) if name in NAMES:
            yield "function", but(attr=NAMES[name])
        case ast.Name(id=name) if name in NAMES:
            yield "function", but(id=NAMES[name])
        case ast.Call(args=args, keywords=keywords) if ast.unparse(node.func) != "isinstance":
            for k in range(len(args) - 1):
                one, two = args[k : k + 2]
                if ast.dump(one) != ast.dump(two) and not isinstance(two, ast.Starred) and not words(one, two):
                    yield "order", but(args=[*args[:k], two, one, *args[k + 2 :]])
            for k in (k for k, keyword in enumerate(keywords) if keyword.arg != "strict"):
                yield "keyword", but(keywords=keywords[:k] + keywords[k + 1 :])
        case ast.Subscript(ctx=ast.Load(), slice=ast.Name() as index):
            yield "index", but(slice=ast.BinOp(index, ast.Sub(), ast.Constant(1)))
        case ast.Subscript(ctx=ast.Load(), slice=ast.Tuple(elts=[a, b])) if ast.dump(a) != ast.dump(b) and not words(b):
            yield "index", but(slice=ast.Tuple([b, a], ast.Load()))
        case ast.Return(value=ast.Tuple(elts=[one, two, *more])) if not words(one, two):
            yield "return", ast.Return(ast.Tuple([two, one, *more], ast.Load()))
        case ast.Return(value=ast.Name(id=name)):
            yield from (("return", ast.Return(ast.Name(other))) for other in local if other != name)


def errors(path: Path) -> Iterator[Error]:
    """All errors that may be planted in a file."""
    source = path.read_bytes()
    starts = [0, *(m.end() for m in re.finditer(rb"\n", source))]

    def walk(node: ast.AST, local: list[str]) -> Iterator[Error]:
        if isinstance(node, ast.FunctionDef):
            inside = [n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
            local = sorted({a.arg for a in node.args.args} | {n.id for n in inside} - {"self"})
        for kind, new in changes(node, local):
            spot = node.test if isinstance(node, ast.If | ast.IfExp) else node
            start, end = starts[spot.lineno - 1] + spot.col_offset, starts[spot.end_lineno - 1] + spot.end_col_offset
            now = ast.unparse(ast.fix_missing_locations(new))
            now = f"({now})" if isinstance(new, COMPOUND) else now
            yield Error(path, spot.lineno, start, end, kind, ast.unparse(spot), now)
        for field, value in ast.iter_fields(node):
            if field not in ("annotation", "returns", "decorator_list"):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST) and not isinstance(child, LEFT_ALONE):
                        yield from walk(child, local)

    return walk(ast.parse(source), [])


def draw(paths: list[Path], count: int, seed: int) -> list[Error]:
    """`count` different errors: the kind first, each alike, then one of that kind; in the order of the files."""
    rng, kinds = random.Random(seed), {}
    for error in (e for path in paths for e in errors(path)):
        kinds.setdefault(error.kind, []).append(error)
    drawn: list[Error] = []
    while len(drawn) < count and kinds:
        kind = rng.choice(sorted(kinds))
        drawn.append(kinds[kind].pop(rng.randrange(len(kinds[kind]))))
        kinds = {k: v for k, v in kinds.items() if v}
    return sorted(drawn, key=lambda e: (e.path, e.start))


def concerned(copy: Path, path: Path, most: int) -> list[str]:
    """The test files that concern a file of nomoi (see above), those that name most of what is in it first."""
    package, module = path.relative_to(copy).parent.as_posix().replace("/", "."), path.stem
    above, _, last = package.rpartition(".")
    ways = [rf"{package}\.{module}\b", rf"from {package} import .*\b{module}\b", rf"from {above} import .*\b{last}\b"]
    if "import" in (path.parent / "__init__.py").read_text():  # what is in it is had from the package, too
        ways.append(rf"from {package} import")
    inside = [n.name for n in ast.parse(path.read_bytes()).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    named = re.compile(rf"\b({'|'.join([module, *inside])})\b")
    texts = {p.stem: p.read_text() for p in sorted((copy / "tests").glob("*.py"))}
    using = [name for name, text in texts.items() if re.search("|".join(ways), text)]
    helped = re.compile(rf"^from ({'|'.join(['-', *using])}) import", re.M)
    found = [n for n, text in texts.items() if n.startswith("test_") and (n in using or helped.search(text))]
    found = sorted(found, key=lambda name: -len(named.findall(texts[name])))[:most]
    return [f"tests/{name}.py" for name in dict.fromkeys([*found, "test_options"])]


def run(copy: Path, tests: list[str], seconds: float) -> str:
    """What a run of the tests in the copy gave: "" if all passed, else the test that failed, or why it ended."""
    words = [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--tb=no", *tests]
    env = os.environ | {"PYTHONPATH": str(copy), "CI": "1"}  # CI: hypothesis tries the same examples each time
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    child = subprocess.Popen(words, cwd=copy, env=env, start_new_session=True, **pipes)
    try:
        said = child.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        return f"no end within {seconds:g} s"
    finally:  # also of what the tests have started
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", said, re.M)
    return "" if child.returncode == 0 else failed[1] if failed else f"pytest ended with {child.returncode}"


def tried(copy: Path, asked: argparse.Namespace) -> Iterator[tuple[Error, list[str], str]]:
    """(error, tests, what caught it, or "SURVIVED", or why it is not known) one by one, each alone in the copy."""
    paths = [copy / path.resolve().relative_to(ROOT) for path in asked.paths]
    files = [file for path in paths for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    sound: dict[str, bool] = {}
    for error in draw(files, asked.count, asked.seed):
        tests = asked.tests or concerned(copy, error.path, asked.most)
        source = error.path.read_bytes()
        error.path.write_bytes(source[: error.start] + error.now.encode() + source[error.end :])
        by = run(copy, tests, asked.seconds)
        error.path.write_bytes(source)
        if "tests/" in by and by not in sound:
            sound[by] = not run(copy, [by] if "::" in by else [by, "--collect-only"], asked.seconds)
        yield error, tests, "SURVIVED" if not by else by if sound.get(by, True) else f"not known: {by} always fails"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path, help="files or folders of nomoi")
    parser.add_argument("--count", type=int, default=10, help="how many errors")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, default=3, help="of the tests that concern a file, how many to run")
    parser.add_argument("--tests", nargs="+", help="run these instead")
    parser.add_argument("--seconds", type=float, default=600, help="after which a run of the tests is ended")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the copy is removed then, too
    rows, lived = [], []
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        copy = Path(folder).resolve() / "tree"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "runs"))
        for error, tests, by in tried(copy, asked):
            was, now = (x if len(x) < 45 else f"{x[:20]} .. {x[-20:]}" for x in (error.was, error.now))
            place = f"{error.path.relative_to(copy)}:{error.line}"
            rows.append({"where": place, "what": f"{error.kind}: {was} -> {now}", "caught by": by})
            lived += [f"{place} survived {' '.join(tests)}\n  - {error.was}\n  + {error.now}\n"] * (by == "SURVIVED")
            print(f"{place}: {by}", file=sys.stderr, flush=True)
    caught = sum(row["caught by"].startswith("tests/") for row in rows)
    print(table(rows) if rows else "", *lived, f"{caught} of the {len(rows)} that were planted are caught", sep="\n")


if __name__ == "__main__":
    main()
