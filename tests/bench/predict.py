"""One model, the same rows: our predict function beside what one would otherwise deploy.

    python tests/bench/predict.py [--json FILE] [--starts 5] [--rounds 3] [--seconds 1.5]
                                  [--beside mlflow bentoml …]

Handlers run in a process of their own as Lambda runs them, from an API event to its answer (ours
in 128 MB, with the lines it prints: captures and metrics); servers, and ours through the API of the
embedded AWS (signed), are asked over one kept-alive loopback connection. All in turn, round by
round, one thread each; every answer is compared with the pipeline's. Starting includes the
interpreter, imports (bytecode there, for all), loading the model (ours: route and plan over signed
HTTP, verified; theirs: joblib from disk) and one answer. Peers live in environments of their own
under ``.driftloop/bench``, made when they are first needed; one that cannot be had is left out,
and it is said why.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import predict_model
import predict_registry
import predict_size
from ingest import PEERS, python_of
from predict_clock import Questions
from predict_running import HERE, Function, Server, free_port
from predict_show import show
from rich.console import Console

from driftloop.spec import Spec

SIZES = (1, 100, 1000)
ROWS = 2000  # different ones
SCIKIT = ("scikit-learn==1.9.1", "numpy==2.4.6", "scipy==1.17.1", "joblib==1.6.0")
Figures = dict[str, Any]


@dataclass(frozen=True)
class Contestant:
    """``needs``: pinned packages of its own environment, none for ours. ``command``: what its
    Python runs, with ``{folder}`` and ``{port}``; ``once`` beforehand. A server has a ``path``,
    takes rows as ``shape`` and has probabilities in its answer."""

    name: str
    script: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    path: str = ""
    shape: str = "instances"
    chances: Callable[[Any], list[float]] | None = None


def _predictions(answer: Any) -> list[float]:
    return [p["probability"] for p in answer["predictions"]]


OURS, EMBEDDED = "driftloop", "driftloop, embedded API"
CONTESTANTS = (
    Contestant(OURS, "predict_ours.py", ("predict_ours.py", "{folder}")),
    Contestant(
        "powertools + scikit-learn", "predict_powertools.py", ("predict_powertools.py", "{folder}"),
        ("aws-lambda-powertools==3.37.0", "pydantic==2.14.3", "pandas==3.1.1", *SCIKIT),
    ),
    Contestant(
        EMBEDDED, "predict_embedded.py", ("predict_embedded.py", "{folder}"), chances=_predictions
    ),
    Contestant(
        "FastAPI + scikit-learn", "predict_fastapi.py",
        ("-m", "uvicorn", "predict_fastapi:app", "--port", "{port}", "--no-access-log"),
        ("fastapi==0.165.0", "uvicorn[standard]==0.54.0", "pandas==3.1.1", *SCIKIT),
        path="/predict", chances=_predictions,
    ),
    Contestant(
        "mlflow models serve", "predict_mlflow.py",
        ("-m", "mlflow", "models", "serve", "--model-uri", "{folder}/mlflow", "--host", "127.0.0.1",
         "--port", "{port}", "--env-manager", "local"),
        ("mlflow==3.17.2", *SCIKIT), ("predict_mlflow.py", "{folder}"),
        path="/invocations", shape="dataframe_records",
        chances=lambda answer: [p for _, p in answer["predictions"]],
    ),
    Contestant(
        "BentoML", "predict_bentoml.py",
        ("-m", "bentoml", "serve", "predict_bentoml:Flights", "--host", "127.0.0.1",
         "--port", "{port}"),
        ("bentoml==1.4.39", "pandas==3.1.1", *SCIKIT),
        path="/predict", chances=lambda answer: answer,
    ),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments(parser)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started ends with it
    figures = measure(Console(), options)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--starts", type=int, default=5, help="starts to take the median of")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each, for warm answers")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each turn and size")
    help = "only contestants with one of these in their name; none: ours alone"
    parser.add_argument("--beside", nargs="*", metavar="WORD", help=help)


def chosen(words: list[str] | None) -> list[Contestant]:
    ours, *others = CONTESTANTS
    if words is None:
        return [ours, *others]
    return [ours, *(c for c in others if any(w.lower() in c.name.lower() for w in words))]


def bare() -> str:
    """The interpreter of an environment that holds nothing, as the function's layers do."""
    folder = PEERS / "predict_ours"
    if not folder.exists():
        venv.create(folder, symlinks=True)
    return str(folder / "bin" / "python")


