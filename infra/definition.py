"""The state machine's definition as data (Amazon States Language, JSONPath).

Between states travel references and counts, never rows. ``${Name}`` are substitutions:
:mod:`infra.workflow` says what stands for them.
"""

from __future__ import annotations

from typing import Any

State = dict[str, Any]

# AWS's own passing troubles, and ours; every other error ends the run under its own name.
TRANSIENT = [
    "Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException", "Lambda.ClientExecutionTimeoutException", "Unavailable",
]  # fmt: skip
LONGEST = 30 * 86400  # seconds; a bake or an approval may take days


def definition(timeouts: dict[str, int], training: dict[str, State]) -> State:
    """``timeouts``: seconds by stage. ``training``: the branch's states, from Train to Validate."""

    def step(stage: str, op: str, result: str, then: str, **more: Any) -> State:
        return task(stage, op, timeouts[stage], ResultPath=f"$.{result}", Next=then, **more)

    def look(op: str) -> State:
        """A person's word may come while a look is at work: it is looked at again."""
        again = retry([*TRANSIENT, "RouteMoved"])
        return step("release", op, "release", "Baking?", Retry=again)

    return {
        "Comment": "upload → train → validate → register → release",
        "StartAt": "CheckLock",
        "TimeoutSeconds": LONGEST,
        "States": {
            "CheckLock": _check_lock(),
            "Ingest": step("ingest", "ingest", "ingest", "Pieces?"),
            "Pieces?": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.ingest.pieces", "NumericGreaterThan": 0, "Next": "CheckPieces"}
                ],
                "Default": "Prepare",
            },
            "CheckPieces": _check_pieces(timeouts["ingest"]),
            "Merge": step("ingest", "merge", "ingest", "Pieces?"),
            "Prepare": step("prepare", "prepare", "frame", "ProposeTrials"),
            "ProposeTrials": step("tune", "propose", "trials", "EvaluateTrials"),
            "EvaluateTrials": _evaluate_trials(timeouts["tune"]),
            "ChooseTrial": step("tune", "choose", "choice", "Train"),
            **training,
            "Validate": step("validate", "validate", "verdict", "Accepted?"),
            "Accepted?": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.verdict.accepted", "BooleanEquals": True, "Next": "Register"}
                ],
                "Default": "Rejected",
            },
            "Rejected": {"Type": "Succeed"},
            "Register": step("register", "register", "version", "Release"),
            "Release": look("start"),
            "Baking?": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.release.status", "StringEquals": "baking", "Next": "Bake"}
                ],
                "Default": "Done",
            },
            "Bake": {"Type": "Wait", "SecondsPath": "$.release.wait_seconds", "Next": "Observe"},
            "Observe": look("observe"),
            "Done": {"Type": "Succeed"},
            "StaleLock": {
                "Type": "Fail", "Error": "StaleLock",
                "Cause": "The lock of this model belongs to another run by now.",
            },
            "Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
        },
    }  # fmt: skip


def task(stage: str, op: str, timeout: int, **more: Any) -> State:
    """A Lambda task: the operation, the whole state, and the time this state was entered.

    The function's ARN is the resource itself, so that its answer, and nothing around it, is the
    result; ``lambda:invoke`` would wrap it, and no selector can unwrap a list.
    """
    return {
        "Type": "Task",
        "Resource": f"${{{stage.capitalize()}}}",
        "Parameters": {"op": op, "state.$": "$", **MOMENT},
        "TimeoutSeconds": timeout + 30,  # the function's own, and a cold start
        "Retry": retry(TRANSIENT),
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed"}],
        **more,
    }


MOMENT = {"now.$": "$$.State.EnteredTime", "execution.$": "$$.Execution.Id"}


def retry(errors: list[str]) -> list[State]:
    return [
        {
            "ErrorEquals": errors,
            "IntervalSeconds": 2,
            "BackoffRate": 2,
            "MaxAttempts": 3,
            "MaxDelaySeconds": 60,
            "JitterStrategy": "FULL",
        }
    ]


