"""Expressions that people write in files: arithmetic on names, parsed on a whitelist and never evaluated as Python.

One parser for all: rewards, utilities, costs, and objectives that agents learn from.  A text becomes a tree of what is
allowed (numbers, names, + - * / // % **, comparisons, and/or/not, `a if c else b`, and the functions of CALLS), and the
tree is walked with NumPy or JAX.  Truth is 1 or 0.
"""

from __future__ import annotations

import ast
import unicodedata
import warnings
from collections.abc import Collection, Mapping
from functools import cached_property, reduce
from typing import Any

import numpy as np

from nomoi.errors import Refusal, nearest

LONG, DEEP = 4000, 100  # letters and levels of a text (ours): more than a person writes, less than breaks a parser
POWER = 100  # the largest exponent (ours): beyond it next to nothing but 0 and 1 has a power that is a number

CALLS: Mapping[str, tuple[int, int]] = {  # name -> the fewest and the most arguments
    "min": (2, 20),
    "max": (2, 20),
    "abs": (1, 1),
    "clip": (3, 3),
    "sign": (1, 1),
    "exp": (1, 1),
    "log": (1, 1),
    "sqrt": (1, 1),
    "cos": (1, 1),
    "sin": (1, 1),
    "tanh": (1, 1),
    "sigmoid": (1, 1),
}

_BINARY: dict[type, Any] = {
    ast.Add: lambda xp, a, b: a + b,
    ast.Sub: lambda xp, a, b: a - b,
    ast.Mult: lambda xp, a, b: a * b,
    ast.Div: lambda xp, a, b: a / b,
    ast.FloorDiv: lambda xp, a, b: xp.floor(a / b),
    ast.Mod: lambda xp, a, b: a - b * xp.floor(a / b),
    ast.Pow: lambda xp, a, b: a**b,
}
_COMPARED: dict[type, Any] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}
_RIGHT = f"numbers, names, + - * / // % **, comparisons, and, or, not, if else, {', '.join(CALLS)}"


