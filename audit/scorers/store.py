"""Scores that were computed before, on disk, by scorer and text.

The text itself is not kept, only its SHA-256; the words that a score rests on are. What failed is not kept:
it may succeed the next time. A store that cannot be read or written is no store, and nothing fails for it.
Scorers of rules are faster than the look-up and never go through it.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from audit.models.cache import cache_folder
from audit.scorers.base import Around, Scorer, TextScore
from audit.scorers.rules import Rules
from probes.errors import ModelError

KEPT = ("scored", "truncated")
"""Statuses that are the same the next time."""

MOST_ROWS = 1_000_000
"""Scores in a store; the oldest quarter goes where there would be more. About 200 MB."""

LOOKED_UP_AT_ONCE = 500
WAITING = 5.0
"""Seconds to wait for another process that is writing."""

_TABLE = """
CREATE TABLE IF NOT EXISTS scores (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  scorer TEXT NOT NULL, text BLOB NOT NULL,
  value REAL, status TEXT NOT NULL, reason TEXT NOT NULL, words TEXT NOT NULL,
  UNIQUE (scorer, text)
)"""


def store_path() -> Path | None:
    """Where scores lie; None where the cache's folder is not known."""
    try:
        return cache_folder() / "scorers" / "scores.sqlite"
    except ModelError:
        return None


class ScoreStore:
    """Scores by scorer and text, for several threads and processes at once.

    Parameters
    ----------
    path : Path or None
        The file; it is made when the first score is kept. None keeps nothing.
    most_rows : int
        The number of scores above which the oldest go.
    """

    def __init__(self, path: Path | None, most_rows: int = MOST_ROWS) -> None:
        self.path = path
        self._most_rows = most_rows

    def get(self, scorer: str, texts: Iterable[str]) -> dict[str, TextScore]:
        """The scores that are there, by text.

        Parameters
        ----------
        scorer : str
            The scorer's digest.
        """
        by_key = {text_key(text): text for text in texts}
        found: dict[str, TextScore] = {}
        if self.path is None or not by_key or not self.path.is_file():
            return found
        try:
            with self._open() as base:
                for keys in chunks(list(by_key), LOOKED_UP_AT_ONCE):
                    rows = base.execute(
                        "SELECT text, value, status, reason, words FROM scores WHERE scorer = ? AND text IN "
                        f"({','.join('?' * len(keys))})",
                        (scorer, *keys),
                    )
                    for key, *row in rows:
                        if (score := score_of(row)) is not None:
                            found[by_key[key]] = score
        except (sqlite3.Error, OSError):
            return {}
        return found

    def put(self, scorer: str, scores: Mapping[str, TextScore]) -> None:
        """Keep scores by text, those whose status is in :data:`KEPT`."""
        rows = [
            (scorer, text_key(text), one.value, one.status, one.reason, json.dumps(one.words))
            for text, one in scores.items()
            if one.status in KEPT
        ]
        if self.path is None or not rows:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._open() as base, base:
                base.execute(_TABLE)
                base.executemany(
                    "INSERT OR IGNORE INTO scores (scorer, text, value, status, reason, words) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    rows,
                )
                self._bound(base)
        except (sqlite3.Error, OSError):
            return

    def _bound(self, base: sqlite3.Connection) -> None:
        oldest, newest = base.execute("SELECT min(id), max(id) FROM scores").fetchone()
        if newest - oldest + 1 > self._most_rows:
            base.execute("DELETE FROM scores WHERE id <= ?", (newest - self._most_rows * 3 // 4,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # A connection for each call: none is carried into another thread or a forked process.
        with closing(sqlite3.connect(str(self.path), timeout=WAITING)) as base:
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=NORMAL")
            yield base


def text_key(text: str) -> bytes:
    """What a text is known by; halves of surrogate pairs, which UTF-8 has no place for, included."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def chunks(keys: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """Keys in groups of a size at most."""
    return (keys[start : start + size] for start in range(0, len(keys), size))


def score_of(row: Sequence[Any]) -> TextScore | None:
    """The score that a row holds; None where it holds none that can have been kept."""
    value, status, reason, words = row
    try:
        read = tuple(json.loads(words))
        sound = value is None or (isinstance(value, float) and math.isfinite(value))
        if status not in KEPT or not sound or not all(isinstance(word, str) for word in read):
            return None
        return TextScore(value, status, str(reason), read)
    except (TypeError, ValueError):
        return None


class Stored(Around):
    """A scorer whose scores are looked up before it is asked, and kept afterwards.

    Parameters
    ----------
    scorer : Scorer
        It is asked only for texts that are not there, each once.
    store : ScoreStore
        Where they are kept.
    """

    def __init__(self, scorer: Scorer, store: ScoreStore) -> None:
        super().__init__(scorer)
        self._store = store

    def score(self, texts: Sequence[str]) -> list[TextScore]:
        """One score a text, in their order."""
        unique = list(dict.fromkeys(texts))
        known = self._store.get(self.digest, unique)
        missing = [text for text in unique if text not in known]
        if missing:
            fresh = dict(zip(missing, self._scorer.score(missing), strict=True))
            self._store.put(self.digest, fresh)
            known.update(fresh)
        return [known[text] for text in texts]


def stored(scorer: Scorer, store: ScoreStore | None = None) -> Scorer:
    """The scorer behind a store, that of the cache by default; a scorer of rules by itself.

    Examples
    --------
    >>> from audit.scorers.registry import scorer_named
    >>> vader = scorer_named("vader")
    >>> stored(vader) is vader
    True
    """
    if isinstance(scorer, Rules):
        return scorer
    return Stored(scorer, store or ScoreStore(store_path()))
