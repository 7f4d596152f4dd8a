"""Plans answer as the pipelines they came from: trees bit for bit, the rest within 1e-12."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from driftloop.errors import BadRequest, TrainingError
from driftloop.plan import compile, load, masks, schema
from driftloop.plan.export import export
from driftloop.spec import Feature

FEATURES = {
    "n0": Feature(type="number", nullable=True),
    "c0": Feature(type="category", nullable=True),
    "n1": Feature(type="number", nullable=True),
    "c1": Feature(type="category", nullable=True),
}
NUMBERS, CATEGORIES = ["n0", "n1"], ["c0", "c1"]
EXTREMES = [0.0, -0.0, 5e-324, -5e-324, 1e-300, 1e300, -1e300, 1.7e308, -1.7e308, 0.1, 1 / 3]
SINGLE = [x for x in EXTREMES if abs(x) < 3e38] + [3.4e38, -3.4e38, 1e-46]
QUICK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True)
def _one_thread():
    """As training does; more of them only wait for each other where others test beside."""
    with threadpool_limits(limits=1):
        yield


def draw(seed: int, rows: int, classes: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Random rows: missing values, ties, categories of one letter, and a target that depends."""
    rng = np.random.default_rng(seed)
    words = list("abcdefghijkl")[: int(rng.integers(1, 12))]
    table = pd.DataFrame(
        {
            "n0": np.where(rng.random(rows) < rng.choice([0, 0.2]), np.nan, rng.normal(size=rows)),
            "c0": pd.Series(rng.choice([*words, None], rows), dtype=object),
            "n1": np.where(rng.random(rows) < 0.1, np.nan, rng.integers(0, 5, rows)),
            "c1": pd.Series(rng.choice(["x", "y"], rows), dtype=object),
        }
    )
    table["c0"] = table["c0"].where(table["c0"].notna(), np.nan)
    signal = np.nan_to_num(table["n0"]) + (table["c0"] == "a") + rng.normal(size=rows)
    if not classes:
        return table, signal.to_numpy()
    cuts = np.quantile(signal, np.linspace(0, 1, classes + 1)[1:-1])
    return table, np.array(list("rstu"))[np.searchsorted(cuts, signal)]


def questions(seed: int, table: pd.DataFrame, extremes: list[float]) -> list[dict]:
    """Rows to score: of the training data, then new ones with everything unusual."""
    rng = np.random.default_rng(seed + 1)
    known = [
        {k: None if v != v else v for k, v in row.items()}
        for row in table.head(40).to_dict("records")
    ]
    values = [None, *extremes, *table["n0"].dropna().tolist()[:20]]
    words = [None, "", "never seen", "a", "b", "x", "é"]
    strange = [
        {
            **{name: values[rng.integers(len(values))] for name in NUMBERS},
            **{name: words[rng.integers(len(words))] for name in CATEGORIES},
        }
        for _ in range(60)
    ]
    return known + strange


def both(pipeline: Pipeline, rows: list[dict], task: str) -> tuple[list, np.ndarray]:
    """The plan's answers, through bytes, and scikit-learn's for the same rows as one batch."""
    model = pipeline[-1]
    classes = [str(c) for c in model.classes_] if task == "classification" else None
    scorer = load(schema.dump(export(pipeline, FEATURES, classes, task)))
    encoded = [scorer.row(json.loads(json.dumps(row))) for row in rows]
    ours = scorer.score(encoded)
    assert ours == [scorer.score([row])[0] for row in encoded]
    table = pd.DataFrame(
        {
            **{n: np.array([math.nan if r[n] is None else r[n] for r in rows]) for n in NUMBERS},
            **{
                n: pd.Series([r[n] or np.nan for r in rows], dtype=object)  # "" as ingest does
                for n in CATEGORIES
            },
        }
    )
    if task == "regression":
        return ours, pipeline.predict(table)
    theirs = pipeline.predict_proba(table)
    return ours, theirs[:, 1] if theirs.shape[1] == 2 else theirs


