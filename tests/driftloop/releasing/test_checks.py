"""Every check of a release: what it calls bad, what it waits for, what it cannot know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftloop.releasing.bounds import at_least, at_least_of, dkw, hoeffding, mean, weights
from driftloop.releasing.checks import DUE, EARLY, answers, errors, latency, quality
from driftloop.releasing.distance import Distance, between, gap, shifts
from driftloop.releasing.evidence import Answered, Evidence, Seen
from driftloop.traffic import Traffic

LIKE = Distance(1, 1000, 0.02, 0.02, 0.5)


def rows(scores, losses=None, per_request=1, names="r"):
    scores = np.asarray(scores, dtype=float)
    found = np.full(len(scores), np.nan) if losses is None else np.asarray(losses, dtype=float)
    return Answered(scores, [f"{names}{i // per_request}" for i in range(len(scores))], found)


def both(ours, theirs, **more):
    return Evidence(Seen(answered=theirs), Seen(answered=ours), **{"expected": LIKE} | more)


def traffic(ours, theirs):
    return Evidence(Seen(Traffic(*theirs)), Seen(Traffic(*ours)))


@pytest.mark.parametrize(
    ("ours", "theirs", "state"),
    [
        ((0, 0), (500, 0), "few"),
        ((29, 0), (500, 0), "few"),
        ((30, 0), (500, 0), "good"),
        ((10, 4), (500, 0), "bad"),  # too few to be good, enough to be bad
        ((1000, 2), (500, 0), "good"),  # may be chance, and is tolerable
        ((1000, 300), (1000, 300), "good"),  # whatever it is, the champion has it too
        ((200, 40), (5, 1), "good"),  # one in five of five says little of the champion
        ((200, 40), (0, 0), "bad"),
    ],
)
def test_errors_are_judged_beside_the_champions(ours, theirs, state):
    assert errors(traffic(ours, theirs), 30, DUE).state == state


def test_a_look_before_it_is_due_needs_more_to_condemn():
    seen = traffic((40, 4), (400, 4))
    assert errors(seen, 30, DUE).state == "bad" and errors(seen, 30, EARLY).state == "good"


@pytest.mark.parametrize(
    ("ours", "theirs", "state"),
    [
        ((50, 0, 50, 9.0, 20.0, 7.0, 19.0), (500, 0, 500, 2.0, 20.0), "bad"),
        ((50, 0, 50, 9.0, 20.0, 2.0, 19.0), (500, 0, 500, 2.0, 20.0), "good"),  # half of few
        ((50, 0, 50, 0.9, 1.0, 0.8, 1.0), (500, 0, 500, 0.1, 1.0), "good"),  # what nobody feels
        ((50, 0, 50, 2.0, 900.0, 2.0, 900.0), (500, 0, 500, 2.0, 9.0), "good"),  # one cold start
        ((2000, 0, 2000, 2.0, 90.0, 2.0, 80.0), (2000, 0, 2000, 2.0, 9.0), "bad"),
        ((2000, 0, 2000, 2.0, 90.0, 2.0, 9.0), (2000, 0, 2000, 2.0, 9.0), "good"),  # one in 100
        ((9, 0, 9, 90.0, 90.0, 90.0, 90.0), (500, 0, 500, 2.0, 9.0), "few"),
        ((50, 0, 50, 90.0, 90.0, 90.0, 90.0), (3, 0, 3, 2.0, 9.0), "unknown"),
    ],
)
def test_latency_is_judged_by_most_requests_and_of_many_by_the_tail(ours, theirs, state):
    assert latency(traffic(ours, theirs), 30).state == state


@pytest.mark.parametrize("slow", [0.01, 0.3, 0.5])
@pytest.mark.parametrize("n", [30, 1000])
def test_latency_condemns_an_equal_by_chance_hardly_ever(slow, n):
    """Where some requests take a hundred times as long: files among rows, cold starts."""
    draw = np.random.default_rng(7)

    def timed(size):
        times = np.where(draw.random(size) < slow, 200.0, 2.0) * draw.lognormal(0, 0.3, size)
        p30, p50, p98, p99 = np.quantile(times, [0.3, 0.5, 0.98, 0.99])
        return size, 0, size, p50, p99, p30, p98

    found = [latency(traffic(timed(n), timed(9 * n)), 30).state for _ in range(400)]
    assert found.count("bad") <= 400 * 0.025


def test_answers_of_other_rows_are_compared_in_distribution():
    draw = np.random.default_rng(1)
    like, champion = draw.beta(2, 5, 300), draw.beta(2, 5, 900)
    assert answers(both(rows(like), rows(champion)), 30, DUE).state == "good"
    found = answers(both(rows(1 - like), rows(champion)), 30, DUE)
    assert found.state == "bad" and "at validation" in found.text
    few = answers(both(rows(like[:20]), rows(champion)), 30, DUE)
    assert (few.state, few.n, few.needs) == ("few", 20, 30)
    assert answers(both(rows(like[:20]), rows(champion), sample=0.5), 30, DUE).state == "good"
    for unknown in ({"expected": None}, {"sample": 0.0}):
        assert answers(both(rows(like), rows(champion), **unknown), 30, DUE).state == "unknown"
    one = answers(both(rows(1 - like, per_request=300), rows(champion)), 30, DUE)
    assert (one.state, one.n) == ("few", 1)  # one request of 300 rows is one


@pytest.mark.parametrize("paired", [True, False])
def test_one_large_request_neither_hides_the_others_nor_speaks_for_them(paired):
    """A night's batch beside two hundred requests of one row."""
    draw = np.random.default_rng(6)
    some, night = draw.beta(2, 5, 200), np.full(5000, 0.9)

    def answered(scores, name):
        ids = [f"{name}{i}" for i in range(200)] + [f"{name}-night"] * len(night)
        return Answered(np.concatenate([scores, night]), ids, np.full(len(ids), np.nan))

    champion = answered(some, "r")
    like = answered(some if paired else draw.beta(2, 5, 200), "r" if paired else "s")
    found = answers(both(like, champion, paired=paired), 30, DUE)
    assert (found.state, found.n) == ("good", 201)
    turned = answered(1 - some, "r" if paired else "s")
    assert answers(both(turned, champion, paired=paired), 30, DUE).state == "bad"


