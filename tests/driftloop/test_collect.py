import gzip
import io
import tarfile

import pytest

from driftloop.collect import unpack
from driftloop.errors import IntegrityError
from driftloop.train import train

from .learning import frame_of, spec_of


def tar(files: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.type = len(data), kind
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def candidate():
    choice = {"estimator": "logistic_regression", "params": {}}
    return train(frame_of(300), spec_of(), choice, "c0de")


def test_law_2_what_a_job_packed_is_the_same_candidate(candidate):
    packed = {f"./{name}": data for name, data in candidate.files.items()}
    found = unpack(tar({**packed, "../../etc/evil": b"ignored"}))
    assert found == candidate and found.name == candidate.name


@pytest.mark.parametrize(
    "archive",
    [b"", b"no archive", gzip.compress(b"no tar", mtime=0), tar({})],
    ids=["empty", "rubbish", "no tar", "no file"],
)
def test_anything_else_is_refused(archive):
    with pytest.raises(IntegrityError):
        unpack(archive)


def test_links_and_malformed_plans_are_refused(candidate):
    with pytest.raises(IntegrityError, match="no file"):
        unpack(tar(dict.fromkeys(candidate.files, b""), tarfile.SYMTYPE))
    with pytest.raises(IntegrityError, match="not JSON"):
        unpack(tar({**candidate.files, "plan.json": b"import os"}))
