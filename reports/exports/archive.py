"""The documents of an audit as one ZIP file, the same bytes every time."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.bundle import file_bytes, read_json
from reports.exports.files import Content

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time that every file in an archive bears: the first that the format knows."""
MODE = 0o100644 << 16
"""A plain file that its owner may write and all may read, as the format keeps it."""
KEPT = ("plan.json", "findings.json", "provenance.json", "environment.json", "manifest.json")
"""Files of the bundle that go along as they are."""
LEFT_OUT = (
    "This archive holds no records: what was asked and answered, text that a model wrote among it, stays in "
    "the folder of the audit. manifest.json names every file there with its SHA-256."
)
WITHHELD = "In report.json, length and SHA-256 stand in the place of text that a model wrote."
SHOWN = "report.json shows text that a model wrote, as was asked for. It may hurt."


def archive_files(data: Mapping[str, Any], root: Path) -> dict[str, bytes]:
    """``report-bundle.zip``: the report's data and the bundle's files without the records."""
    for name in KEPT:
        read_json(root / name)
    files: dict[str, Content] = {name: (root / name).read_bytes() for name in KEPT}
    files["report.json"] = file_bytes(data)
    cover, texts = data["cover"], SHOWN if data["texts"] == "revealed" else WITHHELD
    lines = [cover["title"], cover["status"], *cover["claims_limits"], LEFT_OUT, texts]
    files["READ-ME.txt"] = "".join(f"{line}\n\n" for line in lines).encode("utf-8")
    return {"report-bundle.zip": zipped(files)}


def zipped(files: Mapping[str, Content]) -> bytes:
    """Some files as one ZIP file, in order of their names, with no time and no owner in it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, MODE
            with archive.open(entry, "w", force_zip64=not isinstance(content, bytes)) as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    content.copy_to(file)
    return target.getvalue()
