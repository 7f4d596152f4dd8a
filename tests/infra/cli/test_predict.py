"""What `driftloop predict` shows of an answer."""

import pytest

from infra.cli import predict


@pytest.mark.parametrize(
    ("more", "header", "cell"),
    [
        ({"probability": 0.25}, "probability", "0.25"),
        ({"probabilities": {"a": 0.25}}, "probability", "0.25"),
        ({"interval": {"confidence": 0.9, "low": 1.5, "high": 3}}, "90% interval", "1.5 to 3"),
    ],
)
def test_how_sure_a_value_is_stands_beside_it(more, header, cell, capsys):
    predict._show([{"id": "i", "value": 2.0, "version": 1, **more}])
    top, row = capsys.readouterr().out.splitlines()
    assert header in top
    assert cell in row
