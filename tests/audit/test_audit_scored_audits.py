"""Audits of text that scorers of the auditor's choice read: asked, kept, resumed, verified, judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import audit.blocks
from audit import api
from audit.bundle import Bundle, read_json, write_json
from audit.measures import MEASURES, Decoding
from audit.models import LoadOptions, ScriptedModel
from audit.models.base import Model
from audit.plan import estimate_cost, make_plan, planned_suites
from audit.provenance.probes import probe_claims
from audit.requests import Classify, Fill, Generate, LabelLogit, Request, Response, Sampled, digest
from audit.scorers.as_model import AsModel
from audit.scorers.base import Scorer, ScorerCard, TextScore
from audit.scorers.judge import Judges
from audit.scorers.own_audit import texts_asked
from audit.scorers.planned import PlannedScorer
from audit.scorers.wishes import ScorerWish, planned, said, wish_faults, wishes_said
from audit.sidecar import open_sidecar
from audit.spec import AuditSpec, UntilDecided, choose, read_audit
from audit.verify import verify_bundle
from probes.errors import AuditFileError, InputError
from probes.frames import frames_for
from tests.audit.sequential_world import luck, write_suite
from tests.conftest import evenhand

RUDE, MILD, PLAIN = " was a rotten liar.", " was somewhat rude.", " opened the door."


def card(name: str, construct: str = "toxicity", **more: Any) -> ScorerCard:
    known: dict[str, Any] = {"bounds": (0.0, 1.0), "found": "toxic", "notable": 0.5, "worse": "high", **more}
    return ScorerCard(name, construct, name, "share", "made up", "Apache-2.0", **known)  # type: ignore[arg-type]


class Reader:
    """A scorer that gives each text what a function says of it, and remembers what it was given."""

    def __init__(self, name: str, score: Callable[[str], TextScore], version: str = "1", **more: Any) -> None:
        self._card, self._score, self._version = card(name, **more), score, version
        self.read: list[str] = []

    @property
    def card(self) -> ScorerCard:
        return self._card

    @property
    def digest(self) -> str:
        return digest(Classify(f"{self._card.name} {self._version}"))

    def score(self, texts: Sequence[str]) -> list[TextScore]:
        self.read += texts
        return [self._score(text) for text in texts]


def rudeness(text: str) -> TextScore:
    return TextScore(0.9 if "rotten" in text else 0.4 if "rude" in text else 0.1)


def against(text: str) -> TextScore:
    return TextScore(1.0 - (rudeness(text).value or 0.0))


def writer(name: str = "writer", marked: bool = False) -> ScriptedModel:
    """Rude more often about red people; with a mark, each text says which group it is about."""

    def answer(request: Request) -> Response:
        if isinstance(request, Fill):
            return ScriptedModel.noise()._answer(request)
        assert isinstance(request, Generate)
        share = 0.7 if "red" in request.prompt else 0.1
        samples = []
        for sample in range(request.samples):
            u = luck(name, request.seed, request.prompt, sample)
            text = RUDE if u < share else MILD if u < 0.8 else PLAIN
            group = next((group for group in ("red", "blue", "green") if group in request.prompt), "word")
            samples.append(Sampled(f"{text} {group} {sample}" if marked else text, 4, "stop"))
        return Response(samples=tuple(samples))

    return ScriptedModel(answer, id=name, capabilities=frozenset({"generate", "fill"}))


def suite_of(folder: Path, measure: str = "continuation_toxicity", margin: float = 0.1) -> Path:
    path = write_suite(folder, "nested", margin)
    path.write_text(path.read_text().replace("continuation_sentiment", measure))
    return path


@pytest.fixture(autouse=True)
def no_audits_of_scorers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scorer's own audit has tests of its own, and takes its time."""
    monkeypatch.setattr(api, "write_scorer_audits", lambda *given, **more: None)


def spec(
    suite: Path, *scorers: Scorer | ScorerWish | str, model: Model | None = None, **more: Any
) -> AuditSpec:
    fields = {"decoding": Decoding(samples=2), **more}
    construct = MEASURES[choose(str(suite)).suite.measure].construct
    assert construct
    return AuditSpec(
        (model or writer(),), (choose(str(suite)),), scorers={construct: scorers} if scorers else {}, **fields
    )


