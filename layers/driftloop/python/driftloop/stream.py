"""Messages of a queue, served as requests that came another way. Standard library only.

A message's body is any payload the endpoint takes; its id is the request's, and the moment it was
first received is the request's time, so that a message served twice is given the same prediction
ids. It goes one of three ways:

answered     the answer is sent
poison       nothing will make the payload right: it goes to the dead letters, with the reason
comes again  the queue delivers it once more, and moves it to the dead letters after its last try

What became of it is kept under its id before anybody is told, if nothing is kept yet, and what is
kept is what is told: a message that came twice, or was served by two versions, has one outcome for
ever.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from driftloop import emf
from driftloop.errors import DriftloopError, RequestTooLarge, Unavailable
from driftloop.problem import Response, problem

LARGEST_ANSWER = 250_000  # characters, ASCII: an event has 256 KiB in all, an item 400 KB
KEPT_SECONDS = 5 * 86_400  # longer than a queue of ours holds a message
_LONGEST_REASON = 1024  # characters
_ANSWER = '{"message":'

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

    def keep(self, message: str, outcome: str, expires: int) -> str:
        """What is kept of ``message``: this, unless there is something already. ``expires``: epoch
        seconds."""
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
                outcome, lines = self._outcome(record, tick)
                found += lines
                if outcome.startswith(_ANSWER):
                    answered.append((message, outcome))
                else:
                    self.ways.bury(letter(record, outcome))
                    poison += 1
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

    def _outcome(self, record: Record, tick: float) -> tuple[str, list[str]]:
        """What is kept of the message, and the lines of serving it. The lines of an outcome that
        is not the one kept are nobody's: another delivery has printed its own."""
        response, lines = self.respond(request(record), tick)
        status, body = response["statusCode"], response["body"]
        if status in (429, 503):
            raise Unavailable(_detail(body))
        if status >= 500:
            raise DriftloopError(_detail(body))
        outcome = refusal(body) if status != 200 else answer(record, body)
        if len(outcome) > LARGEST_ANSWER:
            lines, outcome = [], refusal(_too_large(len(outcome)))
        expires = first_received(record) // 1000 + KEPT_SECONDS
        kept = self.ways.keep(record["messageId"], outcome, expires)
        return kept, lines if kept == outcome else []

    def _send(self, answered: list[tuple[str, str]]) -> list[str]:
        """Send every answer; the messages whose answers were not taken."""
        if not answered:
            return []
        try:
            lost = self.ways.send([answer for _, answer in answered])
        except Exception as error:  # noqa: BLE001  (all of them come again)
            self.say(f"{len(answered)} messages come again, their answers not sent: {_told(error)}")
            return [message for message, _ in answered]
        return [answered[position][0] for position in sorted(lost)]

    def _metrics(self, records: Sequence[Record], counts: Mapping[str, int]) -> str:
        now = max(first_received(record) for record in records)
        values = {name: (float(count), "Count") for name, count in counts.items()}
        return emf.line(self.env, now, {"model": self.model}, values)


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


def answer(record: Record, body: str) -> str:
    """The endpoint's answer, with the message it is to."""
    return f"{_ANSWER}{json.dumps(record['messageId'])},{body[1:]}"


def refusal(document: str) -> str:
    """A problem document as it is kept: the error's name, and all that was wrong."""
    found = json.loads(document)
    mistakes = dict.fromkeys(error["message"] for error in found.get("errors") or [])
    reason = "; ".join(mistakes) or str(found.get("detail", ""))
    name = str(found["type"]).rpartition(":")[2]
    return json.dumps({"error": name, "reason": reason[:_LONGEST_REASON]})


def letter(record: Record, refused: str) -> Letter:
    """The dead letter of a message, with the attributes it had."""
    attributes = record.get("messageAttributes") or {}
    return Letter(record["messageId"], record["body"], **json.loads(refused), attributes=attributes)


def _too_large(size: int) -> str:
    error = RequestTooLarge(
        f"the answer would have {size:,} bytes; at most {LARGEST_ANSWER:,} go out for one "
        "message, so send fewer rows in it"
    )
    return str(problem(error)["body"])


def _detail(body: str) -> str:
    return str(json.loads(body).get("detail", ""))


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, DriftloopError) else traceback.format_exc()
