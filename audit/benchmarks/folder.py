"""The folder of a benchmark's run: its plan, its items, and the result that its kept answers give."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.benchmarks import benchmark as named
from audit.benchmarks.base import Answer, Answered, Items
from audit.benchmarks.plan_check import plan_faults
from audit.benchmarks.result import document, items_sha256, scored_section, setup_from_json
from audit.bundle import Bundle, differing_keys, read_json
from audit.kept import read_answers
from audit.redaction.withheld import text_told
from audit.requests import Request, Response, canonical, digest
from probes.benchmarks.items import BenchmarkItem, item_from_json
from probes.errors import BundleError, Fault

KIND = "benchmark"
ITEMS = "items.jsonl"
RESULT = "result.json"
PLAN_KEYS = (
    "benchmark", "card_sha256", "data", "items", "outlook", "scorings", "setup", "model", "scorer", "seed",
    "load",
)  # fmt: skip


class BenchmarkBundle(Bundle):
    """The folder of one benchmark."""

    def _read_plan(self) -> dict[str, Any]:
        path = self.root / "plan.json"
        if not path.exists():
            raise BundleError(
                Fault("holds no plan.json", str(self.root), "Give the folder of a benchmark's run.")
            )
        plan = read_json(path)
        if not isinstance(plan, dict) or plan.get("kind") != KIND:
            raise BundleError(
                Fault("is no benchmark's run", str(self.root), "Audits are read by evenhand show and verify.")
            )
        missing = [key for key in PLAN_KEYS if key not in plan]
        if missing:
            what = f"not as evenhand writes a plan: {', '.join(missing)} missing"
            raise BundleError(Fault(what, str(path), "Restore the file from a copy."))
        if faults := plan_faults(plan):
            what = f"not as evenhand writes a plan: {'; '.join(faults)}"
            raise BundleError(Fault(what, str(path), "Restore the file from a copy."))
        return plan

    @classmethod
    def create(cls, root: Path, plan: Mapping[str, Any]) -> BenchmarkBundle:
        """As of an audit; there is no ``--reuse`` here, so the remedy for another plan is another folder."""
        if (root / "plan.json").is_file():
            there = cls(root).plan
            if canonical(there) != canonical(plan):
                changed = ", ".join(differing_keys(there, plan))
                whose = f"{there['benchmark']} of {there['model']['id']}"
                what = f"holds another run ({whose}; differs in: {changed})"
                raise BundleError(Fault(what, str(root), "Choose another --out, or the same decisions."))
        bundle = super().create(root, plan)
        assert isinstance(bundle, cls)
        return bundle

    def items(self) -> list[BenchmarkItem]:
        """The items that were asked, checked against the plan."""
        path = self.root / ITEMS
        remedy = "Restore the file from a copy."
        if not path.is_file():
            raise BundleError(Fault("the items are missing", str(path), remedy))
        try:
            with path.open("rb") as lines:
                items = [item_from_json(json.loads(_whole(line))) for line in lines]
        except (ValueError, TypeError, RecursionError) as error:
            raise BundleError(Fault(f"not items: {error}", str(path), remedy)) from None
        if items_sha256(items) != self.plan["items"]["sha256"]:
            raise BundleError(Fault("the items are not those of the plan", str(path), remedy))
        return items


def _whole(line: bytes) -> bytes:
    if not line.endswith(b"\n"):
        raise ValueError("the last one is cut short")
    return line


class KeptRun:
    """A run as it lies in its folder: its records are read once, and no model is needed.

    Parameters
    ----------
    root : Path
        The folder.

    Raises
    ------
    BundleError
        If plan, items or records are broken.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._bundle = BenchmarkBundle(root)
        self.items = self._bundle.items()
        self._kept = read_answers(self._bundle).responses

    def stated(self) -> dict[str, Any]:
        """The result that lies in the folder."""
        path = self.root / RESULT
        found = read_json(path)
        if not isinstance(found, dict):
            raise BundleError(Fault("not a result", str(path), "Restore the file from a copy."))
        return found

    def result(self) -> dict[str, Any]:
        """The result that the records give now; a :class:`BundleError` where an answer is missing."""
        return result_of(self._bundle, self.items, self._kept)

    def answers(self) -> dict[str, list[Answer]]:
        """By scoring, what came of every part of every item."""
        plan = self._bundle.plan
        return {
            scoring: list(_answers(plan, scoring, self.items, self._kept)) for scoring in plan["scorings"]
        }

    def texts(self, reveal: bool) -> list[dict[str, Any]]:
        """What the model wrote, text by text: its shape, or where it is revealed itself.

        Returns
        -------
        list of dict
            ``scoring, item, part, status, value``, then ``words, characters, sha256``, and ``text`` where it
            is revealed.
        """
        plan = self._bundle.plan
        return [
            {
                **{"scoring": scoring, "item": one.item, "part": one.part},
                **{"status": one.status, "value": one.value},
                **text_told(one.text, reveal),
            }
            for scoring in plan["scorings"]
            for one in _answers(plan, scoring, self.items, self._kept)
            if one.text
        ]


def recompute(root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result that lies in a folder, and the one that its records give now; neither needs a model.

    Raises
    ------
    BundleError
        If plan, items or records are broken, or an answer is missing.
    """
    run = KeptRun(root)
    return run.stated(), run.result()


def is_run(folder: Path) -> bool:
    """Whether the plan in a folder is one of a benchmark's run; what cannot be read is none."""
    try:
        plan = read_json(folder / "plan.json")
    except (BundleError, OSError):
        return False
    return isinstance(plan, dict) and plan.get("kind") == KIND


def result_of(
    bundle: BenchmarkBundle, items: Items, kept: Mapping[tuple[str, str], Response]
) -> dict[str, Any]:
    """The result from plan, items and answers."""
    plan = bundle.plan
    bench = named(plan["benchmark"])
    sections = [
        scored_section(
            bench, items, _answers(plan, scoring, items, kept), setup_from_json(plan["setup"], scoring)
        )
        for scoring in plan["scorings"]
    ]
    facts = {key: plan[key] for key in ("data", "items", "outlook", "setup", "model", "scorer")}
    return document(bench, {**facts, "captured": None}, sections)


def _answers(
    plan: Mapping[str, Any], scoring: str, items: Items, kept: Mapping[tuple[str, str], Response]
) -> Sequence[Answer]:
    setup = setup_from_json(plan["setup"], scoring)
    return named(plan["benchmark"]).read(items, setup, lookup(plan, kept))


def lookup(plan: Mapping[str, Any], kept: Mapping[tuple[str, str], Response]) -> Answered:
    """The kept response to a request, from the model or, for what it was not asked, from the scorer."""
    models = [plan["model"]["digest"], *([plan["scorer"]["digest"]] if plan["scorer"] else [])]

    def answered(request: Request) -> Response:
        key = digest(request)
        for model in models:
            if (model, key) in kept:
                return kept[model, key]
        raise BundleError(
            Fault(f"no answer to request {key[:12]}", "records", "Go on with: evenhand benchmarks run --out")
        )

    return answered