class Expression:
    """A text that was parsed; `names` are those that it reads.

    `where` is what a sentence calls it that refuses the text.  With `dotted`, a.b is a name too, as those of the
    events of institutions are (`altar.violation`).
    """

    def __init__(self, text: Any, where: str = "the expression", dotted: bool = False):
        self.where, self.dotted = where, dotted
        if isinstance(text, bool) or not isinstance(text, (str, int, float)):
            raise Refusal(f"{where} is {text!r}; an expression such as 'speed - 2*collision' would be right.")
        self.text = str(text).strip()
        if len(self.text) > LONG:
            raise Refusal(f"{where} has {len(self.text)} letters; at most {LONG} would be right.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._tree = ast.parse(self.text, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise Refusal(f"{where}, {self._short}, cannot be read as arithmetic; {_RIGHT} would be right.") from None
        self._names: set[str] = set()
        self._check(self._tree, 0)

    @property
    def _short(self) -> str:
        return repr(self.text if len(self.text) < 60 else f"{self.text[:57]}...")

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that it reads."""
        return frozenset(self._names)

    @property
    def terms(self) -> tuple[Expression, ...]:
        """What it is the sum of, each an expression: `own`, `2 * sparse` of `own - 2*sparse`."""
        parts, left = list[ast.AST](), [self._tree]
        while left:
            match left.pop():
                case ast.BinOp(left=one, op=ast.Add() | ast.Sub(), right=other):
                    left += [other, one]
                case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=one):
                    left.append(one)
                case part:
                    parts.append(part)
        return tuple(Expression(ast.unparse(part), self.where, self.dotted) for part in parts)

    def known(self, names: Collection[str], what: str = "name") -> Expression:
        """Itself; refused where it reads what is none of `names`."""
        for name in sorted(self.names):
            if name not in names:
                raise Refusal(f"{self.where}, {self._short}, reads {name!r}; {nearest(name, names, what)}")
        return self

    def _check(self, node: ast.AST, depth: int) -> None:
        """Refuse whatever is off the whitelist, before anything is computed."""
        if depth > DEEP:
            raise Refusal(f"{self.where}, {self._short}, is nested more than {DEEP} times; take it apart.")
        allowed, children = False, list[ast.AST]()
        match node:
            case ast.Constant(value=value):
                allowed = type(value) in (int, float, bool)
            case ast.Name() | ast.Attribute():
                name = self._name(node)
                allowed = bool(name)
                self._names.add(name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not(), operand=one):
                allowed, children = True, [one]
            case ast.BinOp(left=left, op=op, right=right):
                allowed, children = type(op) in _BINARY, [left, right]
            case ast.BoolOp(values=values):
                allowed, children = True, list(values)
            case ast.Compare(left=left, ops=ops, comparators=others):
                allowed, children = all(type(op) in _COMPARED for op in ops), [left, *others]
            case ast.IfExp(test=test, body=body, orelse=orelse):
                allowed, children = True, [test, body, orelse]
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in CALLS:
                least, most = CALLS[name]
                if not least <= len(args) <= most:
                    count = f"{least}" if least == most else f"{least} to {most}"
                    raise Refusal(f"{self.where}: {name} has {len(args)} arguments in {self._short}; it takes {count}.")
                allowed, children = True, list(args)
        if not allowed:
            try:
                part = ast.get_source_segment(self.text, node) or self.text  # type: ignore[arg-type]
            except (AttributeError, IndexError, ValueError):
                part = self.text
            raise Refusal(f"{self.where}: {part[:60]!r} is not allowed in an expression; {_RIGHT} are.")
        for child in children:
            self._check(child, depth + 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            self._bounded(node.right)

    def _bounded(self, exponent: ast.AST) -> None:
        """Refuse an exponent that is a number, however it is written, and a very large one."""
        if {part.id for part in ast.walk(exponent) if isinstance(part, ast.Name)} - set(CALLS):
            return
        try:
            with np.errstate(all="ignore"):
                size = abs(float(self._value(exponent, {}, np)))
        except (ZeroDivisionError, OverflowError):
            size = np.inf
        if not size <= POWER:
            raise Refusal(
                f"{self.where}, {self._short}, has the exponent {ast.unparse(exponent)[:30]}; one of at most {POWER} "
                "would be right."
            )

    def _name(self, node: ast.AST) -> str:
        """The name that a node is, dotted where that is allowed; empty where it is none."""
        if isinstance(node, ast.Name):
            return "" if node.id.startswith("_") else node.id
        if self.dotted and isinstance(node, ast.Attribute) and not node.attr.startswith("_"):
            before = self._name(node.value)
            return before and f"{before}.{node.attr}"
        return ""

    def __call__(self, values: Mapping[str, Any], xp: Any = np) -> Any:
        """Its value where names are `values` (numbers or arrays); `xp` is numpy or jax.numpy."""
        self.known(values)
        try:
            with np.errstate(all="ignore"):  # what is not finite is refused by whoever asked
                return self._value(self._tree, values, xp)
        except (ZeroDivisionError, OverflowError):
            raise Refusal(
                f"{self.where}, {self._short}, has no finite value: it divides by zero or grows too large."
            ) from None

    def _value(self, node: ast.AST, values: Mapping[str, Any], xp: Any) -> Any:
        of = lambda child: self._value(child, values, xp)  # noqa: E731
        match node:
            case ast.Constant(value=value):
                return np.float64(value) if xp is np else float(value)  # type: ignore[arg-type]
            case ast.Name() | ast.Attribute():
                return values[self._name(node)]
            case ast.UnaryOp(op=ast.Not(), operand=one):
                return xp.where(of(one) == 0, 1.0, 0.0)
            case ast.UnaryOp(op=op, operand=one):
                return -of(one) if isinstance(op, ast.USub) else of(one)
            case ast.BinOp(left=left, op=op, right=right):
                return _BINARY[type(op)](xp, of(left), of(right))
            case ast.BoolOp(op=op, values=parts):
                join = xp.logical_and if isinstance(op, ast.And) else xp.logical_or
                return xp.where(reduce(join, [of(part) != 0 for part in parts]), 1.0, 0.0)
            case ast.Compare(left=left, ops=ops, comparators=others):
                row = [of(left), *map(of, others)]
                met = [_COMPARED[type(op)](a, b) for op, a, b in zip(ops, row[:-1], row[1:], strict=True)]
                return xp.where(reduce(xp.logical_and, met), 1.0, 0.0)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return xp.where(of(test) != 0, of(body), of(orelse))
            case ast.Call(func=ast.Name(id=name), args=args):
                return _call(name, [of(arg) for arg in args], xp)
        raise AssertionError(node)  # the whitelist has no other


def _call(name: str, args: list[Any], xp: Any) -> Any:
    if name in ("min", "max"):
        return reduce(xp.minimum if name == "min" else xp.maximum, args)
    if name == "clip":
        return xp.minimum(xp.maximum(args[0], args[1]), args[2])
    if name == "sigmoid":
        return 0.5 * (1 + xp.tanh(0.5 * args[0]))
    return getattr(xp, name)(args[0])


def identifier(word: Any) -> bool:
    """Whether a word can be a name in an expression."""
    return (
        isinstance(word, str)
        and word.isidentifier()
        and not word.startswith("_")
        and word not in CALLS
        and word == unicodedata.normalize("NFKC", word)
        and word not in _WORDS
    )


_WORDS = {"and", "or", "not", "if", "else", "in", "is", "lambda", "True", "False", "None", "for", "await", "yield"}
