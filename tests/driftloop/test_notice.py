"""What people are told at 3 a.m., word for word; and that every command in it exists."""

import re
from dataclasses import replace

import pytest

from driftloop import notice
from driftloop.breaker import Breaker
from driftloop.run import Run
from driftloop.watch import Watch
from infra.cli.app import app

WATCH = Watch(
    3, "2013-02-05T00:00:00.000Z", "2013-02-06T00:00:00.000Z", "2013-02-03T00:00:00.000Z", 6.31,
    None, "unit_bug", "quarantine",
    "temp looks 100 times too large in all rows: divided by 100, it matches the training data "
    "again. That is a mistake upstream; there is nothing to learn from such rows.", ["temp"],
)  # fmt: skip
RUN = Run(
    "drift-0123456789ab-1", "drift", "FAILED", "2013-02-06T01:00:00.000Z",
    "2013-02-06T01:20:00.000Z", "the drift alarm went off", outcome="failed",
    error="NotEnoughData", message="200 rows, and at least 1,000 are needed", version=4,
)  # fmt: skip
WHY = "the spec's policy keeps these rows out of training"
TOLD = {
    "unit bug": (
        notice.trouble("flights", "drift", WATCH, WHY, None, None),
        "[driftloop] flights: a unit has changed since 2013-02-03, look at it",
        """What: temp looks 100 times too large in all rows: divided by 100, it \
matches the training data again. \
That is a mistake upstream; there is nothing to learn from such rows.
Since: 2013-02-03 00:00 UTC; judged until 2013-02-06 00:00 UTC.
How bad: drift 6.3 times its threshold, performance not known yet.
Done: No run was started: the spec's policy keeps these rows out of training.
To do: Mend it where the data comes from: rows of these windows stay out of training.
Look at:
  driftloop drift flights --window 2013-02-05
  driftloop ledger flights""",
    ),
    "retrain": (
        notice.trouble(
            "flights", "performance",
            replace(WATCH, kind="concept_shift", action="retrain", performance_ratio=1.52,
                    text="What the inputs say of the truth has changed."),
            "", "train", None,
        ),
        "[driftloop] flights: a concept shift since 2013-02-03, retraining",
        """What: What the inputs say of the truth has changed.
Since: 2013-02-03 00:00 UTC; judged until 2013-02-06 00:00 UTC.
How bad: drift 6.3 times its threshold, performance 1.5 times its threshold.
Done: A run was started to retrain the model from the labelled rows; you hear how it ends.
Look at:
  driftloop drift flights --window 2013-02-05
  driftloop runs flights""",
    ),
    "bad release": (
        notice.trouble(
            "flights", "performance",
            replace(WATCH, kind="bad_release", action="roll_back", drift_ratio=0.4,
                    performance_ratio=121.0, text="Version 2 answers the same rows better."),
            "", None, 2,
        ),
        "[driftloop] flights: a bad release since 2013-02-03, rolled back to version 2",
        """What: Version 2 answers the same rows better.
Since: 2013-02-03 00:00 UTC; judged until 2013-02-06 00:00 UTC.
How bad: drift 0.4 times its threshold, performance 121.0 times its threshold.
Done: Version 2 answers all requests again, instead of version 3.
Look at:
  driftloop drift flights --window 2013-02-05
  driftloop rollback flights --to 3   (to undo it)""",
    ),
    "failed": (
        notice.failed("flights", RUN),
        "[driftloop] flights: run failed (NotEnoughData)",
        """What: Run drift-0123456789ab-1 of model flights failed: NotEnoughData: \
200 rows, and at least 1,000 are needed
Since: 2013-02-06 01:20 UTC; it was started because the drift alarm went off.
How bad: The version in production was not touched and goes on answering.
Look at:
  driftloop runs flights
  driftloop ledger flights""",
    ),
    "rejected": (
        notice.rejected(
            "flights", replace(RUN, outcome="rejected", message="not better than the champion")
        ),
        "[driftloop] flights: nothing better was found for the drift alarm",
        """What: What run drift-0123456789ab-1 of model flights made was rejected: \
not better than the champion
Since: 2013-02-06 01:20 UTC; it was started because the drift alarm went off.
How bad: The version in production goes on answering.
Done: While the alarm stands, it is tried again when new labelled rows have come, until \
enough was tried (retrain.give_up_after).
Look at:
  driftloop runs flights
  driftloop drift flights""",
    ),
    "released": (
        notice.released("flights", replace(RUN, outcome="released", message="it is better")),
        "[driftloop] flights: version 4 is released",
        """What: Version 4 of model flights answers all requests.
Since: 2013-02-06 01:20 UTC; run drift-0123456789ab-1 made it because the drift alarm went off.
How it was released: it is better
Look at:
  driftloop versions flights
  driftloop rollback flights   (to go back)""",
    ),
    "rolled back": (
        notice.rolled_back("flights", replace(RUN, outcome="rolled_back", message="errors: 3%")),
        "[driftloop] flights: version 4 was rolled back",
        """What: Version 4 of model flights was taken back: errors: 3%
Since: 2013-02-06 01:20 UTC; run drift-0123456789ab-1 made it because the drift alarm went off.
Done: The version before it answers all requests.
Look at:
  driftloop versions flights
  driftloop ledger flights""",
    ),
    "given up": (
        notice.given_up(
            "flights", "drift",
            Breaker(failed=3, fruitless=3, outcome="drift-0123456789ab-3: failed: out of memory"),
            replace(WATCH, kind="population_shift", action="retrain", text="It is summer."),
            "2013-02-07T00:00:00.000Z",
        ),
        "[driftloop] flights: drift persists, giving up after 3 runs",
        """What: The drift alarm of model flights still stands, and the last \
3 runs of alarms released nothing.
The last one, drift-0123456789ab-3: failed: out of memory
It is about: It is summer.
Since: 2013-02-03 00:00 UTC; given up at 2013-02-07 00:00 UTC.
How bad: drift 6.3 times its threshold, performance not known yet.
Done: No more runs are started for drift or performance until a version is released or \
you ask for a run. You are not told again.
Look at:
  driftloop drift flights
  driftloop ledger flights
  driftloop retrain flights   (to try again)""",
    ),
}  # fmt: skip


@pytest.mark.parametrize("of", TOLD)
def test_people_are_told_what_since_when_how_bad_and_what_was_done(of):
    told, subject, text = TOLD[of]
    assert told["subject"] == subject
    assert told["text"] == text


@pytest.mark.parametrize("of", TOLD)
def test_every_command_that_people_are_told_exists(of):
    told, _, _ = TOLD[of]
    commands = re.findall(r"driftloop ([a-z]+ flights[^(\n]*)", told["text"])
    assert commands
    for command in commands:
        app.parse_args(command.split(), exit_on_error=False, print_error=False)


def test_a_subject_is_what_sns_takes():
    """At most 100 characters, ASCII."""
    watch = replace(WATCH, kind="unit_bug")
    told = notice.trouble("ü" * 31, "performance", watch, WHY, None, None)
    assert told["subject"].isascii() and len(told["subject"]) <= 100


def test_a_ratio_of_several_windows_says_of_how_many() -> None:
    watch = replace(WATCH, drift_ratio=0.5, windows="2 of 3")
    told = notice.trouble("flights", "performance", watch, WHY, None, None)["text"]
    assert "drift at least 0.5 times its threshold in 2 of the last 3 windows" in told
