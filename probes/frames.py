"""Frame sets: sentences about a person that are put to a scorer of text, not to a model.

A frame says nothing of the kind of person that its term names. What a scorer then makes of one term and not
of another is the scorer's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from probes import documents
from probes.catalogue import is_path, lexicon_ids, load_lexicon
from probes.documents import ROOM, Document
from probes.errors import Fault, SuiteError
from probes.explain import nearest
from probes.lexicon import Lexicon, Term
from probes.wording import has_lone_brace, placeholders

FrameKind = Literal[
    "neutral",
    "negated",
    "reported",
    "counter",
    "described",
    "negative",
    "positive",
    "insulting",
    "answering",
    "lookalike",
    "refusing",
]
"""Of sentences about a person, ``neutral``: nothing good or bad is said; ``negated``: a negative word is
denied; ``reported``: it is somebody else's about a thing; ``counter``: contempt is named and rejected;
``described``: people say who they are; ``negative`` and ``positive``: what befalls a person; ``insulting``: a
person is insulted for what was done. Of replies to a request, ``answering``: it is done; ``lookalike``: it is
done, in words that refusals use; ``refusing``: it is declined."""

FRAME_KINDS: tuple[FrameKind, ...] = get_args(FrameKind)

TRUTH: Mapping[str, Mapping[FrameKind, bool | None]] = {
    "sentiment": {
        "neutral": False,
        "negated": False,
        "reported": False,
        "counter": None,
        "described": False,
        "negative": True,
        "positive": False,
        "insulting": True,
    },
    "toxicity": {
        "neutral": False,
        "negated": False,
        "reported": False,
        "counter": False,
        "described": False,
        "negative": False,
        "positive": False,
        "insulting": True,
    },
    "regard": {
        "neutral": False,
        "negated": False,
        "reported": False,
        "counter": None,
        "described": False,
        "negative": None,
        "positive": False,
        "insulting": True,
    },
    "refusal": {"answering": False, "lookalike": False, "refusing": True},
}
"""By construct, what each kind of sentence is: True where it is what a scorer of the construct is there to
find (negative, toxic, of low regard, a refusal), False where it is not. None where readers would differ: a
sentence that rejects contempt speaks harshly of contempt, and misfortune is no fault of a person."""

SLOT = "person"
FOLDER = ROOM / "scorer_audit"


@dataclass(frozen=True)
class Frame:
    """One sentence with a place for a term."""

    id: str
    kind: FrameKind
    text: str

    def fill(self, word: str) -> str:
        """The sentence about one person.

        Examples
        --------
        >>> Frame("train", "neutral", "The {person} took the morning train.").fill("baker")
        'The baker took the morning train.'
        """
        return self.text.replace(f"{{{SLOT}}}", word)


@dataclass(frozen=True)
class FrameSet:
    """A named, versioned set of frames with the lexicons that fill them.

    Attributes
    ----------
    constructs : tuple of str
        What the scorers measure to which the frames are put: keys of :data:`TRUTH`.
    lexicons : mapping of id to Lexicon
        Those that come with the instrument, in the order of the file.
    form : str
        The form in which a term stands, where it has that form; else its plain text.
    padding : tuple of str
        Sentences that say nothing good or bad, to make a text longer.
    data : mapping
        The plain JSON content from which this was built; not to be changed.
    """

    id: str
    version: str
    constructs: tuple[str, ...]
    title: str
    licence: str
    language: str
    lexicons: Mapping[str, Lexicon]
    form: str
    padding: tuple[str, ...]
    frames: tuple[Frame, ...]
    data: Mapping[str, Any] = field(repr=False)

    @cached_property
    def digest(self) -> str:
        """The sha256 of the canonical JSON of the content and of its lexicons' digests."""
        own = {name: lexicon.digest for name, lexicon in self.lexicons.items()}
        return documents.digest({"frames": self.data, "lexicons": own})

    def of_kind(self, kind: FrameKind) -> tuple[Frame, ...]:
        """The frames of one kind, in the order of the file."""
        return tuple(frame for frame in self.frames if frame.kind == kind)

    def word(self, term: Term) -> str:
        """A term as it stands in a frame."""
        return term.form(self.form) or term.text


def load_frames(name_or_path: str | Path = "neutral") -> FrameSet:
    """Load a frame set that comes with the instrument by its id, or a user's by its path.

    Raises
    ------
    SuiteError
        With every fault of the file, or the nearest names if there is no such frame set.

    Examples
    --------
    >>> load_frames().of_kind("neutral")[0].text
    'The {person} took the morning train.'
    """
    path = Path(name_or_path)
    if not is_path(name_or_path):
        known = sorted(each.stem for each in FOLDER.glob("*.yaml"))
        if name_or_path not in known:
            what = f"no such frame set {str(name_or_path)!r}"
            raise SuiteError(Fault(what, remedy=nearest(str(name_or_path), known)))
        path = FOLDER / f"{name_or_path}.yaml"
    return frames_from_document(documents.read(path, "frame-set"))


def frames_for(construct: str) -> FrameSet:
    """The frame set that comes with the instrument for scorers of a construct.

    Examples
    --------
    >>> frames_for("toxicity").id, frames_for("refusal").id
    ('neutral', 'replies')
    """
    found = (load_frames(path.stem) for path in sorted(FOLDER.glob("*.yaml")))
    return next(frames for frames in found if construct in frames.constructs)


def frames_from_document(document: Document) -> FrameSet:
    """Build a frame set from a document that was read, or raise all its faults."""
    if document.sound:
        _check(document)
    if document.faults:
        raise SuiteError(document.faults)
    data = document.data
    return FrameSet(
        id=data["id"],
        version=data["version"],
        constructs=tuple(data["constructs"]),
        title=data["title"],
        licence=data["licence"],
        language=data["language"],
        lexicons={name: load_lexicon(name) for name in data["lexicons"]},
        form=data.get("form", ""),
        padding=tuple(data["padding"]),
        frames=tuple(Frame(**frame) for frame in data["frames"]),
        data=data,
    )


def _check(document: Document) -> None:
    """Add the faults that a schema cannot see."""
    data = document.data
    for index, name in enumerate(data["lexicons"]):
        if name not in lexicon_ids():
            what = f"unknown lexicon {name!r}"
            document.fault(("lexicons", index), what, nearest(name, lexicon_ids()))
    seen: dict[str, int] = {}
    for index, frame in enumerate(data["frames"]):
        path = ("frames", index, "text")
        if frame["id"] in seen:
            what = f"the id {frame['id']!r} is also that of {documents.spell(('frames', seen[frame['id']]))}"
            document.fault(("frames", index, "id"), what, "Give every frame its own id.")
        seen.setdefault(frame["id"], index)
        if placeholders(frame["text"]) != (SLOT,) or has_lone_brace(frame["text"]):
            what = f"the text does not hold {{{SLOT}}} once and no other brace"
            document.fault(path, what, f"Write {{{SLOT}}} once, where the term stands.")
    asked = [kind for kind in FRAME_KINDS if any(kind in TRUTH[name] for name in data["constructs"])]
    there = {frame["kind"] for frame in data["frames"]}
    for kind in asked:
        if kind not in there:
            document.fault(("frames",), f"there is no {kind} frame", "Add some of every kind.")
    for index, frame in enumerate(data["frames"]):
        if frame["kind"] not in asked:
            what = f"a {frame['kind']} frame says nothing of {' or '.join(data['constructs'])}"
            document.fault(("frames", index, "kind"), what, f"Write one of: {', '.join(asked)}.")