def _check_lock() -> State:
    """Refuse to go on, also when redriven, once another run holds the lock."""
    return {
        "Type": "Task",
        "Resource": "${UpdateItem}",
        "Parameters": {
            "TableName": "${Table}",
            "Key": {"pk": {"S": "${Lock}"}, "sk": {"S": "LOCK"}},
            "UpdateExpression": "SET #checked = :now",
            "ConditionExpression": "#holder = :run AND #fence = :fence",
            "ExpressionAttributeNames": {
                "#checked": "checked", "#holder": "holder", "#fence": "fence",
            },
            "ExpressionAttributeValues": {
                ":now": {"S.$": "$$.State.EnteredTime"},
                ":run": {"S.$": "$.run"},
                ":fence": {"N.$": "States.Format('{}', $.fence)"},
            },
        },
        "ResultPath": None,
        "TimeoutSeconds": 30,
        "Retry": retry([
            "DynamoDB.ProvisionedThroughputExceededException", "DynamoDB.ThrottlingException",
            "DynamoDB.RequestLimitExceeded", "DynamoDB.InternalServerError",
            "DynamoDB.SdkClientException", "States.Timeout",
            # the governor writes the lock in transactions, maybe just now
            "DynamoDB.TransactionConflictException",
        ]),
        "Catch": [
            {
                "ErrorEquals": ["DynamoDB.ConditionalCheckFailedException"],
                "ResultPath": "$.error", "Next": "StaleLock",
            },
            {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed"},
        ],
        "Next": "Ingest",
    }  # fmt: skip


def _check_pieces(timeout: int) -> State:
    """The pieces of large uploads. Bad data is no failure: the merge decides on it."""
    check = task("ingest", "check", timeout, End=True)
    check["Parameters"] = {"op": "check", "piece.$": "$.item", "state.$": "$.state"}
    state = {"run.$": "$.run", "now.$": "$.now"}
    return each("Pieces", "CheckPiece", check, "$.ingest.items", state, Next="Merge")


def each(label: str, name: str, work: State, items: str, state: State, **more: Any) -> State:
    """A Map over the list in the store that ``items`` names, each item in an execution of its own
    (STANDARD: an EXPRESS one may not outlast five minutes), in which the state ``name`` is given
    ``item`` and ``state``. What was done is not done again, so the retry of the whole runs what
    failed.
    """
    del work["Catch"]  # a failure is the map's to count
    return {
        "Type": "Map",
        "Label": label,
        "ItemReader": {
            "Resource": "${GetObject}",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": "${Store}", "Key.$": items},
        },
        "ItemSelector": {"item.$": "$$.Map.Item.Value", "state": state},
        "MaxConcurrency": 8,  # a new account runs ten functions at once, and some must serve
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": name,
            "States": {name: work},
        },
        "ResultPath": None,
        "Retry": retry(["States.ExceedToleratedFailureThreshold", "States.ItemReaderFailed"]),
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed"}],
        **more,
    }


def _evaluate_trials(timeout: int) -> State:
    """Every trial for itself: one that fails is a score less, not the end of the run."""
    evaluate = task("tune", "evaluate", timeout, End=True)
    evaluate["Parameters"] = {
        "op": "evaluate", "trial.$": "$.trial", "state.$": "$.state", **MOMENT,
    }  # fmt: skip
    evaluate["Catch"][0]["Next"] = "TrialFailed"
    return {
        "Type": "Map",
        "ItemsPath": "$.trials",
        "ItemSelector": {"trial.$": "$$.Map.Item.Value", "state.$": "$"},
        "MaxConcurrency": 2,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "EvaluateTrial",
            "States": {
                "EvaluateTrial": evaluate,
                "TrialFailed": {
                    "Type": "Pass",
                    "Parameters": {
                        "trial.$": "$.trial.trial",
                        "estimator.$": "$.trial.estimator",
                        "error.$": "$.error.Error",
                    },
                    "End": True,
                },
            },
        },
        "ResultPath": "$.scores",
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed"}],
        "Next": "ChooseTrial",
    }
