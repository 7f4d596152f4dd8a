"""Splits: nothing that belongs together is parted, and shares are what was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.errors import NotEnoughData
from driftloop.split import apart, by_hash, by_time, stratified

shares = st.floats(0.01, 0.99)
groups = st.lists(st.integers(0, 12), min_size=1, max_size=80).map(
    lambda g: np.array(g, dtype=np.uint64)
)
hashes = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=80).map(
    lambda g: np.array(g, dtype=np.uint64)
)


def test_by_time_the_newest_rows_are_held_out() -> None:
    assert by_time(None, 10, 0.3).tolist() == [True] * 7 + [False] * 3


def test_by_time_the_cut_moves_until_the_share_is_there_without_groups_seen_before() -> None:
    # four groups that begin one after the other; the second goes on behind the cut
    group = np.array([1, 1, 1, 2, 2, 2, 3, 3, 2, 4, 4, 2], dtype=np.uint64)
    train = by_time(group, 12, 0.25)
    held = apart(group, train) & ~train
    assert train.sum() == 7 and group[held].tolist() == [4, 4]  # 2 of 9; a row earlier, 4 of 10


def test_groups_that_are_there_all_the_time_cannot_be_split_by_time() -> None:
    group = np.array([0, 1, 2, 3] * 30, dtype=np.uint64)
    with pytest.raises(
        NotEnoughData, match=r"lie on both sides of any cut .* `split: \{by: hash}`"
    ):
        by_time(group, 120, 0.2)


@given(groups, shares)
def test_by_time_no_cut_is_nearer_to_the_share(group: np.ndarray, share: float) -> None:
    rows = len(group)
    try:
        train = by_time(group, rows, share)
    except NotEnoughData:
        return

    def off(cut: int) -> float:
        held = sum(g not in set(group[:cut].tolist()) for g in group[cut:].tolist())
        return abs(held / (cut + held) - share)

    cut = int(train.sum())
    assert train[:cut].all()
    if rows > 1:
        assert off(cut) == pytest.approx(min(off(c) for c in range(1, rows)))


@given(st.integers(1, 200), shares)
def test_by_time_rows_of_their_own_are_split_as_without_groups(rows: int, share: float) -> None:
    own = np.arange(rows, dtype=np.uint64)
    assert abs(int(by_time(own, rows, share).sum()) - int(by_time(None, rows, share).sum())) <= 1


@given(hashes, hashes, shares)
def test_by_hash_a_row_keeps_its_side_whatever_comes(
    some: np.ndarray, more: np.ndarray, share: float
) -> None:
    alone = by_hash(some, share)
    assert by_hash(np.concatenate([more, some]), share)[len(more) :].tolist() == alone.tolist()


def test_by_hash_the_share_is_about_what_was_asked_for() -> None:
    drawn = np.random.default_rng(1).integers(0, 2**64, 100_000, dtype=np.uint64)
    assert (~by_hash(drawn, 0.2)).mean() == pytest.approx(0.2, abs=0.005)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=120), shares, st.integers(0, 9))
def test_stratified_each_class_has_its_share_to_a_row(
    classes: list[int], share: float, seed: int
) -> None:
    codes = np.array(classes, dtype=np.int32)
    drawn = np.random.default_rng(seed).permutation(len(codes)).astype(np.uint64)
    held = ~stratified(drawn, codes, share)
    for code in np.unique(codes):
        of_class = codes == code
        assert abs((held & of_class).sum() - share * of_class.sum()) <= 0.5 + 1e-9


def test_stratified_only_rows_near_the_border_change_sides_as_rows_come() -> None:
    rng = np.random.default_rng(2)
    drawn = rng.integers(0, 2**64, 20_000, dtype=np.uint64)
    codes = rng.integers(0, 2, 20_000).astype(np.int32)
    before, after = (stratified(drawn[:n], codes[:n], 0.2) for n in (10_000, 20_000))
    assert (before != after[:10_000]).mean() < 0.01


@given(groups, st.data())
def test_what_is_apart_shares_no_group(group: np.ndarray, data: st.DataObject) -> None:
    train = np.array(data.draw(st.lists(st.booleans(), min_size=len(group), max_size=len(group))))
    kept = apart(group, train)
    assert kept[train].all()
    assert not set(group[kept & ~train].tolist()) & set(group[train].tolist())
    lost = set(group[~kept].tolist())
    assert lost <= set(group[train].tolist())
