"""What is sent again, and what is not."""

import time

import pytest

from driftloop.client import Endpoint, Refused, Unavailable
from driftloop.client.channel import Channel

BUSY = {"message": "Too Many Requests"}


@pytest.mark.parametrize("trouble", [(429, BUSY), (502, b""), (503, b""), (504, b""), None])
def test_passing_trouble_is_waited_out(server, trouble):
    server.answers = [trouble, trouble]
    with Endpoint(server.url) as endpoint:
        assert endpoint.predict({"x": 1})["value"] == 1
    assert len(server.seen) == 3


def test_trouble_that_stays_is_told(server):
    server.answers = [(429, BUSY)] * 9
    with Endpoint(server.url, retries=2) as endpoint:
        with pytest.raises(Refused, match="429: Too Many Requests") as caught:
            endpoint.predict({"x": 1})
        assert caught.value.status == 429 and len(server.seen) == 3
    server.answers = [None] * 9
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:.* does not answer"):
        Endpoint(server.url, retries=2).predict({"x": 1})
    assert len(server.seen) == 6


@pytest.mark.parametrize("status", [400, 403, 404, 413, 500])
def test_a_request_that_is_wrong_stays_wrong(server, status):
    server.answers = [(status, {"detail": "no"})]
    with Endpoint(server.url) as endpoint, pytest.raises(Refused):
        endpoint.predict({"x": 1})
    assert len(server.seen) == 1


def test_the_pause_is_the_one_that_is_asked_for(server):
    server.answers = [(503, b"", {"retry-after": "1"})]
    began = time.monotonic()
    with Endpoint(server.url) as endpoint:
        endpoint.predict({"x": 1})
    assert 1 <= time.monotonic() - began < 5


def test_an_idle_connection_that_was_closed_costs_no_retry(server):
    server.closes = True  # after its answer, without a word, as a load balancer does when it idles
    with Endpoint(server.url, retries=0) as endpoint:
        for x in range(3):
            assert endpoint.predict({"x": x})["value"] == x


def test_an_idle_connection_may_be_taken_by_another_thread_meanwhile(server):
    class Taken(list):
        def __bool__(self):
            return True

    server.answers = [(200, {})] * 2
    channel = Channel(server.url, 5.0, 0)
    channel._idle = Taken()
    assert channel.ask("GET", "/", b"", dict).status == 200
    channel.close()
    channel.close()


def test_a_time_out_is_not_tried_again(server):
    usual = server.usual
    server.usual = lambda body: (time.sleep(0.5), *usual(body))[1:]
    with Endpoint(server.url, timeout=0.1) as endpoint, pytest.raises(Unavailable, match="timed"):
        endpoint.predict({"x": 1})
    assert len(server.seen) == 1


def test_nobody_there_is_said():
    endpoint = Endpoint("http://127.0.0.1:9/models/m", "token", retries=0)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9 does not answer .*refused"):
        endpoint.predict({"x": 1})


@pytest.mark.parametrize("url", ["flights", "ftp://x/models/m", "https:///models/m"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="no address of an endpoint"):
        Endpoint(url, "token")
