"""Examples of generated text behind a disparity: the prompt in full, of the text only its shape.

The texts themselves stand there only where whoever makes the report asks for them, and then it says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.bundle import Bundle
from audit.redaction.carried import carried, shown_of, written_about
from audit.redaction.withheld import NOT_HERE
from audit.sidecar import open_sidecar
from audit.wording import counted

Row = Mapping[str, Any]

PROMPTS = "The prompts below name groups of people, and what a model wrote about them may hurt."
WARNING = (
    f"{PROMPTS} Its text is left out: its length and its hash stand for it, and the text itself lies in the "
    "bundle's records."
)
NONE_GENERATED = "no suite of this audit lets a model write text"
NONE_FOUND = "no comparison of text that a model wrote shows a disparity"


def examples(root: Path, rows: Sequence[Row], reveal: bool = False) -> dict[str, Any]:
    """A few items that carry each disparity of generated text.

    They are those that lie furthest on the finding's side: they show what a figure is made of, and are no
    sample of what the model writes.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    rows : sequence of mapping
        The report's findings, the worst first.
    reveal : bool
        Whether what the model wrote is shown, where it is there.

    Returns
    -------
    dict
        ``warning``, ``findings``, and ``reason``: why there is none, or None.
    """
    own = [row["record"] for row in rows]
    numbers = {row["record"]["id"]: row["number"] for row in rows}
    chosen = shown_of(own)
    found = []
    if chosen:
        sidecar = open_sidecar(root)
        found = [
            {"number": numbers[record["id"]], "items": list(carried(sidecar, record, reveal))}
            for record in chosen
        ]
    reason = None if chosen else NONE_FOUND if written_about(own) else NONE_GENERATED
    return {"warning": warning(found, Bundle(root).is_redacted), "findings": found, "reason": reason}


def warning(found: Sequence[Row], redacted: bool) -> str:
    """What a reader is to know before the examples."""
    if redacted:
        return f"{PROMPTS} Its length and its hash stand for its text. {NOT_HERE}"
    texts = sum("text" in text for row in found for item in row["items"] for text in item["texts"])
    if texts:
        return f"{PROMPTS} Model-written text is shown, as was asked for: {counted(texts, 'text')}."
    return WARNING
