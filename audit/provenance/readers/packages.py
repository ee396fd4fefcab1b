"""Installed packages: version, licence and author as their metadata tell them."""

from __future__ import annotations

import importlib.metadata

from audit.provenance.claims import Claim, Origin, claim, found_or_unknown
from audit.provenance.readers.files import short_text


def package_claims(package: str, subject: str, at: str | None) -> list[Claim]:
    """What a package's metadata say of it."""
    source = f"metadata of the package {package}"
    try:
        told = importlib.metadata.metadata(package)
    except importlib.metadata.PackageNotFoundError:
        where = Origin(source, at=at)
        return [
            claim(subject, field, None, "unknown", where, "it is not installed")
            for field in ("version", "licence", "developer", "origin")
        ]
    by = Origin(source, "the package's author", "METADATA", at)
    licence = first(told, "License-Expression") or first(told, "License")
    classifiers = [
        line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or [] if line.startswith("License")
    ]
    author = first(told, "Author") or name_in(first(told, "Author-email"))
    return [
        claim(subject, "version", told["Version"], "measured", Origin(source, None, "METADATA", at)),
        found_or_unknown(
            subject, "licence", short_text(licence) or next(iter(classifiers), None), "declared", by
        ),
        found_or_unknown(subject, "developer", short_text(author), "declared", by),
        found_or_unknown(
            subject, "origin", f"PyPI, {package} {told['Version']}", "derived", Origin(source, at=at)
        ),
    ]


def first(told: importlib.metadata.PackageMetadata, field: str) -> str | None:
    """The first value of a field; None where it is not given."""
    return next(iter(told.get_all(field) or ()), None)


def name_in(address: str | None) -> str | None:
    """The name in an address such as ``Ada <ada@example.org>``; None where it has none.

    Examples
    --------
    >>> name_in("Ada L <ada@example.org>"), name_in("ada@example.org")
    ('Ada L', None)
    """
    name = (address or "").partition("<")[0].strip().strip('"')
    return name if name and "@" not in name else None
