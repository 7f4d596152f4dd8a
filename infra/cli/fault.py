"""What the command says when it cannot do what was asked, and with which exit code it ends.

====  ==================================================================================
  0   done
  1   asked for rightly, and it came out badly: a failed run, a refused file or request
  2   asked for wrongly: no such model, no such file, a spec with mistakes
  3   nobody there: nothing deployed, embedded AWS not running, no credentials
====  ==================================================================================
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)

from driftloop.client import Refused
from driftloop.errors import DriftloopError, NotFound, SpecError, Unavailable

WENT_BADLY, ASKED_WRONGLY, NOBODY_THERE = 1, 2, 3


class Fault(Exception):
    """A sentence for the person at the terminal; ``code`` is the exit code."""

    def __init__(self, message: str, code: int = WENT_BADLY) -> None:
        super().__init__(message)
        self.code = code


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'flights'?`` or what there is."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there is {', '.join(names)}" if names else ""


def understood(error: BaseException) -> Fault | None:
    """The fault behind an error of driftloop or AWS; None for what is our own mistake."""
    match error:
        case Fault():
            return error
        case SpecError() | NotFound():
            return Fault(str(error), ASKED_WRONGLY)
        case Unavailable():
            return Fault(str(error), NOBODY_THERE)
        case Refused(errors=[_, _, *_]):
            mistakes = "".join(f"\n  {e['message']}" for e in error.errors)
            return Fault(f"the endpoint answered {error.status}:{mistakes}")
        case DriftloopError():
            return Fault(str(error))
        case NoCredentialsError():
            return Fault(
                "no AWS credentials found; `driftloop up` starts an embedded AWS that needs none",
                NOBODY_THERE,
            )
        case NoRegionError() if "AWS_ENDPOINT_URL" in os.environ:
            return Fault(
                "AWS_ENDPOINT_URL is set, but no AWS region: export AWS_REGION as well, and all "
                "that `driftloop up` printed",
                ASKED_WRONGLY,
            )
        case NoRegionError():
            return Fault(
                "no embedded AWS is running (`driftloop up` starts it), and no AWS region is set "
                "to look elsewhere (export AWS_REGION)",
                NOBODY_THERE,
            )
        case EndpointConnectionError():
            return Fault(f"{error}; is it running? `driftloop up` starts it", NOBODY_THERE)
        case ClientError():
            said = error.response.get("Error", {})
            return Fault(f"AWS refused {error.operation_name}: {said.get('Message', error)}")
        case BotoCoreError():
            return Fault(f"AWS could not be asked: {error}", NOBODY_THERE)
    return None
