"""The weights of ``offensive``: out of the package's pickles, into plain files, and back.

Every setting of the package's model that changes a number is held against what :mod:`audit.scorers.linear`
computes; a model that differs in one is refused. Its list of stop words is not needed: it took them out
before it learned its words, so that none of them has a weight.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from audit.requests import canonical
from audit.scorers.linear import TOKEN_PATTERN, Linear
from audit.scorers.pickles import Inert, read_pickle
from audit.stats.estimate import Floats
from probes.errors import Fault, InputError

VECTORIZER = "vectorizer.joblib"
MODEL = "model.joblib"
WORDS_FILE = "words.json"
WEIGHTS_FILE = "weights.npy"

_VECTORIZER = "sklearn.feature_extraction.text.TfidfVectorizer"
_TFIDF = "sklearn.feature_extraction.text.TfidfTransformer"
_CALIBRATED = "sklearn.calibration.CalibratedClassifierCV"
_ONE = "sklearn.calibration._CalibratedClassifier"
_SIGMOID = "sklearn.calibration._SigmoidCalibration"
_SVM = "sklearn.svm._classes.LinearSVC"
CLASSES = (_VECTORIZER, _TFIDF, _CALIBRATED, _ONE, _SIGMOID, _SVM)

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    _VECTORIZER: {
        "input": "content", "strip_accents": None, "preprocessor": None, "tokenizer": None,
        "analyzer": "word", "lowercase": True, "token_pattern": TOKEN_PATTERN, "stop_words": "english",
        "ngram_range": (1, 1), "binary": False, "norm": "l2", "use_idf": True, "sublinear_tf": False,
    },
    _TFIDF: {"norm": "l2", "use_idf": True, "sublinear_tf": False},
    _CALIBRATED: {"method": "sigmoid"},
    _ONE: {"method": "sigmoid"},
    _SVM: {"fit_intercept": True},
    _SIGMOID: {},
}  # fmt: skip
"""By class, each setting that decides what the model computes, and what it must be."""


def plain_files(pickled: Mapping[str, bytes]) -> dict[str, bytes]:
    """From the package's two files, two that hold no code: the words as JSON, the numbers as an array.

    Raises
    ------
    InputError
        If they are not a model that :class:`~audit.scorers.linear.Linear` computes.
    """
    vectorizer = read_pickle(pickled[VECTORIZER], VECTORIZER, CLASSES)
    linear = linear_of(vectorizer, read_pickle(pickled[MODEL], MODEL, CLASSES))
    numbers = io.BytesIO()
    np.save(numbers, stacked(linear), allow_pickle=False)
    return {WORDS_FILE: canonical(list(linear.places)), WEIGHTS_FILE: numbers.getvalue()}


def read_linear(folder: Path) -> Linear:
    """The model of a folder with the files of :func:`plain_files`, which were checked."""
    words = json.loads((folder / WORDS_FILE).read_text("utf-8"))
    rows = np.load(folder / WEIGHTS_FILE, allow_pickle=False)
    places = {word: place for place, word in enumerate(words)}
    known = len(places)
    own = rows[1:]
    return Linear(
        places, rows[0, :known], own[:, :known], own[:, known], own[:, known + 1], own[:, known + 2]
    )


def stacked(linear: Linear) -> Floats:
    """All numbers, shape (1 + K, V + 3): idf, then of each classifier weights, intercept and sigmoid."""
    single = np.stack([linear.intercepts, linear.slopes, linear.offsets], axis=1)
    own = np.hstack([linear.coefficients, single])
    first = np.concatenate([linear.idf, np.zeros(single.shape[1])])
    return np.ascontiguousarray(np.vstack([first, own]), dtype="<f8")


def linear_of(vectorizer: Any, model: Any) -> Linear:
    """The linear model that a vectorizer and a calibrated classifier, as they were read, are together.

    Raises
    ------
    InputError
        If a setting, a shape or a type is another than it must be; it is named.
    """
    settings = _state(vectorizer, _VECTORIZER, VECTORIZER)
    places = _places(settings.get("vocabulary_"))
    tfidf = _state(settings.get("_tfidf"), _TFIDF, VECTORIZER)
    idf = _array(tfidf, "idf_", (len(places),), VECTORIZER)
    calibrated = _state(model, _CALIBRATED, MODEL)
    _require_classes(calibrated, "classes_")
    parts = calibrated.get("calibrated_classifiers_")
    if not isinstance(parts, list) or not parts:
        _refuse("calibrated_classifiers_ is no list of classifiers", MODEL)
    found = [_classifier(part, len(places)) for part in parts]
    singles = [np.array(each) for each in zip(*(single for _, single in found), strict=True)]
    return Linear(places, idf, np.stack([coefficients for coefficients, _ in found]), *singles)


def _classifier(part: Any, known: int) -> tuple[Floats, tuple[float, float, float]]:
    """Weights of one classifier; its intercept, and slope and offset of its sigmoid."""
    state = _state(part, _ONE, MODEL)
    _require_classes(state, "classes")
    machine = _state(state.get("estimator"), _SVM, MODEL)
    _require_classes(machine, "classes_")
    sigmoids = state.get("calibrators")
    if not isinstance(sigmoids, list) or len(sigmoids) != 1:
        _refuse("calibrators is not a list of one", MODEL)
    sigmoid = _state(sigmoids[0], _SIGMOID, MODEL)
    intercept = float(_array(machine, "intercept_", (1,), MODEL)[0])
    single = intercept, _number(sigmoid, "a_"), _number(sigmoid, "b_")
    return _array(machine, "coef_", (1, known), MODEL)[0], single


def _state(found: Any, path: str, where: str) -> dict[str, Any]:
    """The state of an object of a class, its settings checked."""
    if not isinstance(found, Inert) or found.path != path:
        _refuse(f"there is no {path} where one belongs", where)
    state: dict[str, Any] = found.state
    for name, wanted in SETTINGS[path].items():
        value = state.get(name, "absent")
        if type(value) is not type(wanted) or value != wanted:
            shown = (
                repr(value)[:60] if isinstance(value, str | int | float | bool | None) else "something else"
            )
            _refuse(f"{name} of {path.rpartition('.')[2]} is {shown}, not {wanted!r}", where)
    return state


def _places(vocabulary: Any) -> dict[str, int]:
    """Words in the order of their columns."""
    if not isinstance(vocabulary, dict) or not all(type(place) is int for place in vocabulary.values()):
        _refuse("vocabulary_ is no table of words and columns", VECTORIZER)
    ordered = sorted(vocabulary.items(), key=lambda pair: pair[1])
    if [place for _, place in ordered] != list(range(len(ordered))) or not ordered:
        _refuse("vocabulary_ does not number its words from 0", VECTORIZER)
    return dict(ordered)


def _array(state: Mapping[str, Any], name: str, shape: tuple[int, ...], where: str) -> Floats:
    found = state.get(name)
    if isinstance(found, np.ndarray) and found.dtype == np.float64 and found.shape == shape:
        array: Floats = found
        if np.isfinite(array).all():
            return array
    _refuse(f"{name} is not {' x '.join(map(str, shape))} finite numbers", where)


def _number(state: Mapping[str, Any], name: str) -> float:
    found = state.get(name)
    if not isinstance(found, float) or not math.isfinite(found):
        _refuse(f"{name} of a sigmoid is no finite number", MODEL)
    return found


def _require_classes(state: Mapping[str, Any], name: str) -> None:
    found = state.get(name)
    if not isinstance(found, np.ndarray) or found.dtype != np.int64 or found.tolist() != [0, 1]:
        _refuse(f"{name} are not 0 and 1", MODEL)


def _refuse(what: str, where: str) -> NoReturn:
    raise InputError(Fault(what, where, "This is another model than the one that evenhand computes."))
