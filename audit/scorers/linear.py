"""Linear classifiers over the words of a text, computed for many texts at once.

What scikit-learn computes with a ``TfidfVectorizer`` and a ``CalibratedClassifierCV`` of ``LinearSVC``,
without scikit-learn: words are counted, weighted by how rare they were in training, scaled to a text's
length, and the probabilities of K classifiers are averaged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from audit.stats.estimate import Floats

TOKEN_PATTERN = r"(?u)\b\w\w+\b"
"""Words of two characters or more, after lower-casing."""
_TOKEN = re.compile(TOKEN_PATTERN)
_SHOWN = 5
"""Words that a score names."""


@dataclass(frozen=True, eq=False)
class Linear:
    """K linear classifiers over the words of a text, V of which they know.

    Attributes
    ----------
    places : mapping of str to int
        The column of each word that is known.
    idf : ndarray, shape (V,)
        Weight of one occurrence of a word, before a text's weights are scaled to length 1.
    coefficients : ndarray, shape (K, V)
    intercepts, slopes, offsets : ndarray, shape (K,)
        A classifier's probability is ``expit(-(slope * (coefficients @ weights + intercept) + offset))``.
    """

    places: Mapping[str, int]
    idf: Floats
    coefficients: Floats
    intercepts: Floats
    slopes: Floats
    offsets: Floats

    def counts(self, texts: Sequence[str]) -> csr_array:
        """How often each known word stands in each text: (texts, V)."""
        known = self.places.get
        columns: list[int] = []
        ends = [0]
        for text in texts:
            columns += [place for word in _TOKEN.findall(text.lower()) if (place := known(word)) is not None]
            ends.append(len(columns))
        shape = (len(texts), self.idf.size)
        counts = csr_array((np.ones(len(columns)), np.array(columns, dtype=np.int64), ends), shape=shape)
        counts.sum_duplicates()
        return counts

    def probabilities(self, counts: csr_array) -> Floats:
        """Mean probability over the classifiers, shape (texts,); of the intercepts where no word is known."""
        weighted = counts.copy()
        weighted.data *= self.idf[weighted.indices]
        lengths = np.sqrt(np.asarray((weighted * weighted).sum(axis=1), dtype=np.float64))
        lengths[lengths == 0.0] = 1.0
        decisions = weighted @ self.coefficients.T / lengths[:, None] + self.intercepts
        found: Floats = expit(-(decisions * self.slopes + self.offsets)).mean(axis=1)
        return np.minimum(found, 1.0)

    def raising(self, counts: csr_array) -> list[tuple[str, ...]]:
        """The words that make each text more probably offensive, those that add most first; five at most."""
        steepness = (self.coefficients * -self.slopes[:, None]).mean(axis=0) * self.idf
        added = counts.data * steepness[counts.indices]
        rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        kept = added > 0.0
        added, rows, columns = added[kept], rows[kept], counts.indices[kept]
        order = np.lexsort((columns, -added, rows))
        words: list[list[str]] = [[] for _ in range(counts.shape[0])]
        names = list(self.places)
        for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
            if len(words[row]) < _SHOWN:
                words[row].append(names[column])
        return [tuple(each) for each in words]
