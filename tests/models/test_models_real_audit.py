"""A fill-mask audit of a real BERT, from one command, whose kept answers are what a slow loop gives."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from pathlib import Path

import pytest

from audit.bundle import Bundle, read_json
from audit.requests import Fill
from tests.models.test_models_masked import TOLERANCE, slow_fill


def test_an_audit_of_a_real_bert(minilm: Path, tmp_path: Path) -> None:
    words = [
        "run",
        "--model",
        str(minilm),
        "--suite",
        "occupations",
        "--suite",
        "traits",
        "--suite",
        "decisions",
    ]
    sizes = ["--templates", "9", "--terms", "6", "--out", str(tmp_path / "a")]
    done = subprocess.run([sys.executable, "-m", "audit.cli", *words, *sizes], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    records = list(Bundle(tmp_path / "a").records())
    assert len(records) > 500
    # The slow loop finds an answer by its pieces, so not in "Answer yes or no: yes".
    plain = [record for record in records if "yes or no" not in record.line().decode()]
    for record in random.Random(3).sample(plain, 12):
        assert isinstance(record.request, Fill)
        slow = slow_fill(minilm, record.request)
        for choice, values in zip(record.response.choices, slow, strict=True):
            assert choice.pieces == len(values)
            assert choice.logprob == pytest.approx(math.fsum(values), abs=TOLERANCE)
            if len(values) > 1:
                pieces = [token.logprob for token in choice.tokens]
                assert pieces == pytest.approx(values, abs=TOLERANCE)

    findings = read_json(tmp_path / "a" / "findings.json")
    (row,) = [row for row in findings["findings"] if row["contrast"] == "labour-share"]
    # What the model's card shows by example (the nurse: she, the engineer: he) is what the audit finds.
    assert row["estimate"] > 0 and row["verdict"] == "disparity"
    assert all(panel["aa_p"] is not None for panel in findings["controls"])
    assert all(set(part["statuses"]) == {"scored"} for part in findings["coverage"])