def faults(folder: Path) -> list[str]:
    return [fault for check in verify_bundle(folder) for fault in check.faults]


def findings(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_json(folder / "findings.json")
    return found


def records(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Bundle(folder).record_files()}


def pair() -> tuple[Reader, Reader]:
    return Reader("first", rudeness), Reader("second", rudeness)


def test_scorers_are_asked_after_the_model_and_a_bundle_needs_them_no_more(tmp_path: Path) -> None:
    one, two = pair()
    often = {"model": writer(marked=True), "decoding": Decoding(samples=8)}
    counts = api.run(spec(suite_of(tmp_path / "s"), one, two, **often), tmp_path / "a")
    plan = Bundle(tmp_path / "a").plan
    assert [(s["name"], s["kind"], s["model"]["kind"]) for s in plan["scorers"]] == [
        ("first", "asked", "python"), ("second", "asked", "python")]  # fmt: skip
    kept = list(Bundle(tmp_path / "a").records())
    models = [record.model for record in kept]
    assert models == sorted(models, key=[plan["models"][0]["digest"], one.digest, two.digest].index)
    assert len(one.read) == len(set(one.read)) > 0 and sorted(one.read) == sorted(two.read)
    assert counts.asked == len(kept) and set(counts.seconds) == {"writer", "first", "second"}
    assert faults(tmp_path / "a") == []
    before = findings(tmp_path / "a")
    assert api.analyze(tmp_path / "a") == before  # the scorers are not at hand
    assert api.resume(tmp_path / "a").asked == 0
    (red, *_) = [row for row in before["findings"] if row["group"] == "red"]
    assert (
        red["measure"] == "continuation_toxicity" and red["verdict"] == "disparity" and red["estimate"] > 0.2
    )
    (family, *_) = before["families"]
    assert family["agreement"][0]["kappa"]["estimate"] == 1.0
    curve = red["robustness"]["curve"]["analyses"]
    assert {row["choices"]["reading"] for row in curve} == {"mean", "share that is toxic"}


def test_a_run_that_is_stopped_while_a_scorer_is_asked_ends_as_an_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, given = suite_of(tmp_path / "s"), writer(marked=True)
    monkeypatch.setattr(audit.blocks, "REQUESTS", 5)
    api.run(spec(suite, *pair(), model=given), tmp_path / "calm")

    def stops(text: str) -> TextScore:
        if len(broken.read) > 14:
            raise KeyboardInterrupt
        return rudeness(text)

    one, two = pair()
    broken = Reader("second", stops)
    with pytest.raises(KeyboardInterrupt):
        api.run(spec(suite, one, broken, model=given), tmp_path / "torn")
    assert broken.digest == two.digest
    with pytest.raises(InputError, match="have no answer yet"):
        api.analyze(tmp_path / "torn")
    table = open_sidecar(tmp_path / "torn").scores()
    assert 0 < len(table) < len(open_sidecar(tmp_path / "calm").scores())  # what both have scored
    with pytest.raises(InputError, match="given as a Python object"):
        api.resume(tmp_path / "torn")
    first, second = pair()
    api.resume(tmp_path / "torn", scorers=[first, second])
    assert first.read == [] and second.read == broken.read[10:] + second.read[len(broken.read) - 10 :]
    assert len(set(second.read)) == len(second.read)
    assert records(tmp_path / "torn") == records(tmp_path / "calm")
    assert findings(tmp_path / "torn") == findings(tmp_path / "calm")


def test_answers_of_scorers_are_reused_and_another_scorer_is_another_plan(tmp_path: Path) -> None:
    suite, given = suite_of(tmp_path / "s"), writer()
    api.run(spec(suite, *pair(), model=given), tmp_path / "a")
    one, two = pair()
    counts = api.run(
        spec(suite, one, two, model=given, title="again"), tmp_path / "b", reuse=[tmp_path / "a"]
    )
    assert counts.asked == 0 and counts.reused == len(list(Bundle(tmp_path / "b").records()))
    assert one.read == two.read == []
    other = Reader("second", rudeness, version="2")
    plans = [make_plan(spec(suite, one, each, model=given)) for each in (two, other)]
    assert plans[0] != plans[1] and {key for key in plans[0] if plans[0][key] != plans[1][key]} == {"scorers"}
    with pytest.raises(InputError, match="differs in: scorers"):
        api.run(spec(suite, one, other, model=given), tmp_path / "a")


def errs(group: str, status: str = "error") -> Callable[[str], TextScore]:
    def score(text: str) -> TextScore:
        return TextScore(None, status, f"not {group}") if group in text else rudeness(text)  # type: ignore[arg-type]

    return score


@pytest.mark.parametrize("status", ["error", "truncated"])
def test_a_scorer_that_fails_for_one_group_makes_the_finding_invalid_and_no_zero(
    tmp_path: Path, status: str
) -> None:
    api.run(
        spec(suite_of(tmp_path / "s"), Reader("first", errs("red", status)), model=writer(marked=True)),
        tmp_path / "a",
    )
    found = findings(tmp_path / "a")
    rows = {row["group"]: row for row in found["findings"]}
    red, green = rows["red"], rows["green"]
    assert red["verdict"] == "invalid" and set(red["coverage"]["group"]) == {status}
    assert red["coverage"]["reference"].keys() == {"scored"} and red["estimate"] is None
    assert green["estimate"] is not None and green["reasons"][-1] == (
        "one scorer only: nothing is held against first"
    )
    table = open_sidecar(tmp_path / "a").scores()
    lost = table[table["status"] == status]
    assert len(lost) == red["coverage"]["group"][status] and lost["value"].isna().all()
    assert set(lost["reason"]) == {"first: not …"}  # a reason repeats no word of the text
    assert faults(tmp_path / "a") == []


def test_a_second_scorer_that_fails_for_one_group_is_counted_and_states_nothing(tmp_path: Path) -> None:
    given = (Reader("first", rudeness), Reader("second", errs("red 1")))
    api.run(spec(suite_of(tmp_path / "s"), *given, model=writer(marked=True)), tmp_path / "a")
    rows = {row["group"]: row for row in findings(tmp_path / "a")["findings"]}
    [said] = rows["red"]["scorers"]
    half = rows["red"]["coverage"]["group"]["scored"] // 2
    assert said["coverage"]["group"] == {"scored": half, "error": half}
    assert said["states"] is None and "could not score 50% of the group's texts and 0%" in said["reason"]
    assert "coverage" not in rows["green"]["scorers"][0] and rows["green"]["scorers"][0]["states"]
    assert faults(tmp_path / "a") == []


def test_scorers_that_contradict_each_other_leave_toxicity_open(tmp_path: Path) -> None:
    given = (Reader("first", rudeness), Reader("second", against))
    api.run(spec(suite_of(tmp_path / "s"), *given, decoding=Decoding(samples=4)), tmp_path / "a")
    red = next(row for row in findings(tmp_path / "a")["findings"] if row["group"] == "red")
    assert red["verdict"] == "inconclusive" and red["estimate"] > 0.2
    assert any(
        "the scorers disagree: by first the group scores higher" in reason for reason in red["reasons"]
    )


@pytest.mark.parametrize(
    ("margin", "verdict"), [(0.03, "inconclusive"), (0.06, "no disparity within margin")]
)
def test_one_rude_text_in_all_shows_no_small_difference(tmp_path: Path, margin: float, verdict: str) -> None:
    """Its interval lies within either margin; with two more families like it, within the larger one only."""
    first: list[str] = []

    def answer(request: Request) -> Response:
        if isinstance(request, Fill):
            return ScriptedModel.noise()._answer(request)
        assert isinstance(request, Generate)
        if "red" in request.prompt and not first:
            first.append(request.prompt)
        once = request.prompt in first
        texts = (RUDE if once and not sample else PLAIN for sample in range(request.samples))
        return Response(samples=tuple(Sampled(text, 4, "stop") for text in texts))

    model = ScriptedModel(answer, id="once", capabilities=frozenset({"generate", "fill"}))
    reader = Reader("first", lambda text: TextScore(0.2 * ("rotten" in text)))
    suite = write_suite(tmp_path / "s", "fixed", margin)
    talk = suite.read_text().replace("continuation_sentiment", "continuation_toxicity")
    suite.write_text(re.sub(r"id: t(\d), family: f\d", r"id: t\1, family: f\1", talk))
    api.run(spec(suite, reader, model=model, decoding=Decoding(samples=4)), tmp_path / "a")
    row = next(row for row in findings(tmp_path / "a")["findings"] if row["group"] == "red")
    assert row["estimate"] > 0.0 and row["ci_equivalence"]["hi"] < 0.03 and row["verdict"] == verdict
    reason = "two more template families like the farthest one could take it beyond the margin"
    assert (reason in row["reasons"]) == (verdict == "inconclusive") and row["needed"] is None


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (0.0, 10.0)])
def test_an_audit_until_decided_asks_its_scorers_batch_by_batch(
    tmp_path: Path, bounds: tuple[float, float]
) -> None:
    def wide(text: str) -> TextScore:
        return TextScore(bounds[1] * (rudeness(text).value or 0.0))

    given = (Reader("first", rudeness), Reader("second", wide, bounds=bounds))
    until = {"until_decided": UntilDecided(400), "model": writer(marked=True)}
    suite = suite_of(tmp_path / "s", margin=0.2)
    api.run(spec(suite, *given, **until), tmp_path / "a")
    red = next(row for row in findings(tmp_path / "a")["findings"] if row["group"] == "red")
    assert red["verdict"] == "disparity" and red["sequential"]["stopped_at"] < 400
    [other] = red["scorers"]
    assert other["states"] == "higher" and other["estimate"] == pytest.approx(bounds[1] * red["estimate"])
    assert faults(tmp_path / "a") == []
    assert findings(tmp_path / "a")["families"][0]["agreement"][0]["n"] > 50
    again = api.run(spec(suite, *pair(), title="b", **until), tmp_path / "b", reuse=[tmp_path / "a"])
    assert again.reused > 0 and faults(tmp_path / "b") == []


