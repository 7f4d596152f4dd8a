"""Messages served as requests: one answer each for ever, reasons for what has none."""

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop import stream as module
from driftloop.emf import namespace
from driftloop.errors import DriftloopError, Unavailable
from driftloop.ids import id_ms
from driftloop.route import challenged, promoted
from driftloop.stream import Stream
from tests.driftloop.plans import NOW, ROW, Desk, plan

LATER = NOW + 11_000
BAD = {"hour": 99, "carrier": 5, "temp": 3.5}


class Post:
    """Ways in memory; ``down`` names those that are."""

    def __init__(self):
        self.kept, self.sent, self.letters = {}, [], []
        self.down, self.lost = set(), set()
        self.tried = 0

    def _reach(self, way):
        self.tried += 1
        if way in self.down:
            raise Unavailable(f"{way} did not answer within 2 s")
        if f"{way} refuses" in self.down:
            raise DriftloopError(f"{way}: AWS answered 400 AccessDeniedException")

    def keep(self, message, outcome, expires):
        self._reach("keep")
        assert expires == NOW // 1000 + 5 * 86_400
        return self.kept.setdefault(message, outcome)

    def send(self, answers):
        self._reach("send")
        self.sent += [json.loads(a) for i, a in enumerate(answers) if i not in self.lost]
        return self.lost & set(range(len(answers)))

    def bury(self, letter):
        self._reach("bury")
        self.letters.append(letter)


class Office:
    def __init__(self, data=None, **spec):
        self.desk, self.post = Desk(data, **spec), Post()
        say = self.desk.said.append
        self.stream = Stream("dev", "flights", self.desk.endpoint.respond, self.post, say)

    def serve(self, *records):
        """(ids that come again, captures, metrics of the endpoint, the stream's own)."""
        answer, lines = self.stream.serve(records, 0.0)
        told = [json.loads(line) for line in lines]
        again = [entry["itemIdentifier"] for entry in answer["batchItemFailures"]]
        captures = [line for line in told if "capture" in line]
        served = [line for line in told if "Requests" in line]
        return again, captures, served, told[-1]


def message(name="m-1", rows=(ROW,), *, body=None, now=NOW, **attributes):
    return {
        "messageId": name,
        "body": json.dumps({"instances": list(rows)}) if body is None else body,
        "attributes": {"ApproximateFirstReceiveTimestamp": str(now)},
        "messageAttributes": {
            n: {"stringValue": v, "stringListValues": [], "dataType": "String"}
            for n, v in attributes.items()
        },
    }


def test_a_message_is_answered_as_a_request_would_be():
    office = Office()
    again, captures, served, own = office.serve(message("m-1", [ROW, ROW]))
    assert again == []
    (answer,) = office.post.sent
    _, _, body, _ = Desk().ask([ROW, ROW], request="m-1")
    assert answer == {"message": "m-1", **body}
    assert all(id_ms(p["id"]) == NOW for p in answer["predictions"])
    (capture,) = captures
    assert capture["ids"] == [p["id"] for p in answer["predictions"]]
    assert capture["request"] == "m-1"
    assert [line["Rows"] for line in served] == [2]
    assert (own["Messages"], own["PoisonMessages"], own["RetriedMessages"]) == (1, 0, 0)
    assert own["_aws"]["CloudWatchMetrics"][0]["Namespace"] == namespace("dev")
    assert own["_aws"]["Timestamp"] == NOW


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_records": [ROW]},
        {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())]}},
        {"inputs": {name: [value] for name, value in ROW.items()}},
    ],
)
def test_any_payload_of_the_endpoint_is_one(body):
    office = Office()
    assert office.serve(message(body=json.dumps(body)))[0] == []
    assert len(office.post.sent) == 1


def test_csv_where_the_message_says_so():
    office = Office()
    csv = "hour,carrier,temp\n7,UA,3.5\n"
    office.serve(message("m-1", body=csv, **{"content-type": "text/csv"}), message("m-2", body=csv))
    assert [answer["message"] for answer in office.post.sent] == ["m-1"]
    assert [letter.message for letter in office.post.letters] == ["m-2"]


def test_a_message_served_twice_has_one_answer_whatever_was_promoted_meanwhile():
    office = Office()
    office.serve(message())
    shelf = office.desk.shelf
    shelf.current = promoted(shelf.current, shelf.put(2, plan(intercept=5.0)), "t")
    office.desk.endpoint.live.refresh(LATER, 11.0)
    again, captures, _, own = office.serve(message(), message("m-2"))
    assert (again, own["Messages"]) == ([], 2)
    assert [capture["request"] for capture in captures] == ["m-2"]
    first, second, third = office.post.sent
    assert second == first
    assert (first["version"], third["version"]) == (1, 2)


