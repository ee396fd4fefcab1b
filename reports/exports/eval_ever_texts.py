"""What stands in the place of a model's answers in Every Eval Ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.redaction.withheld import withheld
from audit.wording import counted

KEPT = "kept whole in the bundle, records/{file}, record {n}"
GONE = "not in this redacted copy of the bundle, records/{file}, record {n}"
PROBABILITIES = "probabilities of the choices; "


def model_text(revealed: bool, texts: int) -> str:
    """What is said of a file's texts that a model wrote, of which there are so many."""
    if revealed:
        return f"text that the model wrote is shown, as was asked for: {counted(texts, 'text')}"
    return "text that the model wrote is replaced by its length and SHA-256"


def answered(row: Mapping[str, Any], revealed: bool, redacted: bool) -> str:
    """A model's answer where it is text that is revealed, else what stands in its place.

    Parameters
    ----------
    row : mapping
        Of the sidecar; of a redacted copy, its ``output`` stands in the text's place already.
    revealed, redacted : bool
        Whether text is shown, and whether the bundle is a redacted copy.
    """
    place = {"file": row["file"], "n": row["n"]}
    if row["output"] is None:
        return PROBABILITIES + KEPT.format(**place)
    text = str(row["output"])
    if redacted:
        return f"{text}; {GONE.format(**place)}"
    return text if revealed else f"{withheld(text).whole}; {KEPT.format(**place)}"
