"""Names and texts of licences: which SPDX identifier they mean, by rule.

A text is matched by phrases that a licence cannot do without; what matches no rule stays unknown. Nothing
here says what a licence allows beyond its two marks, non-commercial and share-alike, that its name carries.
"""

from __future__ import annotations

import re

OWN = "LicenseRef-"
"""What begins the name of a licence that SPDX does not list."""

IDENTIFIERS = (
    "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unlicense", "CC0-1.0", "PDDL-1.0",
    "GPL-2.0", "GPL-3.0", "LGPL-2.1", "LGPL-3.0", "AGPL-3.0", "MPL-2.0", "EPL-2.0",
    "ODC-By-1.0", "ODbL-1.0", "GFDL-1.3",
    "CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0",
    "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0",
    "LicenseRef-Modified-MIT", "LicenseRef-Llama-2", "LicenseRef-Llama-3", "LicenseRef-Llama-3.1",
    "LicenseRef-Llama-3.2", "LicenseRef-Llama-3.3", "LicenseRef-Gemma", "LicenseRef-OpenRAIL",
    "LicenseRef-BigScience-RAIL-1.0", "LicenseRef-BigScience-BLOOM-RAIL-1.0",
    "LicenseRef-CreativeML-OpenRAIL-M", "LicenseRef-OPT-175B",
)  # fmt: skip
"""Every licence that is known here."""

WRITTEN: dict[str, str] = {
    "apache": "Apache-2.0",
    "apache2": "Apache-2.0",
    "apachelicense": "Apache-2.0",
    "apachelicense20": "Apache-2.0",
    "apachelicenseversion20": "Apache-2.0",
    "apachesoftwarelicense": "Apache-2.0",
    "mitlicense": "MIT",
    "themitlicense": "MIT",
    "modifiedmit": "LicenseRef-Modified-MIT",
    "modifiedmitlicense": "LicenseRef-Modified-MIT",
    "odcby": "ODC-By-1.0",
    "odbl": "ODbL-1.0",
    "pddl": "PDDL-1.0",
    "cc0": "CC0-1.0",
    "gplv3": "GPL-3.0",
    "gpl": "GPL-3.0",
    "llama2": "LicenseRef-Llama-2",
    "llama3": "LicenseRef-Llama-3",
    "llama31": "LicenseRef-Llama-3.1",
    "llama32": "LicenseRef-Llama-3.2",
    "llama33": "LicenseRef-Llama-3.3",
    "gemma": "LicenseRef-Gemma",
    "openrail": "LicenseRef-OpenRAIL",
    "bigsciencebloomrail10": "LicenseRef-BigScience-BLOOM-RAIL-1.0",
    "creativemlopenrailm": "LicenseRef-CreativeML-OpenRAIL-M",
}
"""How they are also written: letters and digits only, in lower case."""

UNSAID = frozenset({"", "other", "unknown", "none", "n/a", "tbd"})
"""What stands in the place of a licence and names none."""


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


_BY_NAME = {
    **{_plain(name.removeprefix(OWN)): name for name in IDENTIFIERS},
    **{_plain(name): name for name in IDENTIFIERS},
    **WRITTEN,
}


def spdx(name: str) -> str | None:
    """The SPDX identifier that a name means; None where no rule knows it.

    Examples
    --------
    >>> spdx("apache-2.0"), spdx("MIT License"), spdx("cc-by-sa-4.0"), spdx("my own terms")
    ('Apache-2.0', 'MIT', 'CC-BY-SA-4.0', None)
    """
    return _BY_NAME.get(re.sub(r"(only|orlater)$", "", _plain(name)))


def is_named(name: str) -> bool:
    """Whether a text in the place of a licence names one."""
    return name.strip().casefold() not in UNSAID


MIT_LENGTH = 1400
"""Characters, spaces joined, that the MIT licence has at most with a few lines of copyright; more is more
than it."""

PHRASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("LicenseRef-Llama-3.3", ("llama 3.3 community license agreement",)),
    ("LicenseRef-Llama-3.2", ("llama 3.2 community license agreement",)),
    ("LicenseRef-Llama-3.1", ("llama 3.1 community license agreement",)),
    ("LicenseRef-Llama-3", ("llama 3 community license agreement",)),
    ("LicenseRef-Llama-2", ("llama 2 community license agreement",)),
    ("LicenseRef-BigScience-RAIL-1.0", ("bigscience rail license",)),
    ("LicenseRef-CreativeML-OpenRAIL-M", ("creativeml open rail",)),
    ("LicenseRef-Gemma", ("gemma terms of use",)),
    ("LicenseRef-OPT-175B", ("opt-175b license",)),
    ("AGPL-3.0", ("gnu affero general public license", "version 3")),
    ("LGPL-3.0", ("gnu lesser general public license", "version 3")),
    ("GPL-3.0", ("gnu general public license", "version 3")),
    ("GPL-2.0", ("gnu general public license", "version 2")),
    ("MPL-2.0", ("mozilla public license", "2.0")),
    ("CC-BY-NC-SA-4.0", ("attribution-noncommercial-sharealike 4.0",)),
    ("CC-BY-NC-ND-4.0", ("attribution-noncommercial-noderivatives 4.0",)),
    ("CC-BY-NC-4.0", ("attribution-noncommercial 4.0",)),
    ("CC-BY-SA-4.0", ("attribution-sharealike 4.0",)),
    ("CC-BY-SA-3.0", ("attribution-sharealike 3.0",)),
    ("CC-BY-4.0", ("attribution 4.0 international",)),
    ("CC0-1.0", ("cc0 1.0 universal",)),
    ("Apache-2.0", ("apache license", "version 2.0, january 2004")),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "neither the name")),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms",)),
)
"""Licence and the phrases that its text must hold, the particular before the general."""


def spdx_of_text(text: str) -> tuple[str | None, str]:
    """The licence that a text is, and by which rule; None where no rule knows it.

    Parameters
    ----------
    text : str
        A LICENSE file.

    Examples
    --------
    >>> spdx_of_text("Do what you like.")[0] is None
    True
    """
    joined = " ".join(text.split())
    tag = re.search(r"SPDX-License-Identifier:\s*([\w.+-]+)", joined)
    if tag and spdx(tag[1]):
        return spdx(tag[1]), "its SPDX-License-Identifier line"
    folded = joined.casefold()
    if "permission is hereby granted, free of charge" in folded:
        return _mit(folded)
    for name, phrases in PHRASES:
        if all(phrase in folded for phrase in phrases):
            return name, f"its text holds {' and '.join(repr(phrase) for phrase in phrases)}"
    return None, "its text fits no rule"


def _mit(folded: str) -> tuple[str | None, str]:
    if "modified mit" in folded[:200]:
        return "LicenseRef-Modified-MIT", "its title says that it is a modified MIT licence"
    if len(folded) > MIT_LENGTH:
        return None, "it holds the MIT licence and more than that"
    return "MIT", "its text holds the grant of the MIT licence and no more"


def is_noncommercial(name: str) -> bool:
    """Whether a licence by its name allows non-commercial use only.

    Examples
    --------
    >>> is_noncommercial("cc-by-nc-4.0"), is_noncommercial("CC BY-NC-SA 4.0"), is_noncommercial("MIT")
    (True, True, False)
    """
    found = spdx(name) or name
    return bool(re.search(r"\bnc\b|non-?commercial", found.casefold())) or found == "LicenseRef-OPT-175B"


def is_sharealike(name: str) -> bool:
    """Whether a licence by its name wants what is made from the work to be shared under the same terms.

    Examples
    --------
    >>> is_sharealike("CC BY-SA 3.0 and GFDL"), is_sharealike("gpl-3.0"), is_sharealike("ODC-By")
    (True, True, False)
    """
    found = (spdx(name) or name).casefold()
    return bool(re.search(r"\bsa\b|share-?alike|\b[al]?gpl|\bgfdl|\bodbl", found))