def test_a_plan_that_names_no_scorers_means_the_two_that_were_built_in(tmp_path: Path) -> None:
    suite = suite_of(tmp_path / "s", "continuation_sentiment")
    plan = make_plan(spec(suite))
    assert [(s["name"], s["kind"], s["reading"]) for s in plan["scorers"]] == [
        ("vader", "rules", None), ("textblob", "rules", None)]  # fmt: skip
    found = {}
    for name, one in {"new": plan, "old": {key: plan[key] for key in plan if key != "scorers"}}.items():
        api.complete(Bundle.create(tmp_path / name, one), {"writer": writer()})
        found[name] = findings(tmp_path / name)
        assert faults(tmp_path / name) == []
    assert found["old"]["findings"] == found["new"]["findings"]
    assert not any("agreement" in family for family in found["old"]["families"])
    assert {family.pop("agreement")[0]["scorer"] for family in found["new"]["families"]} == {"textblob"}
    assert found["old"]["families"] == found["new"]["families"]


def test_words_that_name_groups_are_hidden_from_a_masked_scorer(tmp_path: Path) -> None:
    class Classifying(ScriptedModel):
        def describe(self) -> dict[str, Any]:
            return {**super().describe(), "labels": ["rude", "fine"], "activation": "softmax"}

    def answer(request: Request) -> Response:
        assert isinstance(request, Classify)
        if "liar" in request.text:
            return Response(error="too long", truncated=True)
        return Response(labels=(LabelLogit("rude", 1.0), LabelLogit("fine", 1.0)), activation="softmax")

    model = Classifying(answer, id="own/net", capabilities=frozenset({"classify"}))
    wish = ScorerWish(model=model, labels={"Rude": 1.0}, temperature=2.0, mask_groups=True)
    api.run(spec(suite_of(tmp_path / "s"), wish, model=writer(marked=True)), tmp_path / "a")
    [planned] = Bundle(tmp_path / "a").plan["scorers"]
    assert planned["name"] == "net#Rude, groups masked" and planned["bounds"] == [0.0, 1.0]
    asked = {request.text for request in model.asked if isinstance(request, Classify)}
    assert asked and not any("red0" in text or "blue1" in text for text in asked)
    table = open_sidecar(tmp_path / "a").scores()
    assert set(table["status"]) == {"scored", "truncated"}
    assert set(table.loc[table["status"] == "scored", "value"]) == {0.5}
    assert faults(tmp_path / "a") == []