def ordinal(missing: float = np.nan, most: int | None = None) -> OrdinalEncoder:
    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=missing,
        max_categories=most,
    )


def pipeline_of(category, number, model) -> Pipeline:
    steps = [("category", category, CATEGORIES), ("number", number, NUMBERS)]
    return Pipeline([("encode", ColumnTransformer(steps)), ("model", model)])


@QUICK
@given(SEEDS, st.sampled_from([0, 2, 3]), st.booleans(), st.sampled_from([None, 4]))
def test_histogram_boosting_is_identical(seed, classes, native, most):
    table, y = draw(seed, 300, classes)
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    model = kind(
        max_iter=6,
        min_samples_leaf=3,
        random_state=0,
        early_stopping=False,
        categorical_features=[1, 3] if native else None,
    )
    # Categories behind numbers here, so that the model's own reordering is at work.
    steps = [
        ("a", "passthrough", ["n0"]),
        ("b", ordinal(most=most), ["c0"]),
        ("c", "passthrough", ["n1"]),
        ("d", ordinal(), ["c1"]),
    ]
    pipeline = Pipeline([("encode", ColumnTransformer(steps)), ("model", model)]).fit(table, y)
    task = "classification" if classes else "regression"
    ours, theirs = both(pipeline, questions(seed, table, EXTREMES), task)
    if classes:  # e^x is another library's; the sums before it are compared below
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    else:
        assert ours == theirs.tolist()


@QUICK
@given(SEEDS, st.sampled_from([2, 3]))
def test_sums_of_boosted_trees_are_identical(seed, classes):
    table, y = draw(seed, 300, classes)
    model = HistGradientBoostingClassifier(
        max_iter=30, min_samples_leaf=2, early_stopping=False, categorical_features=[0, 1]
    )
    pipeline = pipeline_of(ordinal(), "passthrough", model).fit(table, y)
    plan = export(pipeline, FEATURES, [str(c) for c in model.classes_], "classification")
    scorer = load(schema.dump(plan))
    rows = questions(seed, table, [])[:40]
    ours = compile.outputs(plan)([scorer.row(row) for row in rows])
    theirs = pipeline.decision_function(table.head(40))
    assert ours == theirs.reshape(40, -1).T.tolist()


@QUICK
@given(SEEDS, st.sampled_from([0, 2, 4]), st.booleans())
def test_forests_are_identical(seed, classes, indicators):
    table, y = draw(seed, 200, classes)
    kind = RandomForestClassifier if classes else RandomForestRegressor
    category = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    model = kind(n_estimators=5, random_state=0)
    pipeline = pipeline_of(category if indicators else ordinal(), "passthrough", model)
    pipeline.fit(table, y)
    task = "classification" if classes else "regression"
    with np.errstate(invalid="ignore"):  # scikit-learn sums a column to look for infinities
        ours, theirs = both(pipeline, questions(seed, table, SINGLE), task)
    assert ours == theirs.tolist()


@QUICK
@given(
    SEEDS,
    st.sampled_from([0, 2, 3]),
    st.sampled_from(["median", "most_frequent", "constant"]),
    st.sampled_from(["indicators", "grouped", "filled", "ordinals"]),
)
def test_linear_models_agree_within_1e_12(seed, classes, strategy, encoding):
    table, y = draw(seed, 200, classes)
    category = {
        "indicators": OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        "grouped": OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=3),
        "filled": Pipeline(
            [
                ("fill", SimpleImputer(strategy="most_frequent")),
                ("encode", OneHotEncoder(handle_unknown="ignore", drop="if_binary")),
            ]
        ),
        "ordinals": OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
        ),
    }[encoding]
    impute = SimpleImputer(strategy=strategy, fill_value=0.5 if strategy == "constant" else None)
    number = Pipeline([("impute", impute), ("scale", StandardScaler())])
    if classes:
        model = LogisticRegression(max_iter=1000)
    else:
        model = LinearRegression() if seed % 2 else Ridge()
    pipeline = pipeline_of(category, number, model)
    if encoding in ("filled", "grouped"):  # an unseen one warns; here it is meant
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pipeline.fit(table, y)
            ours, theirs = _moderate(pipeline, seed, table, classes)
    else:
        pipeline.fit(table, y)
        ours, theirs = _moderate(pipeline, seed, table, classes)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def _moderate(pipeline, seed, table, classes):
    """Linear sums of 1e300 and -1e300 depend on the order of adding; moderate ones do not."""
    rows = questions(seed, table, [0.0, -3.5, 1 / 3, 12.0])
    return both(pipeline, rows, "classification" if classes else "regression")