def test_what_became_of_a_message_is_not_undone_by_a_version_that_takes_other_rows():
    office, wider = Office(), plan(extra=1)
    office.post.down.add("send")
    office.serve(message("m-1"), message("m-2", [ROW | {"x0": 1.0}]))
    office.post.down.clear()
    shelf = office.desk.shelf
    shelf.current = promoted(shelf.current, shelf.put(2, wider), "t")
    office.desk.endpoint.live.refresh(LATER, 11.0)
    again, captures, _, own = office.serve(
        message("m-1"), message("m-2", [ROW | {"x0": 1.0}]), message("m-3")
    )
    assert (again, captures, own["PoisonMessages"]) == ([], [], 2)
    assert [(a["message"], a["version"]) for a in office.post.sent] == [("m-1", 1)]
    _, unknown, missing = office.post.letters
    assert (unknown.message, missing.message) == ("m-2", "m-3")
    assert "x0" in unknown.reason and "x0" in missing.reason


def test_the_same_answer_again_is_captured_again_under_the_same_ids():
    """Whoever stopped between keeping an answer and printing it has lost its line; whoever reads
    captures removes doubles by id."""
    office = Office()
    _, once, _, _ = office.serve(message())
    _, twice, _, _ = office.serve(message())
    assert once == twice


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "body"),
        ("{", "not JSON"),
        ('{"instances": [{"hour": NaN}]}', ""),
        ('{"instances": []}', "at least one row"),
        (json.dumps({"instances": [ROW | {"hour": 99}]}), "instances[0].hour"),
        (json.dumps({"instances": [ROW | {"tmep": 1}]}), "tmep"),
    ],
)
def test_poison_goes_to_the_dead_letters_at_once_with_its_reason(body, said):
    office = Office()
    again, captures, served, own = office.serve(
        message("bad", body=body, who="me"), message("good")
    )
    assert again == []
    (letter,) = office.post.letters
    assert (letter.message, letter.body, letter.error) == ("bad", body, "BadRequest")
    assert said in letter.reason and letter.reason
    assert letter.attributes["who"]["stringValue"] == "me"
    assert [answer["message"] for answer in office.post.sent] == ["good"]
    assert [capture["request"] for capture in captures] == ["good"]
    assert (own["PoisonMessages"], own["RetriedMessages"]) == (1, 0)
    assert [line["BadRequests"] for line in served] == [1, 0]


def test_every_mistake_of_a_message_is_in_its_reason():
    office = Office()
    office.serve(message("bad", [BAD, ROW, BAD]))
    (letter,) = office.post.letters
    for path in ("instances[0].hour", "instances[0].carrier", "instances[2].hour"):
        assert path in letter.reason


def test_an_answer_too_large_to_go_out_is_poison_and_nobody_was_served(monkeypatch):
    monkeypatch.setattr(module, "LARGEST_ANSWER", 500)
    office = Office()
    _, captures, served, _ = office.serve(message("large", [ROW] * 10), message("small"))
    (letter,) = office.post.letters
    assert (letter.message, letter.error) == ("large", "RequestTooLarge")
    assert "fewer rows" in letter.reason
    assert [capture["request"] for capture in captures] == ["small"]
    assert len(served) == 1


def test_the_largest_answer_fits_into_an_event():
    """256 KiB for an entry of PutEvents, source and type included; 400 KB for an item."""
    assert module.LARGEST_ANSWER + 1024 <= 256 * 1024


def test_no_registry_no_answer_and_nobody_behind_waits_for_it():
    office = Office()
    office.desk.shelf.down = True
    again, captures, _, own = office.serve(*[message(f"m-{n}") for n in range(5)])
    assert again == [f"m-{n}" for n in range(5)]
    assert office.desk.shelf.looks == 1
    assert (captures, office.post.sent, own["RetriedMessages"]) == ([], [], 5)
    assert "come again" in office.desk.said[-1]
    office.desk.shelf.down = False
    again, captures, _, _ = office.serve(*[message(f"m-{n}") for n in range(5)])
    assert (again, len(captures), len(office.post.sent)) == ([], 5, 5)


def test_an_unreachable_registry_leaves_the_loaded_version_answering():
    office = Office()
    office.serve(message("m-1"))
    office.desk.shelf.down = True
    office.desk.endpoint.live.refresh(LATER, 11.0)
    assert office.serve(message("m-2"))[0] == []


