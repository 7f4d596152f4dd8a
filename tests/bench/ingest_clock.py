"""The clockwork every contestant runs under, in a fresh process of its own Python: import what is
needed, then do the work once; seconds of the work, and the most memory the process ever held."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def run(work: Callable[[Path, Path], dict[str, Any]]) -> None:
    """``python contestant.py CSV FOLDER``; ``work`` says what it found."""
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    before = peak()
    began, used = time.perf_counter(), time.process_time()
    found = work(source, folder)
    took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used}
    print(json.dumps({**took, "peak": peak(), "imports": before, **found}))


def peak() -> float:
    """MB, of this program alone: what getrusage tells begins with the process it was started by."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
