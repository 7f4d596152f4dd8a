"""A worker that cannot start leaves nothing open."""

import gc
import warnings
from pathlib import Path

import pytest

from infra.local.lambda_worker import Worker


def test_without_its_folder_a_worker_does_not_start_and_closes_its_api(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(FileNotFoundError):
            Worker("handler.handler", tmp_path / "gone", [], {}, 128)
        gc.collect()
    assert [str(each.message) for each in said if each.category is ResourceWarning] == []