def test_a_reply_in_a_loop_is_neither_a_refusal_nor_an_answer() -> None:
    judges = Judges(
        [PlannedScorer("refusal-phrases", "refusal", "rules", "", (0.0, 1.0), "a refusal", 0.5, "high")], {}
    )
    texts = ["I'm sorry, but I can't help with that.", "Welcome to our street!", "and so " * 20, " ..."]
    samples = tuple(Sampled(text, 9, "stop") for text in texts)
    suite = choose("continuation").suite
    read = MEASURES["reply_refusal"].read
    item = next(
        iter(planned_suites(make_plan(AuditSpec((writer(),), (choose(suite),))))["continuation"].items)
    )
    scores = read(item, Generate("", 4, 9, 1.0, 0.9, 0), Response(samples=samples), judges)
    assert [(score.status, score.value) for score in scores] == [
        ("scored", 1.0), ("scored", 0.0), ("unparsed", None), ("empty", None)]  # fmt: skip


def test_a_score_outside_its_scale_is_an_error(tmp_path: Path) -> None:
    api.run(spec(suite_of(tmp_path / "s"), Reader("first", lambda text: TextScore(1.2))), tmp_path / "a")
    table = open_sidecar(tmp_path / "a").scores()
    assert set(table["status"]) == {"error"} and set(table["reason"]) == {
        "first: a score of 1.2, outside 0 to 1"
    }


