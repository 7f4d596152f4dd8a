"""What of an execution is doing something, and what only waits: the clock must know.

An execution's threads are counted. Those of a Map's iterations and of a Parallel's branches count
for themselves, while the state around them waits; a Wait state and a task that waits for its token
do not count. An execution none of whose threads counts lets the clock move on.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-standard-vs-express.html
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.distributed_item_processor_worker import (  # noqa: E501
    DistributedItemProcessorWorker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import (  # noqa: E501
    IterationWorker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import JobPool
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import (
    BranchWorker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branches_decl import (
    BranchWorkerPool,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import (
    ResourceCondition,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (  # noqa: E501
    StateTaskServiceCallback,
)

from .clock import Busy, Clock
from .originals import original

if TYPE_CHECKING:
    from .server import Local

_HAND_OVER = 30.0  # seconds at most until the state around the last iteration goes on


class Work(Busy):
    """The threads of one execution that are doing something; entered and left by each."""

    def __init__(self, clock: Clock, name: str) -> None:
        super().__init__(clock, name)
        self._threads = 0
        self._lock = threading.Lock()
        self._sleepers: set[Callable[[], None]] = set()

    def __enter__(self) -> "Work":
        with self._lock:
            self._threads += 1
            if self._threads == 1:
                super().__enter__()
        return self

    def __exit__(self, *_: Any) -> None:
        with self._lock:
            self._threads -= 1
            if self._threads == 0:
                super().__exit__(None, None, None)

    def sleep(self, seconds: float, until: Callable[[], bool]) -> None:
        """Wait on the clock, or until interrupted; not at all once ``until`` is true."""
        woken, once = threading.Event(), threading.Lock()

        def wake() -> None:
            if once.acquire(blocking=False):
                self.__enter__()  # before anybody can find the execution idle
                woken.set()

        self._sleepers.add(wake)
        handle = self.clock.call_later(seconds, wake, self.name)
        self.__exit__()
        if until() or seconds <= 0:
            wake()
        woken.wait()
        handle.cancel()
        self._sleepers.discard(wake)

    def interrupt(self) -> None:
        """End every sleep."""
        for wake in list(self._sleepers):
            wake()

    @contextmanager
    def waiting_for(self, pool: Any) -> Iterator[None]:
        """Not counted while the threads of ``pool`` are; see :meth:`hand_over`."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()
            pool.goes_on.set()

    def hand_over(self, pool: Any) -> None:
        """A thread of ``pool`` ends: the last one only when the state around it counts again."""
        if pool._termination_event.is_set():
            pool.goes_on.wait(_HAND_OVER)
        self.__exit__()


def execution_of(environment: Any) -> str:
    """The ARN of the execution an environment of moto's interpreter belongs to."""
    return str(environment.states.context_object.context_object_data["Execution"]["Id"])


def install(local: "Local", work_of: Callable[[Any], Work]) -> None:
    """Count the threads moto starts; ``work_of`` finds an environment's execution."""
    _count_maps(work_of)
    _count_branches(work_of)
    _let_tokens_wait(local, work_of)


def _count_maps(work_of: Callable[[Any], Work]) -> None:
    make = original(IterationWorker, "__init__")
    await_jobs = original(JobPool, "await_jobs")

    def made(worker: Any, *args: Any, **kwargs: Any) -> None:
        make(worker, *args, **kwargs)
        pool = worker._job_pool
        pool.work = worker.work = work_of(worker._env).__enter__()
        pool.__dict__.setdefault("goes_on", threading.Event())

    def count(kind: Any) -> None:
        run = original(kind, "eval")

        def counted(worker: Any) -> None:
            try:
                run(worker)
            finally:
                worker.work.hand_over(worker._job_pool)

        kind.eval = counted

    def awaited(pool: Any) -> None:
        if not hasattr(pool, "work"):  # nothing to iterate over
            await_jobs(pool)
            return
        with pool.work.waiting_for(pool):
            await_jobs(pool)

    IterationWorker.__init__ = made
    count(IterationWorker)
    count(DistributedItemProcessorWorker)  # which has its own
    JobPool.await_jobs = awaited


def _count_branches(work_of: Callable[[Any], Work]) -> None:
    start, run = original(BranchWorker, "start"), original(BranchWorker, "_thread_routine")
    wait = original(BranchWorkerPool, "wait")

    def started(worker: Any) -> None:
        pool = worker._branch_worker_comm
        pool.work = worker.work = work_of(worker.env).__enter__()
        pool.__dict__.setdefault("goes_on", threading.Event())
        start(worker)

    def counted(worker: Any) -> None:
        try:
            run(worker)
        finally:
            worker.work.hand_over(worker._branch_worker_comm)

    def waited(pool: Any) -> None:
        with pool.work.waiting_for(pool):
            wait(pool)

    BranchWorker.start = started
    BranchWorker._thread_routine = counted
    BranchWorkerPool.wait = waited


def _let_tokens_wait(local: "Local", work_of: Callable[[Any], Work]) -> None:
    """A task token may take days; its time-out is one of the clock's."""
    wait = original(StateTaskServiceCallback, "_eval_wait_for_task_token")

    def waited(
        task: Any, env: Any, timeout_seconds: float, callback_endpoint: Any, heartbeat_endpoint: Any
    ) -> Any:
        if task.resource.condition != ResourceCondition.WaitForTaskToken:
            # beside a ``.sync`` task, which goes on asking how its job is
            return wait(task, env, timeout_seconds, callback_endpoint, heartbeat_endpoint)
        work, notify = work_of(env), callback_endpoint.notify
        lock = threading.Lock()
        counted = False

        def count() -> None:
            nonlocal counted
            with lock:
                if not counted:
                    counted = True
                    work.__enter__()

        def notified(outcome: Any) -> None:
            count()  # before anybody can find the execution idle
            notify(outcome)

        def expire() -> None:
            count()
            callback_endpoint.interrupt_all()

        callback_endpoint.notify = notified
        name = f"time-out of a task of {work.name}"
        handle = local.clock.call_later(timeout_seconds, expire, name)
        work.__exit__()
        try:
            return wait(task, env, timeout_seconds, callback_endpoint, heartbeat_endpoint)
        finally:
            handle.cancel()
            count()

    StateTaskServiceCallback._eval_wait_for_task_token = waited
