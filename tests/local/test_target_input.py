"""Input transformation, against the examples of EventBridge's own guide."""

import json
from typing import Any

import pytest

from infra.local.target_input import InvalidPath, at_path, shape

RULE = "arn:aws:events:us-east-1:123456789012:rule/example"
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "time": "2015-11-11T21:29:54Z",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    "detail": {"instance-id": "i-0123456789", "state": "RUNNING", "said": 'a "word"'},
}
PATHS = {"instance": "$.detail.instance-id", "state": "$.detail.state"}


def transformed(template: str, paths: dict[str, str] = PATHS) -> str:
    target = {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    return shape(target, EVENT, RULE)


def test_without_a_wish_the_whole_event() -> None:
    assert json.loads(shape({}, EVENT, RULE)) == EVENT


def test_a_constant_and_a_part() -> None:
    assert shape({"Input": '{"a":1}'}, EVENT, RULE) == '{"a":1}'
    assert json.loads(shape({"InputPath": "$.detail"}, EVENT, RULE)) == EVENT["detail"]
    assert shape({"InputPath": "$.resources[0]"}, EVENT, RULE) == json.dumps(EVENT["resources"][0])


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('"instance <instance> is in <state>"', '"instance i-0123456789 is in RUNNING"'),
        ('{"instance" : <instance>}', '{"instance" : "i-0123456789"}'),
        ('{"i": "<instance>", "s": [<state>, 9]}', '{"i": "i-0123456789", "s": ["RUNNING", 9]}'),
        ('{"rule": <aws.events.rule-arn>}', f'{{"rule": "{RULE}"}}'),
        ('"<aws.events.rule-name>"', '"example"'),
    ],
)
def test_templates(template: str, expected: str) -> None:
    assert transformed(template) == expected


def test_quotes_inside_values_stay_json() -> None:
    template = '{"said": <said>, "text": "he said <said>", "all": <aws.events.event.json>}'
    filled = json.loads(transformed(template, {"said": "$.detail.said"}))
    assert filled == {"said": 'a "word"', "text": 'he said a "word"', "all": EVENT}


def test_what_is_absent_is_null_or_nothing() -> None:
    assert json.loads(transformed('{"a": <x>, "b": "<x>"}', {"x": "$.detail.none[3]"})) == {
        "a": None,
        "b": "",
    }


@pytest.mark.parametrize("path", ["detail", "$.a..b", "$.a[?(@.b)]", "$ .a"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(InvalidPath):
        at_path(EVENT, path)
