"""Published measures from Python: run one on a model, score a captured file, look at the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.benchmarks import benchmark
from audit.benchmarks.base import Benchmark, Setup
from audit.benchmarks.fetch import data_folder
from audit.benchmarks.run import Chosen, run_benchmark
from audit.benchmarks.scoring import score_file
from audit.models.base import Model
from probes.benchmarks.folder import DataFolder
from probes.errors import Fault, InputError

if TYPE_CHECKING:
    import pandas as pd


def measure(
    name: str,
    model: str | Model,
    out: str | Path,
    *,
    scorings: Sequence[str] = (),
    data: str | Path | None = None,
    scorer: str | Model | None = None,
    **decisions: Any,
) -> dict[str, Any]:
    """Run a published measure on a model and return its result, which also lies in ``out``.

    Parameters
    ----------
    name : str
        A name of ``evenhand benchmarks list``.
    model, scorer : str or Model
        Names (catalog, folder, hub id) or model objects; the scorer is a classifier that judges texts.
    out : path
        The run's folder; an unfinished run of the same plan there is resumed.
    scorings : sequence of str
        Empty takes all that the model can be asked.
    data : path, optional
        Folder of published data; by default ``$EVENHAND_DATA``, else one in the cache.
    **decisions
        Fields of :class:`~audit.benchmarks.base.Setup`: ``margin, alpha, seed, samples, options`` ...

    Raises
    ------
    InputError
        As the command line does, without a traceback's noise.

    Examples
    --------
    >>> import tempfile
    >>> from audit.models import ScriptedModel
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = measure("lpbs", ScriptedModel.group_blind(), folder + "/lpbs")
    >>> found["scorings"][0]["estimates"][0]["estimate"]
    0.0
    """
    bench = benchmark(name)
    setup = _setup(bench, "", {**decisions, **({"scorer": "model"} if scorer is not None else {})})
    chosen = Chosen(bench, tuple(scorings), setup, _data(bench, data))
    return run_benchmark(chosen, model, Path(out), scorer=scorer)


def measure_captured(
    name: str, scores: str | Path, *, scoring: str = "", data: str | Path | None = None, **decisions: Any
) -> dict[str, Any]:
    """Score a captured file with a published measure; no model is asked.

    Parameters
    ----------
    scores : path
        Scores or outputs, as ``audit.benchmarks.captured`` describes, or in a publisher's own form.
    scoring : str
        Which scoring the numbers are of; the measure's first one if empty.
    """
    bench = benchmark(name)
    setup = _setup(bench, scoring or next(iter(bench.scorings)), decisions)
    return score_file(bench, Path(scores), setup, _data(bench, data))


def measures_frame(result: Mapping[str, Any]) -> pd.DataFrame:
    """The audited estimates of a result as a table, one row each, by scoring."""
    import pandas as pd

    rows = [
        {"scoring": section["scoring"], **{k: v for k, v in row.items() if k != "reasons"}}
        for section in result["scorings"]
        for row in section["estimates"]
    ]
    return pd.DataFrame(rows)


def _setup(bench: Benchmark, scoring: str, decisions: Mapping[str, Any]) -> Setup:
    if scoring and scoring not in bench.scorings:
        known = ", ".join(bench.scorings)
        raise InputError(Fault(f"{bench.name} has no scoring {scoring!r}", "", f"Known: {known}."))
    try:
        return Setup(scoring, **decisions)
    except TypeError:
        unknown = sorted(set(decisions) - set(Setup.__dataclass_fields__))
        raise InputError(Fault(f"no such decision: {', '.join(unknown)}", "", "See Setup.")) from None


def _data(bench: Benchmark, data: str | Path | None) -> DataFolder | None:
    return DataFolder(data_folder(None if data is None else Path(data))) if bench.datasets else None