@pytest.mark.parametrize(("way", "tried"), [("keep", 1), ("bury", 2)])
def test_a_way_that_is_down_is_tried_once(way, tried):
    office = Office()
    office.post.down.add(way)
    records = [message("m-1", body="{"), message("m-2"), message("m-3")]
    again, captures, _, _ = office.serve(*records)
    assert (again, captures) == (["m-1", "m-2", "m-3"], [])
    assert office.post.tried == tried


def test_a_message_refused_alone_comes_again_alone():
    office = Office()
    office.post.down.add("bury refuses")
    again, _, _, own = office.serve(message("m-1", body="{"), message("m-2"))
    assert (again, own["PoisonMessages"]) == (["m-1"], 0)
    assert [answer["message"] for answer in office.post.sent] == ["m-2"]


@pytest.mark.parametrize("way", ["send", "send refuses"])
def test_answers_that_cannot_be_sent_are_sent_when_their_messages_come_again(way):
    office = Office()
    office.post.down.add(way)
    assert office.serve(message("m-1"), message("m-2"))[0] == ["m-1", "m-2"]
    office.post.down.clear()
    office.post.lost = {1}
    assert office.serve(message("m-1"), message("m-2"))[0] == ["m-2"]
    office.post.lost = set()
    assert office.serve(message("m-2"))[0] == []
    assert [answer["message"] for answer in office.post.sent] == ["m-1", "m-2"]


def test_an_endpoint_that_fails_is_not_the_messages_fault():
    office = Office()
    broken = {"statusCode": 500, "body": json.dumps({"detail": "the endpoint failed"})}
    respond = office.desk.endpoint.respond
    office.stream.respond = lambda event, tick: (
        (broken, []) if event["requestContext"]["requestId"] == "m-2" else respond(event, tick)
    )
    again, _, _, _ = office.serve(message("m-1"), message("m-2"), message("m-3"))
    assert again == ["m-2"]
    assert [answer["message"] for answer in office.post.sent] == ["m-1", "m-3"]
    assert "m-2 comes again: the endpoint failed" in office.desk.said[-1]


def test_the_challenger_has_its_share_of_messages():
    office = Office()
    shelf = office.desk.shelf
    shelf.current = challenged(shelf.current, shelf.put(2, plan(intercept=5.0)), 0.5, "t")
    office.serve(*[message(f"m-{n}") for n in range(200)])
    versions = [answer["version"] for answer in office.post.sent]
    assert 60 < versions.count(2) < 140


deliveries = st.lists(
    st.lists(st.integers(0, 7), min_size=1, max_size=5, unique=True), min_size=1, max_size=8
)


@given(deliveries, st.data())
def test_every_message_goes_one_way_and_has_one_answer(batches, data):
    """Whatever comes twice, in whatever order, while whatever is down and versions change."""
    office = Office()
    shelf = office.desk.shelf
    office.serve(message("warm"))
    office.post.sent.clear()
    answers = defaultdict(set)
    for step, batch in enumerate(batches):
        ways = ("keep", "send", "bury", "send refuses", "bury refuses")
        office.post.down = data.draw(st.sets(st.sampled_from(ways), max_size=2))
        office.post.lost = data.draw(st.sets(st.integers(0, 4), max_size=2))
        if data.draw(st.booleans()):
            served = shelf.put(step + 2, plan(intercept=float(step)))
            shelf.current = promoted(shelf.current, served, "t")
            office.desk.endpoint.live.refresh(NOW + 11_000 * (step + 1), 11.0 * (step + 1))
        sent, buried = len(office.post.sent), len(office.post.letters)
        records = [message(f"m-{n}", body="{" if n == 0 else None) for n in batch]
        again, captures, _, own = office.serve(*records)
        answered = [answer["message"] for answer in office.post.sent[sent:]]
        letters = [letter.message for letter in office.post.letters[buried:]]
        assert sorted([*again, *answered, *letters]) == sorted(r["messageId"] for r in records)
        assert (own["RetriedMessages"], own["PoisonMessages"]) == (len(again), len(letters))
        for capture in captures:
            kept = json.loads(office.post.kept[capture["request"]])
            assert capture["version"] == kept["version"]
    for answer in office.post.sent:
        answers[answer["message"]].add(json.dumps(answer))
    assert all(len(found) == 1 for found in answers.values())
    assert not answers.keys() & {letter.message for letter in office.post.letters}
