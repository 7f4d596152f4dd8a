"""Every name under which driftloop keeps something: S3 keys and registry keys, in one place.

Nothing here reads or writes; each function gives the string.
"""

import re

# --- bucket `landing` -------------------------------------------------------------------------


def incoming(model: str, file: str = "") -> str:
    """Where uploads of labelled rows land."""
    return f"incoming/{model}/{file}"


def readmitted(model: str, upload: str, content: str, suffix: str) -> str:
    """Where rejected rows of ``upload`` go in again; ``content`` names which."""
    return incoming(model, f"readmitted-{upload}-{content[:12]}.{suffix}")


def readmitted_from(key: str) -> str | None:
    """The upload whose rows lie at such a ``key``; None for any other."""
    match = re.search(r"/readmitted-([0-9a-f]{16})-[0-9a-f]{12}\.[a-z]+$", key)
    return match[1] if match else None


def label_file(model: str, file: str = "") -> str:
    """Where files of ground truth land."""
    return f"labels/{model}/{file}"


def batch_file(model: str, file: str = "") -> str:
    """Where files of rows land that are to be scored."""
    return f"batch/{model}/{file}"


# --- bucket `store` ---------------------------------------------------------------------------


def part(model: str, sha256: str) -> str:
    """Accepted rows, named by their canonical hash. The folder holds Parquet alone, so that any
    engine reads it as a table."""
    return f"{model}/parts/{sha256}.parquet"


def facts(model: str, upload: str = "") -> str:
    """The intake of one upload: the parts it brought. Written last, it makes them count. Without
    a name: the prefix of all intakes."""
    return f"{model}/facts/" + (f"{upload}.json" if upload else "")


def dataset(model: str, digest: str = "") -> str:
    """The manifest: an ordered list of parts. Without a name: the prefix of all."""
    return f"{model}/datasets/" + (f"{digest}.json" if digest else "")


def quarantine(model: str, upload: str = "") -> str:
    """The rejected rows of one upload, with line and reason. Without a name: the prefix of all
    that is known of uploads."""
    return f"{model}/quarantine/" + (f"{upload}.jsonl.gz" if upload else "")


def ingest_report(model: str, upload: str) -> str:
    """Counts, rules and profile of one upload."""
    return f"{model}/quarantine/{upload}.report.json"


def original(model: str, upload: str) -> str:
    """A refused upload, bit for bit."""
    return f"{model}/quarantine/{upload}.original"


def readmission(model: str, upload: str, file: str = "") -> str:
    """Which rejected rows of an upload went back in, and under what name."""
    return f"{model}/quarantine/{upload}.readmitted/{file}"


def pieces(model: str, upload: str, file: str = "") -> str:
    """The pieces a large upload was cut into, and what the check of each found."""
    return f"{model}/pieces/{upload}/{file}"


def passing(key: str) -> bool:
    """Whether an object is needed on the way only: the bucket forgets it after some days."""
    return "/pieces/" in key


def profile(model: str, of: str, name: str, kind: str) -> str:
    """Profile of one upload, part or dataset; ``of`` is ``uploads``, ``parts`` or ``datasets``,
    ``kind`` is ``json`` or ``html``."""
    return f"{model}/profiles/{of}/{name}.{kind}"


def frame(model: str, digest: str) -> str:
    return f"{model}/frames/{digest}.npz"


def frame_recipe(model: str, digest: str) -> str:
    return f"{model}/frames/{digest}.json"


def run(model: str, run_id: str, file: str = "") -> str:
    """Records of one run: trials, verdict, input and output of training jobs."""
    return f"{model}/runs/{run_id}/{file}"


def version_artefact(model: str, candidate: str, file: str = "") -> str:
    """Artefacts of a candidate, content-addressed, so that registering copies nothing."""
    return f"{model}/versions/{candidate}/{file}"


def captures(model: str, version: int, day: str = "", hour: str = "", file: str = "") -> str:
    """Captured predictions by version, day (``2013-02-01``) and hour (``05``) of their ids."""
    key = f"{model}/captures/version={version:06d}/"
    if day:
        key += f"dt={day}/"
    if hour:
        key += f"hour={hour}/"
    return key + file


