"""The file of a sidecar: its columns, and what it says it was made from."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from audit.bundle import Bundle
from audit.calibration.record import code_sha256
from audit.item_rows import COUNTS, FLAGS, NUMBERS, REPEATED, TEXTS, extra_columns, item_frames
from audit.kept import KeptAnswers
from audit.measures import scorer_column
from audit.scored import ScoredAnswers
from audit.table import AXIS

FORMAT = 2
"""Version of the sidecar's layout. One of another version is made again."""
KEY = "evenhand"
"""Where the file says what it was made from."""
FIXED = (*REPEATED, *TEXTS, *COUNTS, *FLAGS, *NUMBERS)
"""The columns that every sidecar has; those of axes and of further scorers follow."""
ROW_GROUP = 65_536
"""Rows that are written, and read, as one."""


@dataclass(frozen=True)
class Source:
    """What a sidecar was made from.

    Attributes
    ----------
    files : dict of str to str
        Name of each record file to its SHA-256.
    code_sha256 : str
        The code that read the scores off the answers: another version's scorers may read other numbers.
    complete : bool
        Whether every answer that the plan needs was there.
    n_records : int
        Records of the bundle.
    groups : list of [model, suite]
        What each row group holds.
    """

    format: int
    plan_sha256: str
    chain_sha256: str
    files: dict[str, str]
    code_sha256: str
    complete: bool
    n_records: int
    groups: list[list[str]]

    @classmethod
    def of(
        cls, bundle: Bundle, answers: KeptAnswers, scored: ScoredAnswers, groups: list[list[str]]
    ) -> Source:
        """What the sidecar of these answers is made from, by the code that runs."""
        return cls(
            format=FORMAT,
            plan_sha256=bundle.plan_sha256,
            chain_sha256=answers.head,
            files=dict(answers.files),
            code_sha256=this_code(),
            complete=not scored.missing,
            n_records=answers.count,
            groups=groups,
        )

    @classmethod
    def stated(cls, file: pq.ParquetFile) -> Source:
        """What a file says that it was made from; a :class:`ValueError` where it does not say it."""
        metadata = file.metadata.metadata or {}
        try:
            source = cls(**json.loads(metadata[KEY.encode()]))
            sound = all(isinstance(name, str) for model, suite in source.groups for name in (model, suite))
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"not the metadata of a sidecar: {error}") from error
        if not sound or len(source.groups) != file.metadata.num_row_groups:
            raise ValueError("the metadata do not fit the row groups")
        return source

    def fits(self, bundle: Bundle, files: Mapping[str, str]) -> bool:
        """Whether it was made from this plan and these record files, by the code that runs."""
        own = (self.format, self.plan_sha256, self.code_sha256, self.files)
        return own == (FORMAT, bundle.plan_sha256, this_code(), files)


@cache
def this_code() -> str:
    """The hash of the code that runs, which does not change while it does."""
    return code_sha256()


def sidecar_bytes(bundle: Bundle, answers: KeptAnswers, scored: ScoredAnswers) -> bytes:
    """The file of a sidecar, whole."""
    groups = []
    sink = io.BytesIO()
    with pq.ParquetWriter(
        sink, schema_of(column_names(scored)), compression="zstd", write_page_checksum=True
    ) as writer:
        for model, suite, table in arrow_tables(bundle.plan, answers, scored):
            writer.write_table(table)
            groups.append([model, suite])
        source = Source.of(bundle, answers, scored, groups)
        writer.add_key_value_metadata({KEY: json.dumps(asdict(source))})
    return sink.getvalue()


def arrow_tables(
    plan: Mapping[str, Any], answers: KeptAnswers, scored: ScoredAnswers
) -> Iterator[tuple[str, str, pa.Table]]:
    """Model, suite and rows of every row group."""
    schema = schema_of(column_names(scored))
    for model, suite, frame in item_frames(plan, answers, scored, ROW_GROUP):
        yield model, suite, arrow_table(frame, schema)


def arrow_table(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """A frame in a schema; a column that it lacks is null throughout."""
    return pa.Table.from_arrays([arrow_column(frame, field) for field in schema], schema=schema)


def arrow_column(frame: pd.DataFrame, field: pa.Field) -> pa.Array:
    """One column of a frame as its field wants it; what is missing is null."""
    repeated = pa.types.is_dictionary(field.type)
    plain = field.type.value_type if repeated else field.type
    if field.name not in frame:
        column = pa.nulls(len(frame), plain)
    else:
        given = pa.chunked_array([], plain) if frame.empty else pa.array(frame[field.name], from_pandas=True)
        column = given.combine_chunks() if isinstance(given, pa.ChunkedArray) else given
        column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        column = column.cast(plain)
    return column.dictionary_encode() if repeated else column


def column_names(scored: ScoredAnswers) -> list[str]:
    """The columns of a plan's sidecar, in order."""
    return [*FIXED, *extra_columns(scored.suites)]


def schema_of(names: Iterable[str]) -> pa.Schema:
    """The schema of a sidecar with these columns.

    Raises
    ------
    ValueError
        For a column that no sidecar has, or without one that every sidecar has.
    """
    named = list(names)
    if tuple(named[: len(FIXED)]) != FIXED:
        raise ValueError("not the columns of a sidecar")
    dictionary = pa.dictionary(pa.int32(), pa.string())
    known: dict[str, pa.DataType] = {
        **dict.fromkeys(REPEATED, dictionary),
        **dict.fromkeys(TEXTS, pa.string()),
        **dict.fromkeys(COUNTS, pa.int64()),
        **dict.fromkeys(FLAGS, pa.bool_()),
        **dict.fromkeys(NUMBERS, pa.float64()),
    }
    fields = []
    for name in named:
        if name.startswith(AXIS):
            known[name] = dictionary
        elif name.startswith(scorer_column("")):
            known[name] = pa.float64()
        if name not in known:
            raise ValueError(f"no sidecar has a column {name!r}")
        fields.append((name, known[name]))
    return pa.schema(fields)
