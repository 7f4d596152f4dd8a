"""What each function is given: layers, size, time, and exactly the grants it uses.

Folders are those of :mod:`driftloop.keys` under the model's own prefix; every grant is narrowed to
one model in :mod:`infra.permissions`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from infra.settings import StageName

Layer = Literal["runtime", "tabular", "science"]
READ_ITEMS = ("dynamodb:GetItem", "dynamodb:Query")
ONE_ITEM = ("dynamodb:GetItem", "dynamodb:PutItem")


@dataclass(frozen=True)
class Stage:
    """One function. ``memory`` in MiB, ``timeout`` in seconds."""

    name: StageName
    does: str
    layers: tuple[Layer, ...] = ("runtime",)
    memory: int = 256
    timeout: int = 30
    disk: int = 512  # MiB of /tmp
    asynchronous: bool = False  # invoked by events: failures go to the dead-letter queue
    landing: tuple[str, ...] = ()  # folders of the landing bucket it reads, version by version
    versions: tuple[str, ...] = ()  # folders of the landing bucket whose versions it lists
    reads: tuple[str, ...] = ()  # folders of the store
    writes: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()  # written too, and forgotten after some days
    lists: tuple[str, ...] = ()
    items: tuple[str, ...] = ()  # DynamoDB actions on the model's own items
    arrivals: tuple[str, ...] = ()  # and on the one that says when labelled rows came in
    champion: tuple[str, ...] = ()  # and on the one that says how the champion does
    messages: tuple[str, ...] = ()  # and on those of the messages it was sent
    watches: tuple[str, ...] = ()  # what it asks CloudWatch, which knows no narrower resource
    starts_runs: bool = False
    notifies: bool = False


WORKFLOW = (
    Stage(
        "ingest", "checks an upload and stores what passes", ("runtime", "tabular"), 1769, 900,
        landing=("incoming",), versions=("incoming",),
        reads=("parts", "facts", "quarantine", "pieces", "profiles"),
        writes=("parts", "facts", "datasets", "quarantine", "profiles"), passes=("pieces",),
        lists=("facts",), arrivals=ONE_ITEM, disk=5120,
    ),
    Stage(
        "prepare", "splits a dataset into train and holdout", ("runtime", "tabular"), 1769, 300,
        reads=("parts", "datasets", "labels", "monitor"), writes=("frames",),
    ),
    Stage(
        "tune", "proposes, scores and chooses trials", ("runtime", "science"), 3008, 600,
        reads=("frames", "versions"), writes=("runs",), items=("dynamodb:GetItem",),
    ),
    Stage(
        "train", "fits the chosen trial and exports its plan", ("runtime", "science"), 3008, 900,
        reads=("frames", "versions"), writes=("versions",),
    ),
    Stage(
        "validate", "judges the candidate against the champion", ("runtime", "science"), 3008, 600,
        reads=("frames", "versions"), writes=("runs",),
        items=("dynamodb:GetItem",),
    ),
    Stage(
        "register", "makes a candidate a version", memory=512, timeout=60,
        reads=("runs", "versions"), writes=("versions",),
        items=(*READ_ITEMS, "dynamodb:ConditionCheckItem", "dynamodb:PutItem",
               "dynamodb:UpdateItem"),
    ),
    Stage(
        "release", "moves the route, step by step", ("runtime", "tabular"), 1024, 60,
        reads=("captures", "labels", "versions"), lists=("captures", "labels"),
        items=(*READ_ITEMS, "dynamodb:ConditionCheckItem", "dynamodb:PutItem"),
        watches=("cloudwatch:GetMetricData",),
    ),
)  # fmt: skip


def workflow(compute: str) -> tuple[Stage, ...]:
    """The stages of a run. With SageMaker, train only collects what the job left under the run."""
    if compute == "lambda":
        return WORKFLOW
    return tuple(replace(s, reads=("runs",)) if s.name == "train" else s for s in WORKFLOW)


TRIGGER = Stage(
    "trigger", "decides what every event means", memory=512, timeout=60, asynchronous=True,
    items=(*READ_ITEMS, "dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem",
           "dynamodb:DeleteItem"),
    watches=("cloudwatch:DescribeAlarms",),
    arrivals=("dynamodb:GetItem",), champion=("dynamodb:GetItem",), starts_runs=True,
    notifies=True,
)  # fmt: skip

PREDICT = Stage(
    "predict", "answers with the champion", layers=(), memory=512, timeout=10,
    reads=("versions",), items=("dynamodb:GetItem",),
)  # fmt: skip

STREAM = Stage(
    "stream", "answers messages with the champion", layers=(), memory=512, timeout=30,
    reads=("versions",), items=("dynamodb:GetItem",), messages=("dynamodb:PutItem",),
)  # fmt: skip

BATCH = Stage(
    "batch", "scores files of rows", ("runtime", "tabular"), 1769, 900, asynchronous=True,
    landing=("batch",), reads=("versions", "pieces"), writes=("predictions", "captures"),
    passes=("pieces",), items=("dynamodb:GetItem",), disk=5120,
)  # fmt: skip

CAPTURE = Stage(
    "capture", "keeps what was served", memory=512, timeout=60, asynchronous=True,
    writes=("captures",),
)  # fmt: skip

LABELS = Stage(
    "labels", "joins ground truth to predictions", ("runtime", "tabular"), 1769, 300,
    asynchronous=True,
    landing=("labels",),
    reads=("captures", "labels", "parts", "facts", "quarantine", "monitor"),
    writes=("labels", "parts", "facts", "quarantine"),
    lists=("captures", "labels"),
    items=("dynamodb:Query",), arrivals=ONE_ITEM,
)  # fmt: skip

MONITOR = Stage(
    "monitor", "judges a window of serving", ("runtime", "tabular"), 1769, 900, asynchronous=True,
    reads=("captures", "labels", "versions", "monitor"), writes=("monitor",),
    lists=("captures", "labels"),
    items=READ_ITEMS, champion=ONE_ITEM, arrivals=ONE_ITEM,
)  # fmt: skip

QUERY = Stage(
    "query", "tells about models and versions", memory=512, timeout=15,
    reads=("versions",),
    items=READ_ITEMS,
)  # fmt: skip
