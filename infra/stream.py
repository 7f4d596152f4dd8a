"""Messages answered: a queue, its dead letters, where the answers go, the function between them."""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_logs_destinations as destinations
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from driftloop import keys
from driftloop.spec import Stream as Asked
from infra.function import Function
from infra.monitoring import CAPTURE_LINES
from infra.permissions import allow
from infra.settings import Settings
from infra.stages import STREAM

_GATHERED = 10  # what a queue gives at a time; a larger batch has to be waited for
_WAIT = Duration.seconds(1)
_LARGEST = 240 * 1024  # bytes; a dead letter has its reason beside it, in 256 KiB
# Lambda may need as long as five more invocations to find out that it cannot place a batch
# ("Configuring a queue to use with Lambda").
_VISIBILITY = Duration.seconds(6 * STREAM.timeout + 1)


class Stream(Construct):
    """The queues of one model; :meth:`lead` puts the function between them."""

    def __init__(self, scope: Construct, settings: Settings, model: str, asked: Asked) -> None:
        super().__init__(scope, "Messages")
        self._asked = asked
        self._name = f"driftloop-{settings.name}-{model}-stream"
        # A message keeps its age when it is moved, so dead letters have to be kept longer.
        self.dead_letters = self._queue("dead-letters", Duration.days(14))
        self.queue = self._queue(
            "", Duration.days(4), visibility_timeout=_VISIBILITY, max_message_size_bytes=_LARGEST,
            dead_letter_queue=sqs.DeadLetterQueue(
                max_receive_count=asked.retries + 1, queue=self.dead_letters
            ),
        )  # fmt: skip
        wanted = asked.answers == "queue"
        self.answers = self._queue("answers", Duration.days(14)) if wanted else None

    @property
    def environment(self) -> dict[str, str]:
        """What the function is to know."""
        own = {"DRIFTLOOP_DEAD_LETTERS": self.dead_letters.queue_url}
        return own | ({"DRIFTLOOP_ANSWERS": self.answers.queue_url} if self.answers else {})

    @property
    def outputs(self) -> dict[str, str]:
        named = {"StreamUrl": self.queue, "StreamDeadLettersUrl": self.dead_letters,
                 "StreamAnswersUrl": self.answers}  # fmt: skip
        return {name: queue.queue_url for name, queue in named.items() if queue}

    def lead(self, function: Function) -> None:
        """Messages to ``function``, and what it may do with them."""
        lambda_.EventSourceMapping(
            self, "Lead", target=function.live(), event_source_arn=self.queue.queue_arn,
            batch_size=self._asked.batch, report_batch_item_failures=True,
            max_batching_window=_WAIT if self._asked.batch > _GATHERED else None,
        )  # fmt: skip
        takes = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        for statement in (
            allow(takes, [self.queue.queue_arn]),
            allow(["sqs:SendMessage"], [self.dead_letters.queue_arn]),
            self._may_answer(),
        ):
            function.role.add_to_policy(statement)

    def watch(self, function: Function, capture: Function, tell: cloudwatch.IAlarmAction) -> None:
        """Lead what was served to the capture function; tell of messages nobody could answer."""
        logs.SubscriptionFilter(
            self, "Capture", log_group=function.log_group,
            destination=destinations.LambdaDestination(capture.live()),
            filter_pattern=logs.FilterPattern.literal(CAPTURE_LINES),
        )  # fmt: skip
        alarm = cloudwatch.Alarm(
            self, "Unanswered", alarm_name=f"{self._name}-unanswered",
            alarm_description=f"{self._name}: messages that could not be answered wait in its "
            "dead letters",
            metric=self.dead_letters.metric_approximate_number_of_messages_visible(
                period=Duration.minutes(5)
            ),
            threshold=0, evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )  # fmt: skip
        alarm.add_alarm_action(tell)

    def _may_answer(self) -> iam.PolicyStatement:
        if self.answers:
            return allow(["sqs:SendMessage"], [self.answers.queue_arn])
        bus = f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:event-bus/default"
        only = {"events:source": keys.EVENT_SOURCE, "events:detail-type": keys.PREDICTION_MADE}
        return allow(["events:PutEvents"], [bus], {"StringEquals": only})

    def _queue(self, name: str, retention: Duration, **more: Any) -> sqs.Queue:
        return sqs.Queue(
            self, name.title().replace("-", "") or "Queue",
            queue_name=f"{self._name}-{name}" if name else self._name,
            encryption=sqs.QueueEncryption.SQS_MANAGED, enforce_ssl=True,
            retention_period=retention, **more,
        )  # fmt: skip