def test_answers_of_the_same_rows_are_compared_row_by_row():
    """Shuffled answers have the same distribution, and are wrong all the same."""
    draw = np.random.default_rng(2)
    champion = draw.beta(2, 5, 200)
    shuffled = draw.permutation(champion)
    assert answers(both(rows(shuffled), rows(champion)), 30, DUE).state == "good"
    assert answers(both(rows(shuffled), rows(champion), paired=True), 30, DUE).state == "bad"
    near = champion + 0.01
    assert answers(both(rows(near), rows(champion), paired=True), 30, DUE).state == "good"


def test_answers_of_several_classes():
    draw = np.random.default_rng(3)
    champion = draw.dirichlet([5, 2, 2], 400)
    like, expected = draw.dirichlet([5, 2, 2], 400), Distance(1, 900, 0.03, 0.05)
    for paired in (False, True):
        same = like if not paired else champion * 0.98 + 0.02 / 3
        seen = both(rows(same), rows(champion), expected=expected, paired=paired)
        assert answers(seen, 30, DUE).state == "good"
        turned = both(rows(champion[:, ::-1]), rows(champion), expected=expected, paired=paired)
        assert answers(turned, 30, DUE).state == "bad"
    other = both(rows(like[:, :2]), rows(champion), expected=expected)
    assert answers(other, 30, DUE).state == "unknown"


@pytest.mark.parametrize("paired", [True, False])
def test_quality_is_judged_where_labels_came(paired):
    draw = np.random.default_rng(4)
    loss = draw.exponential(0.5, 400)
    names = "r" if paired else "s"

    def seen(more):
        ours = loss + more if paired else draw.exponential(0.5, 400) + more
        return both(rows(loss, ours), rows(loss, loss, names=names), paired=paired, metric="brier")

    worse = quality(seen(0.3), 30, DUE)
    assert worse.state == "bad" and "loss (brier) of 400 labelled rows worse by 0." in worse.text
    assert quality(seen(-0.3), 30, DUE).state == "good"
    assert quality(both(rows(loss), rows(loss, loss)), 30, DUE).state == "unknown"


