"""Run a calibration: every study, in at most two processes, with the same numbers for any number of them."""

from __future__ import annotations

import datetime
import importlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from audit.calibration.studies import STUDIES
from audit.calibration.study import CHECK_ERROR, Settings, Study, StudyResult
from probes.errors import Fault, InputError

FORMAT = "evenhand-calibration-1"
MOST_WORKERS = 2

Advance = Callable[[str, float], None]
"""Told of each finished study: its title and its share of the work."""


def calibrate(
    settings: Settings,
    *,
    only: Sequence[str] = (),
    workers: int = MOST_WORKERS,
    advance: Advance | None = None,
) -> dict[str, Any]:
    """Run the studies and put together the record.

    Parameters
    ----------
    settings : Settings
        Quick or full, seed and estimator.
    only : sequence of str
        Ids of studies; all if empty.
    workers : int
        Processes, 1 or 2. The numbers do not depend on it.
    advance : callable, optional
        Called after each study.

    Returns
    -------
    dict
        As ``calibration.schema.json`` describes.

    Raises
    ------
    InputError
        For an unknown study or estimator, and where the code changed during the run.
    """
    from audit.calibration.record import code_sha256, studies_sha256
    from audit.environment import environment, version

    chosen = chosen_studies(only, settings.estimator)
    code, studies = code_sha256(), studies_sha256()
    clock, started = time.monotonic(), datetime.datetime.now(datetime.UTC)
    found = dict(finished(chosen, settings, min(workers, MOST_WORKERS), advance))
    if (code, studies) != (code_sha256(), studies_sha256()):
        what = "the code changed while it was being calibrated"
        raise InputError(Fault(what, "", "Run it again: these numbers belong to neither version."))
    rows = [study_row(study, *found[study.id]) for study in chosen]
    checks = sum(len(row["checks"]) for row in rows)
    holding = sum(bool(row["holds"]) for row in rows)
    return {
        "format": FORMAT,
        "version": version("evenhand"),
        "code_sha256": code,
        "studies_sha256": studies,
        "date": started.date().isoformat(),
        "seconds": round(time.monotonic() - clock, 1),
        "environment": environment(),
        "seed": settings.seed,
        "quick": settings.quick,
        "complete": len(chosen) == len(STUDIES),
        "estimator": settings.estimator,
        "check_error": CHECK_ERROR,
        "checks": checks,
        "false_alarm": min(1.0, checks * CHECK_ERROR),
        "studies_holding": holding,
        "holds": holding == len(rows),
        "studies": rows,
    }


def chosen_studies(only: Sequence[str], estimator: str = "shipped") -> list[Study]:
    """The studies of these names, in the report's order; all if none is named.

    Raises
    ------
    InputError
        For every unknown study, and an unknown estimator.
    """
    from audit.calibration.estimators import ESTIMATORS

    faults = [
        Fault(f"no study {name!r}", "", f"One of: {', '.join(STUDIES)}.")
        for name in only
        if name not in STUDIES
    ]
    if estimator not in ESTIMATORS:
        faults.append(Fault(f"no estimator {estimator!r}", "", f"One of: {', '.join(ESTIMATORS)}."))
    if faults:
        raise InputError(faults)
    return [study for study in STUDIES.values() if not only or study.id in only]


def study_row(study: Study, result: StudyResult, seconds: float) -> dict[str, Any]:
    """A study with what it found, as plain data."""
    return {
        "id": study.id,
        "theme": study.theme,
        "title": study.title,
        "shows": study.shows,
        "pluggable": study.pluggable,
        "cpu_seconds": round(seconds, 2),
        **result.to_json(),
    }


def run_study(study_id: str, settings: Settings) -> tuple[StudyResult, float]:
    """One study, and the processor seconds it took."""
    module, _, name = STUDIES[study_id].function.partition(":")
    function = getattr(importlib.import_module(module), name)
    clock = time.process_time()
    result: StudyResult = function(settings)
    return result, time.process_time() - clock


def finished(
    studies: Sequence[Study], settings: Settings, workers: int, advance: Advance | None
) -> Iterator[tuple[str, tuple[StudyResult, float]]]:
    """Each study's result as it is ready; the longest are begun first."""
    total = sum(study.cost for study in studies)
    order = sorted(studies, key=lambda study: -study.cost)

    def told(study: Study) -> None:
        if advance:
            advance(study.title, study.cost / total)

    if workers <= 1 or len(order) == 1:
        for study in order:
            yield study.id, run_study(study.id, settings)
            told(study)
        return
    with one_thread_each(), pool(workers) as executor:
        with signals_held():  # the first submission starts the processes
            waiting = {executor.submit(run_study, study.id, settings): study for study in order}
        for done in as_completed(waiting):
            yield waiting[done].id, done.result()
            told(waiting[done])


@contextmanager
def pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that leave Ctrl-C to this one, and end with it at once when it is stopped."""
    executor = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():  # a running study cannot be cancelled, only ended
            process.kill()
        raise
    executor.shutdown()


@contextmanager
def signals_held() -> Iterator[None]:
    """What asks this process to stop waits until the block is done, and never reaches processes begun in it.

    A process that is half begun when its parent is stopped is known to nobody and would wait for work for
    ever. Ctrl-C reaches every process of a terminal; only the first is to answer it. A process inherits
    which signals are held where it is begun.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Libraries of the processes that start here use one thread each: there are as many as processors."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
