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
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

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


def _other(op: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for name in OPERATORS.get(type(op).__name__, "").split():
        kind = "comparison" if isinstance(op, ast.cmpop) else "and, or" if isinstance(op, ast.boolop) else "arithmetic"
        yield kind, getattr(ast, name)()


def changes(node: ast.AST, local: list[str]) -> Iterator[tuple[str, ast.AST]]:
    """(kind, what might stand there by mistake) for a node in a function whose variables are `local`."""

    def but(**parts: Any) -> ast.AST:
        new = deepcopy(node)
        for name, value in parts.items():
            setattr(new, name, value)
        return new

    match node:
        case ast.Compare(ops=[op]):
            yield from ((kind, but(ops=[other])) for kind, other in _other(op))
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op):
            yield from ((kind, but(op=other)) for kind, other in _other(op))
            if isinstance(op, ast.Sub | ast.Div) and isinstance(node, ast.BinOp):
                yield "order", but(left=node.right, right=node.left)
        case ast.UnaryOp(op=ast.Not() | ast.Invert() | ast.USub(), operand=operand):
            yield "negation", operand
        case ast.IfExp(test=test) | ast.If(test=test) if not isinstance(test, ast.Compare):
            yield "negation", test if isinstance(test, ast.UnaryOp) else ast.UnaryOp(ast.Not(), test)
        case ast.Constant(value=bool(value)):
            yield "constant", ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from (("constant", ast.Constant(value + by)) for by in (1, -1))
        case ast.Constant(value=float(value)):
            yield "constant", ast.Constant(value * 2 if value else 1.0)
        case ast.Call(func=func, args=args):
            for k in range(len(args) - 1):
                if ast.dump(args[k]) != ast.dump(args[k + 1]) and not isinstance(args[k + 1], ast.Starred):
                    yield "order", but(args=[*args[:k], args[k + 1], args[k], *args[k + 2 :]])
            if isinstance(func, ast.Attribute) and func.attr in NAMES:
                yield "function", but(func=ast.Attribute(func.value, NAMES[func.attr], ast.Load()))
            if isinstance(func, ast.Name) and func.id in NAMES:
                yield "function", but(func=ast.Name(NAMES[func.id]))
            for k in range(len(node.keywords)):
                yield "keyword", but(keywords=node.keywords[:k] + node.keywords[k + 1 :])
        case ast.Subscript(ctx=ast.Load(), slice=ast.Name() as index):
            yield "index", but(slice=ast.BinOp(index, ast.Sub(), ast.Constant(1)))
        case ast.Subscript(ctx=ast.Load(), slice=ast.Tuple(elts=[a, b])) if ast.dump(a) != ast.dump(b):
            yield "index", but(slice=ast.Tuple([b, a], ast.Load()))
        case ast.Return(value=ast.Tuple(elts=elts)) if len(elts) > 1:
            yield "return", ast.Return(ast.Tuple([elts[1], elts[0], *elts[2:]], ast.Load()))
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
            spot = node.test if isinstance(node, ast.If) else node
            start, end = starts[spot.lineno - 1] + spot.col_offset, starts[spot.end_lineno - 1] + spot.end_col_offset
            now = ast.unparse(ast.fix_missing_locations(new))
            now = f"({now})" if isinstance(new, ast.expr) and not isinstance(new, ast.Constant | ast.Call) else now
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


def concerned(path: Path, most: int) -> list[str]:
    """The test files that concern a file of nomoi (see above), those that name most of what is in it first."""
    package, module = path.relative_to(ROOT).parent.as_posix().replace("/", "."), path.stem
    above, _, last = package.rpartition(".")
    ways = [rf"{package}\.{module}\b", rf"from {package} import .*\b{module}\b", rf"from {above} import .*\b{last}\b"]
    if "import" in (path.parent / "__init__.py").read_text():  # what is in it is had from the package, too
        ways.append(rf"from {package} import")
    imports = re.compile("|".join(ways))
    inside = [n.name for n in ast.parse(path.read_bytes()).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    named = re.compile(rf"\b({'|'.join([module, *inside])})\b")
    texts = {p.stem: p.read_text() for p in sorted((ROOT / "tests").glob("*.py"))}
    helpers = "|".join(n for n, text in texts.items() if not n.startswith("test_") and imports.search(text)) or "-"
    helped = re.compile(rf"^from ({helpers}) import", re.M)
    found = [n for n, text in texts.items() if n.startswith("test_") and (imports.search(text) or helped.search(text))]
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
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.M)
    return "" if child.returncode == 0 else failed[1] if failed else f"pytest ended with {child.returncode}"


def tried(drawn: list[Error], asked: argparse.Namespace) -> Iterator[tuple[Error, list[str], str]]:
    """(error, tests, what caught it, or "SURVIVED", or why it is not known) one by one, each alone in the copy."""
    sound: dict[str, bool] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "runs"))
        for error in drawn:
            place = copy / error.path.relative_to(ROOT)
            tests = asked.tests or concerned(error.path, asked.most) or ["tests"]
            source = place.read_bytes()
            place.write_bytes(source[: error.start] + error.now.encode() + source[error.end :])
            by = run(copy, tests, asked.seconds)
            place.write_bytes(source)
            if "tests/" in by and by not in sound:
                alone = [by] if "::" in by else [by, "--collect-only"]  # or the file could not even be read
                sound[by] = not run(copy, alone, asked.seconds)
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
    files = [f.resolve() for p in asked.paths for f in (sorted(p.rglob("*.py")) if p.is_dir() else [p])]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the copy is removed then, too
    rows, lived = [], []
    try:
        for error, tests, by in tried(draw(files, asked.count, asked.seed), asked):
            was, now = (x if len(x) < 45 else f"{x[:20]} .. {x[-20:]}" for x in (error.was, error.now))
            place = f"{error.path.relative_to(ROOT)}:{error.line}"
            rows.append({"where": place, "what": f"{error.kind}: {was} -> {now}", "caught by": by})
            lived += [f"{place} survived {' '.join(tests)}\n  - {error.was}\n  + {error.now}\n"] * (by == "SURVIVED")
            print(f"{place}: {by}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted; what follows is what was tried until then.", file=sys.stderr)
    caught = sum(row["caught by"].startswith("tests/") for row in rows)
    print(table(rows) if rows else "", *lived, f"{caught} of {len(rows)} caught", sep="\n")


if __name__ == "__main__":
    main()
