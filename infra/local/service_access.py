"""Whether a resource's own policy, and its key's, let an AWS service in.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moto.awslambda.utils import get_backend as lambda_backend
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from .policy import Ask, decide

if TYPE_CHECKING:
    from .server import Local

_ACTIONS = {
    "lambda": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "logs": "logs:PutLogEvents",
}


def refusal(local: "Local", service: str, target_arn: str, source_arn: str) -> str | None:
    """Why ``service`` (``events.amazonaws.com``) may not reach the target, or None.

    ``source_arn`` is the rule, alarm, topic or log group on whose behalf it calls. A resource that
    does not exist raises moto's own error.
    """
    kind = target_arn.split(":")[2]
    document, key = _policy_and_key(local, kind, target_arn)
    context = {
        "aws:SourceArn": source_arn,
        "aws:SourceAccount": local.account,
        "aws:SecureTransport": "true",
    }
    if service == "cloudwatch.amazonaws.com":
        context["aws:SourceOwner"] = local.account  # what a topic's default policy asks for
    resource = f"{target_arn}:log-stream:x" if kind == "logs" else target_arn
    decision = decide([document], Ask(_ACTIONS[kind], resource, context, service))
    if not decision.allowed:
        return f"{service} may not {_ACTIONS[kind]} on {target_arn}: {decision.why}"
    if key:
        return _key_refusal(local, service, key, context)
    return None


def _policy_and_key(local: "Local", kind: str, arn: str) -> tuple[Mapping[str, Any], str | None]:
    if kind == "lambda":
        function = lambda_backend(local.account, local.region).get_function(arn)
        return {"Statement": function.policy.statements}, None
    if kind == "sqs":
        queue = sqs_backends[local.account][local.region].get_queue(arn.rpartition(":")[2])
        return json.loads(queue.policy or "{}"), getattr(queue, "kms_master_key_id", None)
    if kind == "sns":
        topic = sns_backends[local.account][local.region].get_topic(arn)
        return json.loads(topic.policy), topic.kms_master_key_id or None
    if kind == "logs":
        policies = logs_backends[local.account][local.region].resource_policies.values()
        documents = [json.loads(policy.policy_document) for policy in policies]
        return {"Statement": [s for d in documents for s in _listed(d["Statement"])]}, None
    raise NotImplementedError(f"access of services to {arn}")


def _key_refusal(
    local: "Local", service: str, key_id: str, context: Mapping[str, str]
) -> str | None:
    if key_id.startswith("alias/aws/"):
        return f"{service} cannot use the AWS-managed key {key_id}: only a customer key"
    backend = kms_backends[local.account][local.region]
    key = backend.keys[backend.any_id_to_key_id(key_id)]
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        decision = decide([json.loads(key.policy)], Ask(action, key.arn, context, service))
        if not decision.allowed:
            return f"{service} may not {action} with {key.arn}: {decision.why}"
    return None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