def test_a_forest_of_trees_too_large_for_masks_is_walked():
    rows = 400
    table = pd.DataFrame(
        {"n0": 2.0 ** np.arange(rows) % 1e30, "c0": "a", "n1": np.arange(rows) * 1.0, "c1": "x"}
    )
    y = 1.5 ** np.arange(rows)  # each split takes the largest off: a chain
    model = RandomForestRegressor(n_estimators=3, random_state=0, bootstrap=False)
    pipeline = pipeline_of(ordinal(), "passthrough", model).fit(table, y)
    plan = export(pipeline, FEATURES, None, "regression")
    assert not masks.fit(plan["model"], plan["inputs"])
    ours, theirs = both(pipeline, table.to_dict("records"), "regression")
    assert ours == theirs.tolist()


def test_a_null_category_alone_answers_as_in_a_batch():
    table, y = draw(5, 300, 2)
    category = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    number = Pipeline([("impute", SimpleImputer()), ("scale", StandardScaler())])
    pipeline = pipeline_of(category, number, LogisticRegression()).fit(table, y)
    nulls = [
        {"n0": 0.5, "c0": None, "n1": None, "c1": "x"},
        {"n0": 0.5, "c0": "a", "n1": 1.0, "c1": None},
    ]
    batch, theirs = both(pipeline, nulls, "classification")
    np.testing.assert_allclose(batch, theirs, rtol=0, atol=1e-12)
    assert [both(pipeline, [row], "classification")[0][0] for row in nulls] == batch


def test_a_column_that_was_always_missing_is_imputed_or_left_out():
    table, y = draw(3, 200, 2)
    table["n0"] = np.nan
    number = SimpleImputer(strategy="median", keep_empty_features=True)
    category = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    pipeline = pipeline_of(category, number, LogisticRegression()).fit(table, y)
    ours, theirs = both(pipeline, questions(3, table, [1.0, -1.0]), "classification")
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)

    model = HistGradientBoostingClassifier(max_iter=3, categorical_features=[0])
    steps = [("category", ordinal(), ["c1"]), ("number", "passthrough", ["n1"])]
    pipeline = Pipeline([("encode", ColumnTransformer(steps)), ("model", model)]).fit(table, y)
    ours, theirs = both(pipeline, questions(3, table, [1.0, -1.0]), "classification")
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_law_10_an_answer_that_overflows_is_refused_not_served():
    table, y = draw(1, 200, 0)
    number = Pipeline([("impute", SimpleImputer()), ("scale", StandardScaler())])
    category = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    pipeline = pipeline_of(category, number, LinearRegression()).fit(table, y)
    scorer = load(schema.dump(export(pipeline, FEATURES, None, "regression")))
    row = scorer.row({"n0": 1.7e308, "c0": "a", "n1": -1.7e308, "c1": "x"})
    with pytest.raises(BadRequest, match="not finite") as caught:
        scorer.score([scorer.row({"n0": 0.0, "c0": None, "n1": 1.0, "c1": "x"}), row])
    assert caught.value.field == "instances[1]"


def test_steps_without_a_plan_form_are_refused():
    table, y = draw(1, 100, 0)
    pipeline = pipeline_of(ordinal(), "passthrough", HistGradientBoostingRegressor(loss="poisson"))
    pipeline.fit(table, np.abs(y))
    with pytest.raises(TrainingError, match="no plan form"):
        export(pipeline, FEATURES, None, "regression")