AUDIT = """
models: [reference/gpt-fair]
suites: [continuation]
scorers:
  sentiment: [vadr, refusal-phrases, {name: vader, temperature: 2}, vader, {model: ./net}, {}]
  toxicity: [offensive]
"""


def test_every_fault_of_the_scorers_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "audit.yaml"
    path.write_text(AUDIT)
    with pytest.raises(AuditFileError) as caught:
        read_audit(path)
    told = [fault.what for fault in caught.value.faults]
    assert told == [
        "scorer 'vader' is named twice",
        "no such scorer 'vadr'",
        "refusal-phrases is a scorer of refusal, not of sentiment",
        "temperature of vader, which is no classifier",
        "of the classifier net no label is named",
        "a scorer with neither name nor model",
        "no suite of this audit measures toxicity",
    ]
    assert all(fault.remedy for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("scorer", "what"),
    [
        (Reader("wide", rudeness, bounds=(0.0, 5.0)), "wide runs from 0 to 5"),
        (Reader("low", rudeness, worse="low"), "low values are toxic, where high ones should be"),
        (Reader("odd", rudeness, notable=3.0), "notable is 3, outside its scale of 0 to 1"),
        (ScorerWish(model=writer(), labels={"toxic": 1}), "writer is no classifier"),
        (rudeness, "a function and no scorer"),
    ],
)
def test_a_scorer_that_cannot_be_read_as_its_construct_is_refused(
    tmp_path: Path, scorer: Any, what: str
) -> None:
    with pytest.raises(InputError) as caught:
        make_plan(spec(suite_of(tmp_path), scorer))
    assert what in caught.value.faults[0].what and caught.value.faults[0].remedy


def test_a_construct_without_a_scorer_of_its_own_needs_one_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no scorer of regard comes with this program"):
        make_plan(spec(suite_of(tmp_path, "continuation_regard")))


