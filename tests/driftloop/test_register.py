import json

from driftloop.card import card, markdown
from driftloop.register import audit, card_key, version
from tests.driftloop.ledgers import at, spec

STATE = {
    "model": "flights", "run": "upload-abc-1", "cause": "upload", "now": at(0), "uploads": [],
    "fence": 1, "event": "abc", "reason": "jan.csv was uploaded",
    "ingest": {"accepted": 90, "rejected": 2, "refused": [], "parts": ["p1"], "dataset": "d1"},
    "frame": {"frame": "f1", "key": "k", "dataset": "d1", "rows": 100, "train_rows": 80,
              "holdout_rows": 20, "classes": ["0", "1"]},
    "scores": [{"trial": 0}], "choice": {"trial": 0, "score": 0.5},
    "candidate": {"candidate": "c" * 16, "plan_key": "pk", "plan_sha256": "ps",
                  "baseline_key": "bk", "environment_key": "ek", "estimator": "logistic_regression",
                  "params": {"c": 1.0}, "train_rows": 80, "form": "plan"},
    "verdict": {"accepted": True, "metrics": {"log_loss": 0.41}, "champion": 2,
                "champion_metrics": {"log_loss": 0.43}, "key": "vk",
                "reasons": [{"gate": "g", "passed": True, "text": "0.41 | beats 0.43"}]},
}  # fmt: skip
REPORT = {
    "slices": [{"column": "origin", "value": "JFK", "rows": 9, "loss": 0.4, "champion_loss": None}],
    "importance": [{"feature": "hour", "increase": 0.02}],
}


def made(number=3):
    return version(STATE, number, spec(), "code", {"python": "3.13"}, at(1))


def test_a_version_holds_the_whole_lineage():
    found = made()
    assert (found.version, found.candidate, found.plan_sha256) == (3, "c" * 16, "ps")
    assert (found.dataset, found.frame, found.run, found.cause) == (
        "d1",
        "f1",
        "upload-abc-1",
        "upload",
    )
    assert (found.champion_at_birth, found.metrics) == (2, {"log_loss": 0.41})
    assert len(found.spec_digest) == 64 and found.code_digest == "code"
    assert found == made()
    entry = audit(found, STATE)
    assert (entry.before, entry.after, entry.reason) == (2, 3, "0.41 | beats 0.43")


def test_versions_of_one_candidate_have_cards_of_their_own():
    assert card_key("m", "c", 3) != card_key("m", "c", 4)
    assert made().card_key == card_key("flights", "c" * 16, 3)


def test_a_card_reads_as_data_and_as_text():
    found = card(made(), STATE, spec(), REPORT)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    text = markdown(found)
    for words in (
        "# flights, version 3",
        "| log_loss | 0.41 | 0.43 |",
        "origin = JFK",
        "| hour |",
        "0.41 | beats 0.43",
        "`d1`",
        "because jan.csv was uploaded",
    ):
        assert words in text


def test_a_card_says_how_often_its_drift_alarms_are_in_vain():
    drawn = {"how": "windows", "windows": 3, "support": 3}
    state = STATE | {"candidate": STATE["candidate"] | {"windows": drawn}}
    found = card(made(), state, spec(), REPORT)
    assert found["drift"]["false_alarms"] == "13/year" and found["drift"]["asked"] is None
    assert "13/year at most (as few as the training data can tell" in markdown(found)
    assert card(made(), STATE, spec(), REPORT)["drift"] is None  # made before cards said so


def test_a_card_says_how_far_a_regression_may_miss():
    made_of = {"confidence": 0.9, "low": -8.25, "high": 12.0}
    measured = made_of | {"coverage": 0.887, "coverage_rows": 1234}
    found = card(made(), STATE, spec(), REPORT | {"interval": measured})
    assert found["quality"]["interval"] == measured
    text = markdown(found)
    assert "In 90% of rows the truth should lie between -8.25 and +12 of the answer" in text
    assert "held 88.7% of the later half's 1,234 rows" in text
    found = card(made(), STATE, spec(), {"interval": made_of | {"coverage": None}})
    assert "later half" not in markdown(found)


def test_a_first_version_has_a_card_without_a_champion():
    verdict = STATE["verdict"] | {"champion": None, "champion_metrics": {}}
    state = STATE | {"verdict": verdict}
    found = version(state, 1, spec(), "code", {}, at(1))
    assert "| metric | this version |\n" in markdown(card(found, state, spec(), {}))
