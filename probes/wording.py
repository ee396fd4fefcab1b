"""Templates as text: the placeholders in braces."""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def placeholders(text: str) -> tuple[str, ...]:
    """The names in braces, in order.

    Examples
    --------
    >>> placeholders("The {group:person} said {answer}.")
    ('group:person', 'answer')
    """
    return tuple(PLACEHOLDER.findall(text))


def has_lone_brace(text: str) -> bool:
    """Whether a brace stands in the text that belongs to no placeholder.

    Examples
    --------
    >>> has_lone_brace("{group}"), has_lone_brace("{{group}}"), has_lone_brace("{group")
    (False, True, True)
    """
    return re.search(r"[{}]", PLACEHOLDER.sub("", text)) is not None


def slot_form(placeholder: str, slot: str) -> tuple[bool, str | None]:
    """Whether a placeholder is the slot, and in which form.

    Examples
    --------
    >>> slot_form("group:person", "group"), slot_form("group", "group"), slot_form("answer", "group")
    ((True, 'person'), (True, None), (False, None))
    """
    name, _, form = placeholder.partition(":")
    if name != slot or placeholder.endswith(":"):
        return False, None
    return True, form or None
