"""Messages of a queue, served as requests that came another way. Standard library only.

A message's body is any payload the endpoint takes; its id is the request's, and the moment it was
first received is the request's time, so that a message served twice is given the same prediction
ids. It goes one of three ways:

answered     the answer is kept under the message's id, if none is kept yet, and the kept one is
             sent: whatever came twice, or was served by two versions, has one answer for ever
poison       nothing will make the payload right: it goes to the dead letters, with the reason
comes again  the queue delivers it once more, and moves it to the dead letters after its last try
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from driftloop import emf
from driftloop.errors import BadRequest, DriftloopError, RequestTooLarge, Unavailable
from driftloop.problem import Response, problem

LARGEST_ANSWER = 250_000  # characters, ASCII: an event has 256 KiB in all, an item 400 KB
KEPT_SECONDS = 5 * 86_400  # longer than a queue of ours holds a message
_LONGEST_REASON = 1024  # characters

Record = Mapping[str, Any]
Respond = Callable[[Mapping[str, Any], float], tuple[Response, list[str]]]


@dataclass(frozen=True)
class Letter:
    """A message nobody can answer: as it was sent, and why. ``error`` is the error's name."""

    message: str
    body: str
    error: str
    reason: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


class Ways(Protocol):
    """Where answers and letters go. All raise a DriftloopError when something stands in the way."""

    def keep(self, message: str, answer: str, expires: int) -> str:
        """The answer kept for ``message``: this one, unless there is one already. ``expires``:
        epoch seconds."""
        ...

    def send(self, answers: Sequence[str]) -> set[int]:
        """Positions of those that were not taken."""
        ...

    def bury(self, letter: Letter) -> None: ...


@dataclass
class Stream:
    """Answers the messages of one model in ``env``. ``respond`` is the endpoint's; ``say`` takes a
    sentence for the log."""

    env: str
    model: str
    respond: Respond
    ways: Ways
    say: Callable[[str], None]

    def serve(self, records: Sequence[Record], tick: float) -> tuple[dict[str, Any], list[str]]:
        """What Lambda wants to know (the messages that come again) and the lines to print.

        ``records`` as SQS gives them to a function; ``tick``: seconds of a monotonic clock. Never
        raises. What could not be reached for one message is not tried for those behind it: the
        time of an invocation is bounded, and they come again as well.
        """
        again: list[str] = []
        poison = 0
        found: list[str] = []
        answered: list[tuple[str, str]] = []
        for position, record in enumerate(records):
            message = record["messageId"]
            try:
                try:
                    answer, lines = self._answer(record, tick)
                except BadRequest as error:
                    self.ways.bury(letter(record, error))
                    poison += 1
                else:
                    answered.append((message, answer))
                    found += lines
            except Unavailable as error:
                self.say(f"message {message} and those behind it come again: {error}")
                again += [r["messageId"] for r in records[position:]]
                break
            except Exception as error:  # noqa: BLE001  (one message's failure is its own)
                self.say(f"message {message} comes again: {_told(error)}")
                again.append(message)
        again += self._send(answered)
        counts = {"Messages": len(records), "PoisonMessages": poison, "RetriedMessages": len(again)}
        found.append(self._metrics(records, counts))
        return {"batchItemFailures": [{"itemIdentifier": message} for message in again]}, found

    def _answer(self, record: Record, tick: float) -> tuple[str, list[str]]:
        """The answer to send, and the lines of serving it. The lines of an answer that is not the
        one kept are nobody's: another delivery has printed its own."""
        message = record["messageId"]
        response, lines = self.respond(request(record), tick)
        status, body = response["statusCode"], response["body"]
        if 400 <= status < 500 and status != 429:
            raise _Refused(body)
        if status in (429, 503):
            raise Unavailable(_detail(body))
        if status != 200:
            raise DriftloopError(_detail(body))
        answer = f'{{"message":{json.dumps(message)},{body[1:]}'
        if len(answer) > LARGEST_ANSWER:
            raise RequestTooLarge(
                f"the answer would have {len(answer):,} bytes; at most {LARGEST_ANSWER:,} go out "
                "for one message, so send fewer rows in it"
            )
        kept = self.ways.keep(message, answer, first_received(record) // 1000 + KEPT_SECONDS)
        return kept, lines if kept == answer else []

    def _send(self, answered: list[tuple[str, str]]) -> list[str]:
        """Send every answer; the messages whose answers were not taken."""
        if not answered:
            return []
        try:
            lost = self.ways.send([answer for _, answer in answered])
        except DriftloopError as error:
            self.say(f"{len(answered)} messages come again, their answers cannot be sent: {error}")
            return [message for message, _ in answered]
        return [answered[position][0] for position in sorted(lost)]

    def _metrics(self, records: Sequence[Record], counts: Mapping[str, int]) -> str:
        now = max(first_received(record) for record in records)
        values = {name: (float(count), "Count") for name, count in counts.items()}
        return emf.line(self.env, now, {"model": self.model}, values)


class _Refused(BadRequest):
    """The endpoint's own problem document of a payload it cannot answer."""

    def __init__(self, document: str) -> None:
        self.problem = json.loads(document)
        super().__init__(_said(self.problem))


def request(record: Record) -> dict[str, Any]:
    """A message as the HTTP API would hand it over; its ``content-type`` attribute may say that it
    is another payload than JSON."""
    given = (record.get("messageAttributes") or {}).get("content-type") or {}
    return {
        "requestContext": {"requestId": record["messageId"], "timeEpoch": first_received(record)},
        "headers": {"content-type": given.get("stringValue") or "application/json"},
        "body": record["body"],
        "isBase64Encoded": False,
    }


def first_received(record: Record) -> int:
    """Epoch milliseconds: when the message was first received, whichever delivery this is."""
    return int(record["attributes"]["ApproximateFirstReceiveTimestamp"])


def letter(record: Record, error: BadRequest) -> Letter:
    """The dead letter of a message, with the attributes it had."""
    document = error.problem if isinstance(error, _Refused) else json.loads(problem(error)["body"])
    return Letter(
        message=record["messageId"],
        body=record["body"],
        error=document["type"].rpartition(":")[2],
        reason=_said(document)[:_LONGEST_REASON],
        attributes=record.get("messageAttributes") or {},
    )


def _said(document: Mapping[str, Any]) -> str:
    """What a problem document says is wrong, all of it."""
    messages = [error["message"] for error in document.get("errors") or []]
    return "; ".join(dict.fromkeys(messages)) or str(document.get("detail", ""))


def _detail(body: str) -> str:
    return str(json.loads(body).get("detail", ""))


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, DriftloopError) else traceback.format_exc()
