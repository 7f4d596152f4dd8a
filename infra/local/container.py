"""SageMaker's container contract, kept by a local process.

AWS: "How Amazon SageMaker AI Provides Training Information" and "How Amazon SageMaker AI Signals
Algorithm Success or Failure to Training Code" (SageMaker Developer Guide,
your-algorithms-training-algo-running-container). What a container finds under ``/opt/ml`` lies in a
temporary directory, told to the process as ``SAGEMAKER_BASE_DIR`` (the variable of AWS's own
sagemaker-training toolkit).
"""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# After SIGTERM a container has 120 seconds before SIGKILL.
GRACE_SECONDS = 120.0
FAILURE_CHARACTERS = 1024


def lay_out(base: Path, job: Mapping[str, Any]) -> None:
    """Write the directory tree and the three configuration files of ``job`` (its request)."""
    config = base / "input" / "config"
    for place in (config, base / "input" / "data", base / "model", base / "output" / "data"):
        place.mkdir(parents=True)
    channels = {
        channel["ChannelName"]: {
            "TrainingInputMode": job["AlgorithmSpecification"]["TrainingInputMode"],
            "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                "S3DataDistributionType", "FullyReplicated"
            ),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
        }
        for channel in job.get("InputDataConfig", [])
    }
    resources = {
        "current_host": "algo-1",
        "current_instance_type": job["ResourceConfig"]["InstanceType"],
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1"],
        "network_interface_name": "eth0",
    }
    for name, content in (
        ("hyperparameters.json", job.get("HyperParameters") or {}),
        ("inputdataconfig.json", channels),
        ("resourceconfig.json", resources),
    ):
        (config / name).write_text(json.dumps(content))


def command(specification: Mapping[str, Any]) -> list[str]:
    """The process of ``AlgorithmSpecification``; the image's ``python`` is this one's."""
    entry = [
        *specification.get("ContainerEntrypoint", ["train"]),
        *specification.get("ContainerArguments", []),
    ]
    return [sys.executable if entry[0] in ("python", "python3") else entry[0], *entry[1:]]


class Process:
    """The container's process: its lines go to ``on_line``; it may be asked to stop."""

    def __init__(
        self,
        base: Path,
        job: Mapping[str, Any],
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> None:
        self._on_line = on_line
        self._process = subprocess.Popen(
            command(job["AlgorithmSpecification"]),
            cwd=base,
            env={
                "PATH": os.environ.get("PATH", ""),
                "HOME": str(base),
                "LANG": "C.UTF-8",
                "PYTHONUNBUFFERED": "1",
                "SAGEMAKER_BASE_DIR": str(base),
                "TRAINING_JOB_NAME": job["TrainingJobName"],
                **{str(k): str(v) for k, v in (job.get("Environment") or {}).items()},
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name="container-log", daemon=True)
        self._reader.start()
        self._killer: threading.Timer | None = None

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None when the process still runs after ``seconds``."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(10)
        if self._killer:
            self._killer.cancel()
        return code

    def terminate(self) -> None:
        """SIGTERM now, SIGKILL after the grace period."""
        self._signal(signal.SIGTERM)
        self._killer = threading.Timer(GRACE_SECONDS, self._signal, [signal.SIGKILL])
        self._killer.daemon = True
        self._killer.start()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if line.strip():
                    self._on_line(line.rstrip("\n"))


def failure(base: Path, code: int) -> str:
    """What DescribeTrainingJob tells of a failure: the container's own words, then its exit."""
    told = base / "output" / "failure"
    words = told.read_text(errors="replace")[:FAILURE_CHARACTERS].strip() if told.is_file() else ""
    return f"AlgorithmError: {words}, exit code: {code}"


def packed(directory: Path) -> bytes:
    """``model.tar.gz``: everything in ``directory``, by relative name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in sorted(directory.rglob("*")):
            archive.add(path, path.relative_to(directory).as_posix(), recursive=False)
    return buffer.getvalue()
