"""The command line.  Heavy imports happen inside the commands, so that `nomoi --help` answers at once."""

from nomoi.cli import lives, questions, things  # each brings its commands
from nomoi.cli.start import app, main

__all__ = ["app", "lives", "main", "questions", "things"]
