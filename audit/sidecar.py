"""The items behind the findings: every score of a bundle in one table, of which parts are read fast.

``DIR/sidecar/scores.parquet`` holds the rows of ``audit.item_rows``, model by model and suite by suite. It
is no part of what was kept: it can be made again from plan and records at any time, and it is read only
where it says that it was made from this very plan and these very records, and by this very code. That it
holds what they give is for ``evenhand verify`` to check.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from audit.bundle import (
    SIDECAR,
    Bundle,
    file_sha256,
    folder_within,
    parse_record,
    sha256,
    this_writer,
    write_whole,
)
from audit.kept import KeptAnswers, Place, Told, read_answers
from audit.models.cache import cache_folder
from audit.records import Record
from audit.scored import ScoredAnswers, score_answers
from audit.sidecar_file import Source, schema_of, sidecar_bytes
from probes.errors import BundleError, Fault, ModelError

SCORES = "scores.parquet"
REMEDY = "Remove the folder sidecar from the bundle: it holds no result, and is made again."


class Sidecar:
    """Reads parts of the table of scores, and single records.

    Parameters
    ----------
    root : Path
        The bundle.
    file : ParquetFile
        The table.
    source : Source
        What it was made from.

    Attributes
    ----------
    complete : bool
        Whether every answer that the plan needs is there. Of an unfinished audit there are the rows of what
        was answered.
    n_records : int
        Records of the bundle.
    n_rows : int
        Scores in the table.
    columns : list of str
        Those of the table; see ``audit.item_rows.item_frames``.
    """

    def __init__(self, root: Path, file: pq.ParquetFile, source: Source) -> None:
        self.root = root
        self.source = source
        self.complete = source.complete
        self.n_records = source.n_records
        self.n_rows = int(file.metadata.num_rows)
        self.columns: list[str] = list(file.schema_arrow.names)
        self._file = file
        self._lock = threading.Lock()  # one file for all the sessions of a dashboard

    def scores(
        self, columns: Sequence[str] | None = None, model: str | None = None, suite: str | None = None
    ) -> pd.DataFrame:
        """Rows of the table, in the plan's order; strings that repeat are categories.

        Parameters
        ----------
        columns : sequence of str, optional
            Only these; all by default.
        model, suite : str, optional
            Only rows of this model or suite, by id. Nothing else is read.

        Raises
        ------
        BundleError
            If there is no such column, or the file is damaged.
        """
        named = list(self.columns if columns is None else columns)
        unknown = [column for column in named if column not in self.columns]
        if unknown:
            what = f"the sidecar has no column {', '.join(map(repr, unknown))}"
            raise BundleError(Fault(what, str(self.root), f"It has {', '.join(self.columns)}."))
        groups = [
            number
            for number, (own_model, own_suite) in enumerate(self.source.groups)
            if model in (None, own_model) and suite in (None, own_suite)
        ]
        frame: pd.DataFrame = self._read(groups, named).unify_dictionaries().to_pandas()
        return frame[named]

    def record(self, n: int) -> Record:
        """One record, read where it lies and checked as far as it can be by itself.

        Parameters
        ----------
        n : int
            Its number.

        Raises
        ------
        BundleError
            If no score was read off such a record, or what lies there is not the record that was scored.
        """
        place, digest = self._place(n)
        path = self.root / "records" / place.file
        where = f"{path}: record {n}"
        if place.file not in self.source.files:
            raise BundleError(Fault("the sidecar names a file that is none of the records'", where, REMEDY))
        record = parse_record(line_at(path, place, where), where)
        if (record.n, record.digest) != (n, digest):
            raise BundleError(Fault("not the record that the sidecar was made from", where, REMEDY))
        return record

    def row_groups(self) -> Iterator[tuple[str, str, pa.Table]]:
        """Model, suite and rows of one row group after another."""
        for number, (model, suite) in enumerate(self.source.groups):
            yield model, suite, self._read([number], self.columns)

    def _place(self, n: int) -> tuple[Place, str]:
        """Where a record lies, and the digest of its request."""
        column = self.columns.index("n")
        for number in range(self._file.metadata.num_row_groups):
            known = self._file.metadata.row_group(number).column(column).statistics
            if known is not None and known.has_min_max and not known.min <= n <= known.max:
                continue
            rows = self._read([number], [*Place._fields, "digest"])
            at = pc.index(rows["n"], n).as_py()
            if at >= 0:
                *place, digest = (rows[name][at].as_py() for name in (*Place._fields, "digest"))
                return Place(*place), digest
        raise BundleError(Fault(f"no score was read off record {n}", str(self.root), ""))

    def _read(self, groups: Sequence[int], columns: Sequence[str]) -> pa.Table:
        try:
            with self._lock:
                return self._file.read_row_groups(list(groups), columns=list(columns))
        except (OSError, pa.ArrowException) as error:
            where = str(self.root / SIDECAR / SCORES)
            raise BundleError(Fault(f"the sidecar is damaged: {error}", where, REMEDY)) from None


def line_at(path: Path, place: Place, where: str) -> bytes:
    """The line of a record file at a place, which anyone may have written."""
    try:
        with path.open("rb") as lines:
            size = os.fstat(lines.fileno()).st_size
            if not 0 <= place.offset <= place.offset + place.length <= size:
                raise ValueError("the place lies outside the file")
            lines.seek(place.offset)
            return lines.read(place.length)
    except (OSError, TypeError, ValueError) as error:
        raise BundleError(Fault(f"cannot be read: {error}", where, REMEDY)) from None


def open_sidecar(root: Path, progress: Told | None = None) -> Sidecar:
    """The sidecar of a bundle, made again where there is none of its plan and records.

    It is then written to the bundle; where that cannot be written to, to the cache (``EVENHAND_CACHE``); and
    held in memory where that cannot be either.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    progress : callable, optional
        Told what is being done and which share of it is done, while the sidecar is made again.

    Raises
    ------
    BundleError
        If plan or records are broken.
    """
    bundle = Bundle(root)
    files = {path.name: file_sha256(path) for path in bundle.record_files()}
    for path in places(bundle):
        found = opened(root, path)
        if found is not None and found.source.fits(bundle, files):
            return found
    answers = read_answers(bundle, progress)
    content = sidecar_bytes(bundle, answers, score_answers(bundle.plan, answers.responses, progress))
    for path in places(bundle):
        try:
            write_content(path, content)
        except BundleError:
            continue  # what can only be read is shown all the same
        break
    made = opened(root, io.BytesIO(content))
    assert made is not None
    return made


def opened(root: Path, file: Path | io.BytesIO) -> Sidecar | None:
    """The sidecar in a file; None where there is no file, or it is of another form."""
    if isinstance(file, Path) and not file.is_file():  # a pipe would be waited for, without end
        return None
    try:
        found = pq.ParquetFile(file, page_checksum_verification=True)
        names = found.schema_arrow.names
        if not found.schema_arrow.remove_metadata().equals(schema_of(names)):
            return None
        return Sidecar(root, found, Source.stated(found))
    except (OSError, pa.ArrowException, ValueError):
        return None


def write_sidecar(bundle: Bundle) -> None:
    """Write the sidecar of a bundle, from its plan and records alone.

    Raises
    ------
    BundleError
        If plan or records are broken, or the folder cannot be written to.
    """
    answers = read_answers(bundle)
    write_scores(bundle, answers, score_answers(bundle.plan, answers.responses))


def write_scores(bundle: Bundle, answers: KeptAnswers, scored: ScoredAnswers) -> None:
    """As :func:`write_sidecar`, from answers that were read and scored already."""
    write_content(sidecar_path(bundle.root), sidecar_bytes(bundle, answers, scored))


def write_content(path: Path, content: bytes) -> None:
    """Write a sidecar whole or not at all, its folder made where it is not there."""
    folder_within(path.parent.parent, path.parent.name)
    write_whole(path, content, this_writer())


def sidecar_path(root: Path) -> Path:
    """Where a bundle has its sidecar."""
    return root / SIDECAR / SCORES


def places(bundle: Bundle) -> list[Path]:
    """Where the sidecar of a bundle may lie: in the bundle, or in the cache."""
    own = sidecar_path(bundle.root)
    try:
        cache = cache_folder()
    except ModelError:
        return [own]
    return [own, cache / "sidecars" / f"{bundle.plan_sha256}-{chain_head(bundle)}" / SCORES]


def chain_head(bundle: Bundle) -> str:
    """SHA-256 of the last record, of the plan where there is none; the others are not read."""
    files = [path for path in bundle.record_files() if path.stat().st_size]
    if not files:
        return bundle.plan_sha256
    with files[-1].open("rb") as file:
        *_, last = file
    return sha256(last.removesuffix(b"\n"))