def test_quality_condemns_an_equal_no_more_often_than_it_says_where_a_loss_is_seldom_large():
    """A champion of few labelled rows that met no rare class (a linear release near its end)."""
    draw = np.random.default_rng(8)

    def answered(n, name):
        rate = draw.beta(0.5, 6, n)
        said = np.clip(rate, 0.005, 0.995)
        loss = -np.where(draw.random(n) < rate, np.log(said), np.log(1 - said))
        return rows(said, loss, names=name)

    found = [quality(both(answered(270, "r"), answered(30, "s")), 30, DUE) for _ in range(500)]
    assert sum(f.state == "bad" for f in found) <= 500 * DUE


def test_distances():
    a = np.array([0.1, 0.2, 0.3, 0.4])
    assert gap(a, a, 1.0) == 0 and gap(a, a + 0.04, 1.0) == 0  # a small move of all is none
    assert gap(a, a + 0.9, 1.0) == 1 == gap(a + 0.9, a, 1.0)
    assert gap(a, a + 0.04, 0.1) > 0  # unless that is much on the scale
    np.testing.assert_allclose(shifts(a, a + 0.1, 0.5), 0.2)
    found = between(3, a + 0.01, a)
    assert (found.champion, found.rows, found.gap) == (3, 4, 0) and 0 < found.shift < 0.1
    assert between(3, np.ones(9), np.ones(9)).scale == 1.0


SCORES = st.lists(st.floats(-5, 5), min_size=1, max_size=60).map(np.array)


@given(SCORES, SCORES, st.floats(0.01, 5))
def test_distances_are_shares_and_symmetric(a, b, scale):
    assert 0 <= gap(a, b, scale) == gap(b, a, scale) <= 1
    bare = max(abs((a <= x).mean() - (b <= x).mean()) for x in (*a, *b))
    assert gap(a, b, scale) <= bare + 1e-12
    even = (np.full(len(x), 1 / len(x)) for x in (a, b))
    assert gap(a, b, scale, *even) == pytest.approx(gap(a, b, scale), abs=1e-12)
    n = min(len(a), len(b))
    assert (shifts(a[:n], b[:n], scale) <= 1).all() and (shifts(a, a, scale) == 0).all()


@given(st.integers(0, 300), st.integers(1, 300), st.integers(0, 3000), st.integers(1, 3000))
def test_rates_are_tested_exactly(k, n, j, m):
    k, j = min(k, n), min(j, m)
    beyond, apart = at_least(k, n, 0.01), at_least_of((k, n), (j, m))
    if k <= 0.01 * n:
        assert beyond == 1
    else:
        assert beyond == pytest.approx(stats.binom.sf(k - 1, n, 0.01), rel=1e-6)
    if k * m <= j * n:
        assert apart == 1
    else:
        exact = stats.hypergeom.sf(k - 1, n + m, k + j, n)
        assert apart == pytest.approx(exact, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("rate", [0.005, 0.02, 0.1])
@pytest.mark.parametrize("n", [3, 30, 300])
def test_errors_condemn_an_equal_no_more_often_than_they_say(rate, n):
    """Exactly: over all that ``n`` requests beside nine times as many may give."""
    ours, theirs = (np.arange(size + 1) for size in (n, 9 * n))
    wrong = 0.0
    p, q = (stats.binom.pmf(x, len(x) - 1, rate) for x in (ours, theirs))
    for j in theirs[q > 1e-5]:
        for k in ours[p > 1e-5]:
            if errors(traffic((n, int(k)), (9 * n, int(j))), 30, DUE).state == "bad":
                wrong += p[k] * q[j]
    assert wrong <= DUE


def test_bounds_hold_as_often_as_they_say():
    """Simulated: 2,000 samples of 50, each bound broken no more often than its alpha."""
    draw = np.random.default_rng(5)
    samples = np.sort(draw.random((2000, 50)), axis=1)
    steps = np.arange(1, 51) / 50
    off = np.maximum(steps - samples, samples - steps + 1 / 50).max(axis=1)
    assert 0.02 < (off > dkw(50, 0.05)).mean() < 0.05
    assert (samples.mean(axis=1) - 0.5 > hoeffding(50, 0.05)).mean() < 0.05
    np.testing.assert_allclose(weights(["a", "b", "a", "a"]), [1 / 6, 1 / 2, 1 / 6, 1 / 6])
    average, error = mean(np.array([1.0, 1.0, 3.0, 3.0]), ["a", "a", "b", "b"])
    assert (average, error) == (2.0, pytest.approx(1.0)) and mean(np.ones(2), ["a", "a"])[1] > 1e9
