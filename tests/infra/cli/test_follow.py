"""The last line of a followed run."""

import pytest

from driftloop.run import Run
from infra.cli.follow import summary


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ({"outcome": "released", "version": 3}, "[green]released[/] as version 3"),
        ({"outcome": "rolled_back", "version": 3, "message": "root: [a] try"},
         r"[yellow]rolled back[/] version 3: root: \[a] try"),
        ({"outcome": "rejected"}, "[yellow]rejected[/]"),
    ],
)  # fmt: skip
def test_only_what_answers_is_called_a_version_released(ended, said):
    run = Run("r", "upload", "SUCCEEDED", **ended)
    assert summary(run) == said
