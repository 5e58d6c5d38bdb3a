"""How the command line begins and ends: what a person did wrong is said in one sentence, with exit status 2."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from nomoi.errors import Refusal, printable

app = typer.Typer(
    help="nomoi: a laboratory for one question, how can we live together?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


# what typer raises where a command, an option or a value is none: its click is a package or a part of it, by version
_MISTYPED: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


def _version(asked: bool | None) -> None:
    if asked:
        from nomoi import __version__

        print(f"nomoi {__version__}")
        raise typer.Exit


SCARCE = "there is not enough memory for this; fewer or smaller worlds, seeds or settings would do."


@app.callback()
def _all(
    version: Annotated[
        bool | None, typer.Option("--version", callback=_version, is_eager=True, help="say which nomoi this is")
    ] = False,
) -> None:
    """nomoi: a laboratory for one question, how can we live together?"""


def main() -> None:
    """Entry point: what a person did wrong is said in one sentence, with exit status 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    warnings.showwarning = _warned
    for name in ("stdout", "stderr"):  # whoever started this may have closed it
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    if hasattr(sys.stdout, "reconfigure"):  # a letter that the terminal has not is shown by its number
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            raise SystemExit(app(standalone_mode=False))  # so that what was typed wrongly is said below
        finally:
            sys.stdout.flush()  # here, where it is known what to do with a pipe that is closed
    except _MISTYPED as error:
        if not sys.argv[1:]:  # nothing was typed: the message is the help
            print(error.format_message(), file=sys.stderr)
            raise SystemExit(2) from None
        said = " ".join(error.format_message().split()).rstrip(".")
        _end(f"{said[:1].lower()}{said[1:]} (`nomoi --help` and `nomoi COMMAND --help` tell more).")
    except typer.Abort:
        raise SystemExit(130) from None
    except Refusal as refusal:
        _end(str(refusal))
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):  # by which typer and rich end with 1
            raise
        _unread()
    except BrokenPipeError:
        _unread()
    except OSError as error:
        _end(f"{error.filename or 'a file'} cannot be used: {error.strerror or error}.")
    except UnicodeError as error:
        _end(f"a text has letters that cannot be read or written ({error}); text in UTF-8 would be right.")
    except MemoryError:
        _end(SCARCE)
    except RuntimeError as error:  # JAX has no other word for it
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        _end(SCARCE)


def _warned(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    """What is no fault but should be known is said in a sentence too; what is for programmers, with its place."""
    if category is UserWarning:
        print(f"nomoi: {printable(str(message))}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, *where[:2]), file=sys.stderr, end="")


def _unread() -> NoReturn:
    """Who read what is printed has had enough, as `head` has: nothing is wrong, and nothing more is printed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(0) from None


def _end(sentence: str) -> NoReturn:
    """Say what was wrong, on one line; words of thousands of letters are cut."""
    said = re.sub(r"\S{200,}", lambda word: f"{word[0][:60]}...{word[0][-20:]}", printable(sentence))
    said = re.sub(r"\s*\n\s*", " ", said)  # names of a person's file may have lines in them
    print(f"nomoi: {said}", file=sys.stderr)
    raise SystemExit(2) from None


@contextlib.contextmanager
def resumable() -> Iterator[None]:
    """An interrupted run goes on later, whether the keyboard, a scheduler or a closed terminal ends it."""
    from nomoi.runs.engine import Interrupted

    caught = [signal.SIGINT]

    def stop(number: int, _: Any) -> NoReturn:
        caught.append(signal.Signals(number))
        raise KeyboardInterrupt

    # one that is ignored (nohup) stays so
    ends = [s for s in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(s) is signal.SIG_DFL]
    for end in ends:
        signal.signal(end, stop)
    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        print("\nnomoi: interrupted; the same command goes on from here.", file=sys.stderr)
        raise SystemExit(128 + caught[-1]) from None
    finally:
        for end in ends:
            signal.signal(end, signal.SIG_DFL)


OUT = Annotated[Path, typer.Option(help="folder of records")]


def _somewhere(on: str | None) -> str:
    """An empty text, as of a variable that was not set, is no place; without --on it is here."""
    if on is not None and not on.strip():
        raise Refusal("--on is empty; ray or ray://HOST:PORT would be right, and nothing at all for this process.")
    return on or ""


ON = Annotated[
    str | None,
    typer.Option(
        metavar="ray|ray://HOST:PORT", help="workers of Ray make the runs, and not this process", callback=_somewhere
    ),
]
WORKERS = Annotated[int | None, typer.Option(help="how many runs are made at a time; by default one a processor")]


def kept(out: Path) -> Any:
    """The store in a folder that is there."""
    from nomoi.runs.store import Store

    if not out.is_dir():
        raise Refusal(f"there is no folder {out}; give with --out the folder in which runs were kept.")
    return Store(out)


def small() -> None:
    """Matrices are small here: a library of several threads would spend more on waiting than it saves."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
