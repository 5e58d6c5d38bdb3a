"""The tutorial's matrices: dilemmas, conventions, and who of several equilibria is played."""

from nomoi.runs.study import Family

FAMILY = Family(
    "games",
    "Which games are dilemmas, and which of their equilibria do people come to play?",
    ("dilemmas", "conventions", "turn_taking", "savage", "teams"),
)
