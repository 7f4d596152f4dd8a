"""Work beside one's own, each in a thread: what is read is one step ahead, what is written one step
behind, and nothing piles up between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """An iterator (of anything but None) that is one step ahead. To be iterated over once, and
    closed by ``with``; what it raises is raised when its turn comes."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> Ahead[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def __iter__(self) -> Iterator[T]:
        step = self._thread.submit(next, self._items, None)
        while (item := step.result()) is not None:
            step = self._thread.submit(next, self._items, None)
            yield item


class Behind:
    """Work done in order, one step behind; what it raises is raised at the next step."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._step: Future[Any] | None = None

    def __enter__(self) -> Behind:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def run(self, work: Callable[..., Any], *given: Any) -> None:
        """Wait for what is under way, then begin this."""
        self.last()
        self._step = self._thread.submit(work, *given)

    def last(self) -> Any:
        """Wait for what is under way; its result."""
        return self._step.result() if self._step else None