def measure(console: Console, options: argparse.Namespace) -> Figures:
    """Show and return figures by contestant."""
    pythons = {c: found for c in chosen(options.beside) if (found := python_of(c, console))}
    pythons[CONTESTANTS[0]] = bare()
    busy = os.getloadavg()[0]
    console.print("Fitting the flights model …")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        registry = stack.enter_context(predict_registry.serving(predict_model.build(folder, ROWS)))
        field = Field(folder, pythons, registry)
        running: dict[Contestant, Function | Server] = {}
        figures: Figures = {}
        for contestant in pythons:
            console.print(f"Starting {contestant.name} …")
            try:
                taken = [
                    field.start(contestant) for _ in range(field.starts(contestant, options.starts))
                ]
                running[contestant] = stack.enter_context(field.running(contestant))
            except (RuntimeError, OSError) as error:
                console.print(f"{contestant.name} is left out: {error}")
                continue
            # The first has written the bytecode.
            start = statistics.median(taken[1:]) * 1000 if taken else None
            figures[contestant.name] = {"start": start, **field.size(contestant)}
        warm: dict[str, dict[int, list[Figures]]] = {}
        for turn in range(options.rounds):
            for contestant, process in running.items():
                console.print(f"Asking {contestant.name}, round {turn + 1} …")
                for rows in SIZES:
                    found = warm.setdefault(contestant.name, {}).setdefault(rows, [])
                    found.append(process.time(rows, options.seconds))
        for contestant, process in running.items():
            answers = {str(rows): summary(warm[contestant.name][rows]) for rows in SIZES}
            peak = None if contestant.name == EMBEDDED else process.peak()
            figures[contestant.name] |= {"peak": peak, "rows": answers}
    show(console, figures, busy)
    return {"contestants": figures, "load": busy}


def summary(turns: list[Figures]) -> Figures:
    """Milliseconds: median and 99th percentile of all answers but the first few of each turn."""
    taken = sorted(us for turn in turns for us in turn["us"][min(5, len(turn["us"]) // 10) :])
    return {
        "p50": statistics.median(taken) / 1000,
        "p99": taken[min(len(taken) - 1, len(taken) * 99 // 100)] / 1000,
        "answers": len(taken),
        "off": max(turn["off"] for turn in turns),
    }


class Field:
    """Where the contestants run; what they share lies in ``folder``."""

    def __init__(self, folder: Path, pythons: dict[Contestant, str], registry: str) -> None:
        self.folder, self.pythons, self.registry = folder, pythons, registry
        self.questions = Questions(folder)
        self.done: set[Contestant] = set()

    @staticmethod
    def starts(contestant: Contestant, starts: int) -> int:
        """One more, for the bytecode; none of what is no process of its own."""
        return 0 if contestant.name == EMBEDDED else starts + 1

    def start(self, contestant: Contestant) -> float:
        with self.running(contestant) as process:
            return process.started

    @contextmanager
    def running(self, contestant: Contestant) -> Iterator[Function | Server]:
        """Started, and answering. Raises RuntimeError with its last words if it does not."""
        environment, log = self.environment(contestant), self.folder / "log"
        if contestant.once and contestant not in self.done:
            with Function(self.command(contestant, contestant.once, 0), environment, log) as once:
                once.wait()
            self.done.add(contestant)
        port = free_port()
        command = self.command(contestant, contestant.command, port)
        process: Function | Server
        if contestant.chances is None:
            process = Function(command, environment, log)
        else:
            url = f"http://127.0.0.1:{port}{contestant.path}" if contestant.path else ""
            process = Server(
                command, environment, log, self.questions, url, contestant.shape, contestant.chances
            )
        with process:
            process.first()
            yield process

    def command(self, contestant: Contestant, words: tuple[str, ...], port: int) -> list[str]:
        filled = [word.format(folder=self.folder, port=port) for word in words]
        return [self.pythons[contestant], *filled]

    def environment(self, contestant: Contestant) -> dict[str, str]:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        folder = {"BENCH_FOLDER": str(self.folder), "BENTOML_HOME": str(self.folder / "bentoml")}
        # One CPU, as a function has; scikit-learn's threads only wait for each other on few rows.
        quiet = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", "DO_NOT_TRACK": "1",
                 "MLFLOW_DISABLE_TELEMETRY": "true", "BENTOML_DO_NOT_TRACK": "True"}  # fmt: skip
        found = f"{Path(self.pythons[contestant]).parent}{os.pathsep}{environment.get('PATH', '')}"
        environment |= folder | quiet | {"PATH": found}
        if contestant.name == OURS:
            environment |= {
                "AWS_ENDPOINT_URL": self.registry, "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                "DRIFTLOOP_MODEL": "flights", "DRIFTLOOP_ENV": "dev",
                "DRIFTLOOP_TABLE": "registry", "DRIFTLOOP_STORE": "store",
            }  # fmt: skip
        return environment

    def size(self, contestant: Contestant) -> predict_size.Size:
        if contestant.name in (OURS, EMBEDDED):
            return predict_size.ours(Spec.load(predict_model.SPEC))
        if contestant.chances is None:
            return predict_size.function(self.folder / "pipeline.joblib")
        return predict_size.server(self.pythons[contestant])


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[1]))
    main()
