"""What can go wrong, as people meet it.

::

    DriftloopError                  anything driftloop itself says no to
    ├── SpecError                   the spec file is wrong               (refused at synth)
    ├── DataError                   the data is wrong; the champion goes on answering
    │   ├── UnreadableFile          not the format it should be, or not text
    │   ├── WrongColumns            missing, unknown or duplicate columns
    │   ├── TooLarge                more than a reader may be asked to unpack or hold (a bomb?)
    │   ├── TooManyRejected         more bad rows than `data.reject_above`
    │   ├── ExpectationFailed       the upload as a whole is not what `data.expect` says
    │   └── NotEnoughData           too few rows, one class only, no holdout
    ├── TrainingError               no trial could be fitted, or the model cannot be exported
    ├── RegistryConflict            somebody else wrote meanwhile
    │   ├── StaleLock               this run no longer holds the lock
    │   └── RouteMoved              the route changed between read and write
    ├── IntegrityError              an artefact is not the one the registry names
    ├── NotFound                    no such model, version, run       (HTTP 404)
    ├── WrongMethod                 there is such a path, for others  (HTTP 405)
    ├── BadRequest                  a request that cannot be answered (HTTP 400)
    │   ├── RequestTooLarge         more than one request may ask     (HTTP 413)
    │   └── UnsupportedMedia        a type or coding nobody reads here (HTTP 415)
    └── Unavailable                 a service did not answer in time  (HTTP 503; retried)

In the state machine only :class:`Unavailable` and AWS's own transient errors are retried; every
other one ends the run by name, and the champion stays.
"""

from __future__ import annotations

from collections.abc import Sequence


class DriftloopError(Exception):
    """Base of all. ``str(error)`` says what was wrong, where, and what would be right."""

    http_status = 500


class SpecError(DriftloopError):
    """The spec is wrong: one line per mistake, each with its path and the nearest valid name."""

    http_status = 400


class DataError(DriftloopError):
    """The data is wrong."""

    http_status = 400


class UnreadableFile(DataError):
    """The object cannot be read as what it should be."""


class WrongColumns(DataError):
    """Columns are missing, unknown or doubled."""


class TooLarge(DataError):
    """More than a reader may be asked to unpack or hold at once: a bomb, or no such file."""

    http_status = 413


class TooManyRejected(DataError):
    """More rows were rejected than the spec allows."""


class ExpectationFailed(DataError):
    """The upload as a whole is not what the spec expects: one line per broken expectation."""


class NotEnoughData(DataError):
    """Too little to learn from."""


class TrainingError(DriftloopError):
    """No model came out."""


class RegistryConflict(DriftloopError):
    """Somebody else wrote meanwhile."""

    http_status = 409


class StaleLock(RegistryConflict):
    """The lock belongs to another run by now."""


class RouteMoved(RegistryConflict):
    """The route changed between read and write."""


class IntegrityError(DriftloopError):
    """Bytes differ from what the registry promises."""


class NotFound(DriftloopError):
    """No such thing."""

    http_status = 404


class WrongMethod(DriftloopError):
    """The path is there, but not for this method; ``allow`` names those it is there for."""

    http_status = 405

    def __init__(self, message: str, allow: str = "") -> None:
        super().__init__(message)
        self.allow = allow


class BadRequest(DriftloopError):
    """A request that cannot be answered; ``field`` is the path of what is wrong, ``also`` the
    request's other mistakes."""

    http_status = 400

    def __init__(self, message: str, field: str = "", also: Sequence[BadRequest] = ()) -> None:
        super().__init__(message)
        self.field, self.also = field, tuple(also)


class RequestTooLarge(BadRequest):
    """More than one request may ask."""

    http_status = 413


class UnsupportedMedia(BadRequest):
    """A media type, charset or content coding that is not read here."""

    http_status = 415


class Unavailable(DriftloopError):
    """A service did not answer in time."""

    http_status = 503
