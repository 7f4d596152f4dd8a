"""Files become instances by the model's types; what cannot be one is said, not sent."""

import gzip
import json

import pytest

from infra.cli import rows
from infra.cli.fault import Fault

KINDS = {"hour": "number", "carrier": "category", "temp": "number"}


def test_csv_takes_types_from_the_model_and_says_what_it_leaves_out():
    text = "late,hour,carrier,temp\n1,5,UA,39.02\n0,17,7,NA\n"
    loaded = rows.load(text.encode(), KINDS, "f.csv")
    assert loaded.instances == [
        {"hour": 5, "carrier": "UA", "temp": 39.02},
        {"hour": 17, "carrier": "7", "temp": None},
    ]
    assert loaded.ignored == ["late"]


def test_key_and_time_go_with_the_row():
    text = "id,at,late,hour\n007,2013-01-01,1,5\n,,0,6\n"
    assert rows.load(text.encode(), KINDS, "f.csv", ("id", "at")).instances == [
        {"id": "007", "at": "2013-01-01", "hour": 5}, {"id": None, "at": None, "hour": 6},
    ]  # fmt: skip
    lines = b'{"id": 7, "hour": 5}\n{"at": 1, "hour": 6}'
    assert rows.load(lines, KINDS, "f", ("id",)).instances == [{"id": "7", "hour": 5}, {"hour": 6}]
    with pytest.raises(Fault, match=r"none of its columns is a feature .*\(hour, carrier, temp\)"):
        rows.load(b"id\n7\n", KINDS, "f.csv", ("id",))


@pytest.mark.parametrize("sign", ";\t|")
def test_any_delimiter_does(sign):
    text = "hour,carrier\n5,UA\n".replace(",", sign)
    assert rows.load(text.encode(), KINDS, "f.csv").instances == [{"hour": 5, "carrier": "UA"}]


def test_text_in_a_number_is_left_for_the_endpoint_to_refuse():
    loaded = rows.load(b"hour,carrier\nfive,UA\n", KINDS, "f.csv")
    assert loaded.instances == [{"hour": "five", "carrier": "UA"}]


def test_json_lines_may_be_training_data():
    text = '{"hour": 5, "carrier": "U\u2028A", "late": 1}\n\n{"hour": 6, "carrier": null}\n'
    text += '{"carrier": true}\n'
    loaded = rows.load(text.encode(), KINDS, "f.jsonl")
    assert loaded.instances == [
        {"hour": 5, "carrier": "U\u2028A"}, {"hour": 6, "carrier": None}, {"carrier": "1"},
    ]  # fmt: skip
    assert loaded.ignored == ["late"]


@pytest.mark.parametrize("wrap", [lambda r: {"instances": r}, lambda r: r, lambda r: r[0]])
def test_json_in_any_of_its_shapes(wrap):
    row = {"hour": 5, "carrier": "UA", "temp": None}
    assert rows.load(json.dumps(wrap([row])).encode(), KINDS, "-").instances == [row]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a,b\n1,2\n", "none of its columns is a feature"),
        (b" \n", "holds no rows"),
        (b"{nope", "is not JSON"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_file_that_is_none_of_it(data, said):
    with pytest.raises(Fault, match=said) as caught:
        rows.load(data, KINDS, "f")
    assert caught.value.code == 2


def test_gzip_is_opened_and_a_broken_one_refused(tmp_path):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"hour\n5\n"))
    assert rows.content(str(path)) == b"hour\n5\n"
    path.write_bytes(gzip.compress(b"hour\n5\n")[:-6])
    with pytest.raises(Fault, match="no whole gzip"):
        rows.content(str(path))


def test_a_file_that_is_not_there_names_its_neighbour(tmp_path):
    (tmp_path / "2013-01.csv.gz").touch()
    with pytest.raises(Fault, match=r"did you mean '2013-01.csv.gz'\?"):
        rows.existing(str(tmp_path / "2013-1.csv.gz"))
    with pytest.raises(Fault, match="is a folder"):
        rows.existing(str(tmp_path))