def test_a_known_classifier_is_held_to_what_its_recipe_says_of_its_labels() -> None:
    class Known(AsModel):
        """A classifier with the labels of the recipe, and an activation that may be another."""

        activation = "sigmoid"

        def describe(self) -> dict[str, Any]:
            return {"labels": ["toxic", "insult"], "activation": self.activation}

    model = Known(Reader("words", rudeness))
    wish = ScorerWish("unitary/toxic-bert", model, {"toxic": 1.0})
    found = planned("toxicity", wish, LoadOptions())
    assert found.bounds == (0.0, 1.0)
    model.activation = "softmax"
    with pytest.raises(InputError, match="read by a softmax, where the recipe says sigmoid"):
        planned("toxicity", wish, LoadOptions())


def test_a_classifier_with_two_sides_needs_no_label_named() -> None:
    for name in ("model:./mine", "model:./mine#regard"):
        found = said("regard", name)
        assert isinstance(found, ScorerWish)
        assert (found.model, found.labels) == ("./mine", {"positive": 1.0, "negative": -1.0})
    unsaid = said("toxicity", "model:./mine")
    assert isinstance(unsaid, ScorerWish)
    [fault] = wish_faults({"toxicity": [unsaid]}, {"toxicity"})
    assert "no label is named" in str(fault)
    found = said("toxicity", "model:./odd#folder#rude")
    assert isinstance(found, ScorerWish) and (found.model, found.labels) == ("./odd#folder", {"rude": 1.0})


def test_scorers_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said("regard", "model:./net#regard") == ScorerWish(
        model="./net", labels={"positive": 1.0, "negative": -1.0}
    )
    with pytest.raises(InputError) as caught:
        wishes_said(["sentiment", "toxic=a", "regard=,"])
    assert len(caught.value.faults) == 3
    words = ("plan", "-m", "reference/gpt-fair", "-s", "continuation", "--scorer", "sentiment=textblob")
    code, out, _ = evenhand(capsys, *words, "--json")
    assert code == 0 and out
    code, _, err = evenhand(capsys, *words[:-1], "toxicity=offensive")
    assert code == 2 and err.count("\n") == 1 and "no suite of this audit measures toxicity" in err


def test_a_plan_costs_what_its_scorers_read_and_the_ledger_names_them(tmp_path: Path) -> None:
    one, two = pair()
    plan = make_plan(spec(suite_of(tmp_path), one, two))
    rows = {row["model"]: row["requests"] for row in estimate_cost(plan, lambda: 1e9)}
    assert rows["first"] == rows["second"] == 2 * (rows["writer"])
    assert rows["first, its own audit"] == texts_asked(frames_for("toxicity"), "toxicity") > 12_000
    facts = {one.digest: {"kind": "scorer", "card": {**vars(one.card)}}}
    claims = probe_claims(planned_suites(plan), None, facts)
    known = {(row["subject"], row["field"]): row["value"] for row in claims}
    assert known["scorer:first", "licence"] == "Apache-2.0" and known["scorer:second", "licence"] is None
    built_in = probe_claims(planned_suites(make_plan(AuditSpec((writer(),), (choose("continuation"),)))))
    licences = {row["subject"]: row["value"] for row in built_in if row["field"] == "licence"}
    assert licences["scorer:vader"] and licences["scorer:textblob"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"bounds": [0]}, "no pair of numbers"),
        ({"reading": None}, "does not fit its kind"),
        ({"reading": {"weights": [["toxicity"]], "temperature": 1.0}}, "not as it is declared"),
        ({"more": 1}, "not as it is declared"),
        ({"name": "second"}, "a scorer is named twice"),
    ],
)
def test_a_plan_with_a_strange_scorer_is_not_read(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    plan = make_plan(spec(suite_of(tmp_path / "s"), *pair()))
    bundle = Bundle.create(tmp_path / "a", plan)
    plan["scorers"][0] |= change
    write_json(bundle.root / "plan.json", plan)
    with pytest.raises(InputError, match=what):
        Bundle(tmp_path / "a")


def test_a_bundle_keeps_the_own_audits_of_its_scorers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[list[str]] = []
    monkeypatch.setattr(
        api,
        "write_scorer_audits",
        lambda bundle, scorers, **more: told.append([one.card.name for one in scorers]),
    )
    api.run(spec(suite_of(tmp_path / "s"), *pair()), tmp_path / "a")
    assert told == [["first", "second"]]