def malformed_captures(model: str, file: str) -> str:
    """Log lines that should have been captures and were not."""
    return f"{model}/captures/malformed/{file}"


def predictions(model: str, batch: str, file: str = "") -> str:
    """What came of a batch: predictions, rejects, and the report, which is written last."""
    return f"{model}/predictions/{batch}/{file}"


def unmatched_labels(model: str, day: str = "", file: str = "") -> str:
    """Ground truth whose prediction is not known (yet), by the day on which it came."""
    return f"{model}/labels/unmatched/" + (f"dt={day}/" if day else "") + file


def joined(day: str = "") -> str:
    """The intake (and its report, and its quarantine) of what labels made of a day's captures."""
    return f"labels-{day}"


def joined_sources(model: str, part: str) -> str:
    """Of each row of a part that labels made, in order: prediction, version, label file."""
    return f"{model}/labels/sources/{part}.jsonl.gz"


def labels(model: str, day: str = "", file: str = "") -> str:
    """Ground truth joined to predictions, by the day of the prediction id."""
    return f"{model}/labels/" + (f"dt={day}/" if day else "") + file


def monitor(model: str, window: str, file: str = "") -> str:
    """Everything the monitor froze or concluded about one window (named by its start)."""
    return f"{model}/monitor/{window}/{file}"


def window_report(model: str, window: str, version: int, revision: int, kind: str) -> str:
    """The monitor's judgement of one version in one window; ``kind`` is ``json`` or ``html``."""
    return monitor(model, window, f"v{version:06d}/report.r{revision:04d}.{kind}")


def monitor_state(model: str) -> str:
    """How far the monitor has come."""
    return f"{model}/monitor/state.json"


def quarantined_windows(model: str) -> str:
    """Whose rows nothing may be learned from: ``[[start, end, version], …]`` in epoch
    milliseconds, ``end`` excluded, ``start`` that of the prediction ids."""
    return f"{model}/monitor/quarantined.json"


# --- the default event bus -------------------------------------------------------------------

EVENT_SOURCE = "driftloop"
PREDICTION_MADE = "Prediction Made"

# --- table `registry` -------------------------------------------------------------------------


def model_pk(model: str) -> str:
    return f"MODEL#{model}"


def data_pk(model: str) -> str:
    """Where it is kept when labelled rows came in: apart, so that who takes uploads in may write
    nothing else of the model's."""
    return f"DATA#{model}"


def watch_pk(model: str) -> str:
    """Where the monitor keeps the watch: apart, so that it may write nothing else of the model's,
    the route least of all."""
    return f"WATCH#{model}"


ROUTE = "ROUTE"
ROUTES = "routes"  # the index of them: items with a `listed` are in it, and only routes have one
LOCK = "LOCK"
VERSION = "VERSION#"
RUN = "RUN#"
LEDGER = "LEDGER#"
AUDIT = "AUDIT#"
PENDING = "PENDING#"
WATCH = "WATCH"
BREAKER = "BREAKER"
DATA = "DATA"


def version_sk(number: int) -> str:
    return f"{VERSION}{number:06d}"


def run_sk(run_id: str) -> str:
    return f"{RUN}{run_id}"


def ledger_sk(time: str, delivery: str) -> str:
    """``time`` is the event's own (ISO 8601, UTC); ``delivery`` names this delivery of it."""
    return f"{LEDGER}{time}#{delivery}"


def audit_sk(time: str, entry: str) -> str:
    return f"{AUDIT}{time}#{entry}"


OUTCOME = "OUTCOME"


def message_pk(model: str, message: str = "") -> str:
    """Where the outcome of one message is kept: apart from the model's own items, each by itself,
    so that a busy queue never slows the registry down. Without a message: the prefix of all."""
    return f"MESSAGE#{model}#{message}"


def pending_sk(time: str, delivery: str) -> str:
    """A cause that waits for the running one to end."""
    return f"{PENDING}{time}#{delivery}"
