"""Commons that people govern: principles as mechanisms, one quota in three ways of asking, and kinds of goods."""

from nomoi.runs.study import Family

FAMILY = Family(
    "governing",
    "Which rules that people make keep what they hold in common?",
    (
        "ostrom",
        "quotas",
        "kinds_of_goods",
        "same_rules",
        "canal",
        "lab_commons",
        "punishing",
        "bookings",
        "lobstering",
        "groundfish",
        "dynamite",
        "tipping",
        "digital_commons",
    ),
)
