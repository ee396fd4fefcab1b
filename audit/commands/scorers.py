"""``evenhand scorers``: what turns text into numbers, and what it makes of texts that one brings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from audit.commands.options import AllowPickle, Device, RemoteCode
from audit.commands.terminal import Json, console, print_json
from probes.errors import Fault, InputError

if TYPE_CHECKING:
    from audit.scorers.base import Construct, Scorer

scorers_app = typer.Typer(
    help="What turns text into numbers: list, show and fetch scorers, score texts.", no_args_is_help=True
)

Name = Annotated[
    str, typer.Argument(help="A name from evenhand scorers list, or model:PATH#label for any classifier.")
]
ConstructOption = Annotated[
    str | None,
    typer.Option("--construct", help="What a classifier measures: sentiment, toxicity, regard or refusal."),
]
MaxLength = Annotated[
    int | None,
    typer.Option(min=1, help="Most tokens of a text; a longer one is truncated and has no value."),
]
Temperature = Annotated[float, typer.Option(help="Divides the logits of a classifier.")]
MaskGroups = Annotated[
    bool, typer.Option("--mask-groups", help="Replace words that name groups before a classifier reads.")
]


@scorers_app.command("list")
def scorers_list(as_json: Json = False) -> None:
    """List the scorers: what each measures, whether it is ready, and which two judge a construct."""
    from audit.commands.scorer_tables import list_rows, show_scorers

    rows = list_rows()
    if as_json:
        print_json(rows)
    else:
        show_scorers(console(), rows)


@scorers_app.command("show")
def scorers_show(
    name: Name,
    construct: ConstructOption = None,
    max_length: MaxLength = None,
    temperature: Temperature = 1.0,
    mask_groups: MaskGroups = False,
    device: Device = "auto",
    allow_pickle: AllowPickle = False,
    trust_remote_code: RemoteCode = False,
    as_json: Json = False,
) -> None:
    """Show a scorer: its card, its digest, and what is known of its own errors. Loads a classifier."""
    from audit.commands.scorer_tables import card_data, show_card

    load = _load(device, allow_pickle, trust_remote_code, max_length)
    found = card_data(name, _scorer(name, construct, load, temperature, mask_groups))
    if as_json:
        print_json(found)
    else:
        show_card(console(), found)


@scorers_app.command("audit")
def scorers_audit(
    name: Name,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of published data. [default: $EVENHAND_DATA, else the cache]"),
    ] = None,
    construct: ConstructOption = None,
    max_length: MaxLength = None,
    temperature: Temperature = 1.0,
    mask_groups: MaskGroups = False,
    device: Device = "auto",
    allow_pickle: AllowPickle = False,
    trust_remote_code: RemoteCode = False,
    as_json: Json = False,
) -> None:
    """Audit a scorer itself: does it read the group that a sentence names, and how often is it right?"""
    from audit.commands.scorer_audit import audit_and_show

    load = _load(device, allow_pickle, trust_remote_code, max_length)
    audit_and_show(_scorer(name, construct, load, temperature, mask_groups), data, as_json)


@scorers_app.command("fetch")
def scorers_fetch(
    name: Annotated[str, typer.Argument(help="A name from evenhand scorers list.")],
    allow_pickle: AllowPickle = False,
) -> None:
    """Fetch what a scorer needs into the cache, checked by its hash where the name has one."""
    import importlib

    from audit.models import LoadOptions
    from audit.models.locate import locate
    from audit.scorers.recipes import recipes
    from audit.scorers.registry import SCORERS, scorer_named
    from probes.explain import nearest

    if name in recipes():
        locate(name, LoadOptions(allow_pickle=allow_pickle))
    elif name not in SCORERS:
        raise InputError(Fault(f"no such scorer {name!r}", "", nearest(name, [*SCORERS, *recipes()])))
    else:
        if SCORERS[name].kind == "asked":
            fetched = importlib.import_module("audit.scorers.fetched")
            if name in fetched.FETCHED:
                fetched.fetch_scorer(name, lambda message: typer.echo(message, err=True))
        scorer_named(name)  # one that is had in another way says in which
    typer.echo(f"{name} is here")


@scorers_app.command("score")
def scorers_score(
    file: Annotated[Path, typer.Argument(help="Texts: CSV, TSV, JSON lines or a JSON list of objects.")],
    scorer: Annotated[str, typer.Option(help="A name from evenhand scorers list, or model:PATH#label.")],
    text_column: Annotated[str, typer.Option(help="The column that holds the texts.")] = "text",
    out: Annotated[Path | None, typer.Option(help="Write the scores there: .csv or .jsonl.")] = None,
    construct: ConstructOption = None,
    max_length: MaxLength = None,
    temperature: Temperature = 1.0,
    mask_groups: MaskGroups = False,
    device: Device = "auto",
    allow_pickle: AllowPickle = False,
    trust_remote_code: RemoteCode = False,
    as_json: Json = False,
) -> None:
    """Score texts of a file. Prints and writes numbers, statuses and words, never the texts."""
    from audit.commands.progress import Bars
    from audit.commands.scorer_tables import read_texts, score_rows, show_scores, summary, write_scores
    from audit.scorers.scoring import scores_of

    if out is not None and out.suffix.lower() not in (".csv", ".jsonl"):
        raise InputError(Fault("not a .csv or .jsonl file", str(out), "Name --out by what it is to hold."))
    texts = read_texts(file, text_column)
    load = _load(device, allow_pickle, trust_remote_code, max_length)
    chosen = _scorer(scorer, construct, load, temperature, mask_groups)
    with Bars() as progress:
        progress.start(chosen.card.name, len(texts.texts), 0)
        scores = scores_of(texts.texts, chosen, progress.advance)
    rows = score_rows(texts, scores)
    if out is not None:
        write_scores(out, rows)
    found = summary(chosen, scores)
    if as_json:
        print_json({**found, **({} if out else {"scores": rows})})
    else:
        show_scores(console(), found, None if out is None else str(out))


def _load(device: str, allow_pickle: bool, trust_remote_code: bool, max_length: int | None) -> Any:
    from audit.models import LoadOptions

    return LoadOptions(
        device=device,
        allow_pickle=allow_pickle,
        trust_remote_code=trust_remote_code,
        max_length=max_length,
    )


def _scorer(name: str, construct: str | None, load: Any, temperature: float, mask_groups: bool) -> Scorer:
    """A scorer as the command line names it; what is masked are the names of all lexicons."""
    from audit.scorers.masking import group_words
    from audit.scorers.recipes import scorer_of
    from probes.catalogue import lexicon_ids, load_lexicon

    mask = group_words(load_lexicon(one) for one in lexicon_ids()) if mask_groups else ()
    return scorer_of(name, _construct(construct), load, mask, temperature)


def _construct(name: str | None) -> Construct | None:
    from audit.scorers.base import Construct
    from probes.explain import nearest

    known: dict[str, Construct] = {str(one): one for one in get_args(Construct)}
    if name is not None and name not in known:
        raise InputError(Fault(f"nothing is known to measure {name!r}", "--construct", nearest(name, known)))
    return None if name is None else known[name]
