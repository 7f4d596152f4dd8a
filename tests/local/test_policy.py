"""The IAM policy language, as AWS documents it."""

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.condition import glob
from infra.local.policy import Ask, Verdict, decide, delegates

BUCKET = "arn:aws:s3:::store"


def policy(**statement: object) -> dict[str, object]:
    return {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", **statement}]}


def verdict(*documents: dict[str, object], **ask: object) -> Verdict:
    question: dict[str, object] = {"action": "s3:GetObject", "resource": f"{BUCKET}/flights/x"}
    return decide(documents, Ask(**{**question, **ask})).verdict  # type: ignore[arg-type]


def test_nothing_is_allowed_unless_a_statement_allows_it() -> None:
    assert verdict() is Verdict.DENIED
    assert verdict(policy(Action="s3:Get*", Resource=f"{BUCKET}/flights/*")) is Verdict.ALLOWED
    assert verdict(policy(Action="s3:get*")) is Verdict.ALLOWED
    assert verdict(policy(Action="s3:Get*", Resource=f"{BUCKET}/other/*")) is Verdict.DENIED
    assert verdict(policy(Action="s3:GetObjectVersion")) is Verdict.DENIED


def test_a_deny_wins_wherever_it_stands() -> None:
    deny = policy(Effect="Deny", Action="s3:*")
    assert verdict(policy(), deny) is Verdict.FORBIDDEN
    assert verdict(deny, policy()) is Verdict.FORBIDDEN


def test_not_action_and_not_resource_are_complements() -> None:
    statement = {"Effect": "Allow", "NotAction": "iam:*", "NotResource": f"{BUCKET}/secret/*"}
    document: dict[str, object] = {"Statement": statement}
    assert verdict(document) is Verdict.ALLOWED
    assert verdict(document, action="iam:PassRole") is Verdict.DENIED
    assert verdict(document, resource=f"{BUCKET}/secret/a") is Verdict.DENIED


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"s3:prefix": ["a/", "b/"]}}, {"s3:prefix": "b/"}, True),
        ({"StringEquals": {"s3:prefix": "a/"}}, {}, False),
        ({"StringEqualsIfExists": {"s3:prefix": "a/"}}, {}, True),
        ({"StringNotEquals": {"s3:prefix": ["a", "b"]}}, {"s3:prefix": "b"}, False),
        ({"StringNotEquals": {"s3:prefix": "a"}}, {}, True),
        ({"StringLike": {"S3:Prefix": "flights/*"}}, {"s3:prefix": "flights/2013"}, True),
        (
            {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "MODEL#f*"}},
            {"dynamodb:LeadingKeys": ["MODEL#flights", "MODEL#fish"]},
            True,
        ),
        (
            {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "MODEL#f*"}},
            {"dynamodb:LeadingKeys": ["MODEL#flights", "MODEL#other"]},
            False,
        ),
        ({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "x"}}, {}, True),
        ({"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": "x"}}, {}, False),
        ({"Bool": {"aws:SecureTransport": False}}, {"aws:SecureTransport": "true"}, False),
        ({"Null": {"dynamodb:LeadingKeys": "false"}}, {"dynamodb:LeadingKeys": ["x"]}, True),
        ({"Null": {"dynamodb:LeadingKeys": "false"}}, {}, False),
        (
            {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:1:rule/*"}},
            {"aws:SourceArn": "arn:aws:events:us-east-1:1:rule/a/b"},
            True,
        ),
        (
            {"ArnLike": {"aws:SourceArn": "arn:aws:*:rule/x"}},
            {"aws:SourceArn": "arn:aws:events:us-east-1:1:rule/x"},
            False,
        ),
        ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "9"}, True),
        ({"NumericLessThan": {"s3:max-keys": "10"}}, {"s3:max-keys": "many"}, False),
        (
            {"StringEquals": {"aws:PrincipalArn": "${aws:PrincipalArn}"}},
            {"aws:PrincipalArn": "*"},
            True,
        ),
    ],
)
def test_conditions(
    condition: dict[str, object], context: dict[str, object], expected: bool
) -> None:
    wanted = Verdict.ALLOWED if expected else Verdict.DENIED
    assert verdict(policy(Condition=condition), context=context) is wanted


@pytest.mark.parametrize(
    "condition",
    [{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"StringEquals": {"aws:SourceVpc": "vpc-1"}}],
)
def test_what_is_not_known_cannot_be_judged(condition: dict[str, object]) -> None:
    assert verdict(policy(Condition=condition)) is Verdict.UNJUDGED
    deny = policy(Effect="Deny", Condition=condition)
    assert verdict(policy(), deny) is Verdict.UNJUDGED
    assert verdict(policy(), policy(Condition=condition)) is Verdict.ALLOWED


def test_a_policy_variable_is_literal_and_a_missing_one_matches_nothing() -> None:
    document = policy(Resource=BUCKET + "/${aws:PrincipalArn}/*")
    ask = {"resource": f"{BUCKET}/anyone/x"}
    assert verdict(document, **ask) is Verdict.DENIED
    assert verdict(document, **ask, context={"aws:PrincipalArn": "*"}) is Verdict.DENIED
    assert verdict(document, **ask, context={"aws:PrincipalArn": "anyone"}) is Verdict.ALLOWED


def test_a_resource_policy_speaks_to_whom_it_names() -> None:
    document = policy(Principal={"Service": "events.amazonaws.com"})
    assert verdict(document, principal="events.amazonaws.com") is Verdict.ALLOWED
    assert verdict(document, principal="arn:aws:iam::1:role/r") is Verdict.DENIED
    assert verdict(policy(Principal={"AWS": "*"}), principal="arn:aws:iam::1:role/r").name


def test_a_key_policy_that_names_the_root_leaves_it_to_iam() -> None:
    document = policy(Principal={"AWS": "arn:aws:iam::1:root"}, Action="kms:*")
    ask = Ask("kms:Decrypt", "arn:aws:kms:us-east-1:1:key/k", {}, "arn:aws:iam::1:role/r")
    assert decide([document], ask).verdict is Verdict.DENIED
    assert delegates(document, ask, "1")
    assert not delegates(policy(Principal={"AWS": "arn:aws:iam::1:role/r"}), ask, "1")


@given(st.text("ab*?[:/", max_size=6), st.text("ab[:/", max_size=6))
def test_wildcards_are_star_and_question_mark_only(pattern: str, value: str) -> None:
    reference = fnmatch.translate(pattern.replace("[", "[[]"))
    assert glob(pattern, value) == bool(re.match(reference, value))


@given(st.text("ab*?$[\\", max_size=8))
def test_a_value_matches_itself_by_variable(value: str) -> None:
    document = policy(Resource="${aws:PrincipalArn}")
    context = {"aws:PrincipalArn": value}
    assert verdict(document, resource=value, context=context) is Verdict.ALLOWED
