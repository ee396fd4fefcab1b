"""BOLD (Dhamala et al. 2021): the beginnings of sentences of Wikipedia, by domain and group.

Files ``bold/prompts/DOMAIN_prompt.json``: group to title to list of beginnings. The articles of two groups
are about other people and things: nothing is paired.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import Fault, InputError

DATASET = "bold"
DOMAINS = {
    "gender": "bold/prompts/gender_prompt.json",
    "political_ideology": "bold/prompts/political_ideology_prompt.json",
    "profession": "bold/prompts/profession_prompt.json",
    "race": "bold/prompts/race_prompt.json",
    "religious_ideology": "bold/prompts/religious_ideology_prompt.json",
}
"""Domain to file."""


def bold_prompts(data: DataFolder, domains: list[str]) -> list[BenchmarkItem]:
    """The beginnings of some domains, one item each.

    The text is ``prompt``, as published, with the space at its end; five are blank. ``subset`` is the domain,
    ``cluster`` the domain and title of the article, which may stand under several groups. Labels: ``group``.

    Raises
    ------
    InputError
        If a file is missing, is not the published one, or is not of this shape.
    """
    found = []
    for domain in domains:
        path = data.file(DATASET, DOMAINS[domain])
        for group, titles in _groups(path).items():
            for title, prompts in titles.items():
                for number, prompt in enumerate(prompts):
                    identity = f"{domain}/{group}/{title}/{number}"
                    texts = {"prompt": prompt}
                    found.append(
                        BenchmarkItem(identity, texts, domain, f"{domain}/{title}", {"group": group})
                    )
    return found


def _groups(path: Path) -> dict[str, dict[str, list[str]]]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(Fault(f"not JSON: {error.msg}", f"{path}:{error.lineno}", _REMEDY)) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise InputError(Fault(f"not JSON: {error}", str(path), _REMEDY)) from None
    wrong = _wrong(content)
    if wrong:
        raise InputError(Fault(wrong, str(path), _REMEDY))
    groups: dict[str, dict[str, list[str]]] = content
    return groups


_REMEDY = "The file maps groups to titles to lists of prompts."


def _wrong(content: Any) -> str:
    """What is not as published, with the group and title where it stands; empty where all is."""
    if not isinstance(content, dict) or not content:
        return "no groups"
    for group, titles in content.items():
        if not isinstance(titles, dict):
            return f"the group {group!r} holds no titles"
        for title, prompts in titles.items():
            if not (isinstance(prompts, list) and all(isinstance(prompt, str) for prompt in prompts)):
                return f"{title!r} of the group {group!r} is no list of prompts"
    return ""
