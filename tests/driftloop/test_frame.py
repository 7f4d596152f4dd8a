import hashlib
import io
import zipfile

import numpy as np
import pytest

from driftloop.errors import IntegrityError
from driftloop.frame import Frame


def small() -> Frame:
    return Frame(
        columns={
            "hour": np.array([1.0, np.nan, 3.0]),
            "carrier": np.array([0, -1, 1], np.int32),
        },
        vocabulary={"carrier": ["AA", "ÜA"]},
        target=np.array([0, 1, 0], np.int32),
        classes=["0", "1"],
        train=np.array([True, True, False]),
        time=np.array([1, 2, 3], np.int64),
    )


def test_a_round_trip_changes_nothing():
    before = small()
    after = Frame.from_bytes(before.to_bytes())
    assert list(after.columns) == list(before.columns)
    for name, values in before.columns.items():
        np.testing.assert_array_equal(after.columns[name], values)
        assert after.columns[name].dtype == values.dtype
    assert (after.vocabulary, after.classes) == (before.vocabulary, before.classes)
    np.testing.assert_array_equal(after.train, before.train)
    np.testing.assert_array_equal(after.time, before.time)


def test_law_2_same_frame_same_bytes():
    digest = hashlib.sha256(small().to_bytes()).hexdigest()
    assert digest == hashlib.sha256(small().to_bytes()).hexdigest()
    with zipfile.ZipFile(io.BytesIO(small().to_bytes())) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}


def test_instances_read_as_json_would():
    assert list(small().instances()) == [
        {"hour": 1.0, "carrier": "AA"},
        {"hour": None, "carrier": None},
        {"hour": 3.0, "carrier": "ÜA"},
    ]


def test_take_keeps_rows_together():
    part = small().take(small().holdout)
    assert part.rows == 1 and list(part.instances()) == [{"hour": 3.0, "carrier": "ÜA"}]


@pytest.mark.parametrize("data", [b"", b"PK", b"no frame at all"])
def test_anything_else_is_refused(data: bytes):
    with pytest.raises(IntegrityError, match="no frame"):
        Frame.from_bytes(data)


def test_law_8_objects_are_refused():
    buffer = io.BytesIO()
    np.savez(buffer, about=np.array([{"a": 1}], dtype=object))
    with pytest.raises(IntegrityError):
        Frame.from_bytes(buffer.getvalue())
