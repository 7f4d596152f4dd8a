import uuid

from hypothesis import given
from hypothesis import strategies as st

from driftloop import ids

MS = st.integers(0, 2**48 - 1)


@given(MS, st.text(), st.integers(1, 50))
def test_prediction_ids_are_uuid7_of_the_requests_own_time(ms, request, count):
    made = ids.prediction_ids(request, ms, count)
    assert made == ids.prediction_ids(request, ms, count)
    assert len(set(made)) == count
    assert made == sorted(made)
    for name in made:
        parsed = uuid.UUID(name)
        assert str(parsed) == name
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
        assert ids.id_ms(name) == ms


def test_requests_of_one_millisecond_do_not_share_ids():
    made = [name for r in range(200) for name in ids.prediction_ids(f"r{r}", 1, 50)]
    assert len(set(made)) == len(made)


def test_a_sample_takes_its_share_and_nested_samples_nest():
    made = [ids.prediction_ids(f"r{i}", i, 1)[0] for i in range(4000)]
    tenth = {name for name in made if ids.sampled(name, 0.1)}
    half = {name for name in made if ids.sampled(name, 0.5)}
    assert 320 < len(tenth) < 480
    assert tenth < half
    assert all(ids.sampled(name, 1.0) for name in made)
    assert not any(ids.sampled(name, 0.0) for name in made)


@given(st.text(max_size=40))
def test_a_run_id_is_a_valid_execution_name(identity):
    event = ids.event_digest("a" * 31, identity)
    assert event == ids.event_digest("a" * 31, identity)
    name = ids.run_id("performance", event, attempt=17)
    assert len(name) <= 80
    assert name.startswith("performance-") and name.endswith("-17")


def test_a_digest_knows_which_text_is_in_which_part():
    assert ids.digest("ab", "c") != ids.digest("a", "bc")
