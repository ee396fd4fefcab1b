"""``evenhand suites`` and ``evenhand models``: what comes with the instrument."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from audit.commands.scorers import scorers_audit
from audit.commands.terminal import Json, console, print_json
from probes.errors import Fault, InputError

suites_app = typer.Typer(help="List, show and check probe suites.", no_args_is_help=True)
models_app = typer.Typer(
    help="List and fetch the models that come with evenhand; show where a model comes from; audit what "
    "scores texts.",
    no_args_is_help=True,
)


@suites_app.command("list")
def suites_list(as_json: Json = False) -> None:
    """List the suites that come with evenhand."""
    from audit.commands.listings import show_suites
    from probes import load_suite, suite_ids

    suites = [load_suite(name) for name in suite_ids()]
    if as_json:
        keys = ("id", "version", "title", "forms", "measure", "digest")
        print_json([{key: getattr(suite, key) for key in keys} for suite in suites])
    else:
        show_suites(console(), suites)


@suites_app.command("show")
def suites_show(
    name: Annotated[str, typer.Argument(help="Suite id or file.")], as_json: Json = False
) -> None:
    """Show a suite: its card, who is compared, its templates."""
    from audit.commands.listings import show_suite
    from probes import expand, lexicons_of, load_suite

    suite = load_suite(name)
    if as_json:
        print_json(suite.data)
        return
    lexicons = lexicons_of(suite)
    show_suite(console(), suite, lexicons, expand(suite, lexicons))


@suites_app.command("validate")
def suites_validate(
    files: Annotated[list[str], typer.Argument(help="Suite ids or files.")], as_json: Json = False
) -> None:
    """Check suite files against their schema and lexicons, and name every fault. Exit code 2 if any."""
    from probes import expand, lexicons_of, load_suite

    faults: list[Fault] = []
    rows: list[dict[str, Any]] = []
    for name in files:
        try:
            suite = load_suite(name)
            items = expand(suite, lexicons_of(suite))
            rows.append({"suite": suite.id, "file": name, "items": len(items), "digest": suite.digest})
        except InputError as error:
            faults += error.faults
    if as_json:
        listed = [{"what": f.what, "where": f.where, "remedy": f.remedy} for f in faults]
        print_json({"valid": rows, "faults": listed})
    else:
        from audit.wording import counted

        for row in rows:
            typer.echo(f"{row['file']}: {row['suite']} is well-formed, {counted(row['items'], 'item')}")
    if faults:
        raise InputError(faults)


@models_app.command("list")
def models_list(as_json: Json = False) -> None:
    """List the models that come with evenhand."""
    from audit.commands.listings import show_models
    from audit.models import CATALOG, is_fetched

    rows = [
        {"name": name, "title": entry.title, "licence": entry.licence, "here": is_fetched(name)}
        for name, entry in CATALOG.items()
    ]
    if as_json:
        print_json(rows)
    else:
        show_models(console(), rows)


@models_app.command("fetch")
def models_fetch(name: Annotated[str, typer.Argument(help="A name from evenhand models list.")]) -> None:
    """Fetch a model of the catalog into the cache, checked by its hash."""
    from audit.models import fetch

    fetch(name, lambda message: typer.echo(message, err=True))
    typer.echo(f"{name} is here")


@models_app.command("provenance")
def models_provenance(
    name: Annotated[
        str, typer.Argument(help="A folder, a .gguf file, a hub id, or a name from evenhand models list.")
    ],
    allow_pickle: Annotated[bool, typer.Option(help="Count pickled weights among its files.")] = False,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub model.")] = None,
    as_json: Json = False,
) -> None:
    """Show what is known of a model's origin and data, and by whom, from its files; none is loaded."""
    from audit.commands.provenance import model_provenance, show_provenance
    from audit.models import LoadOptions

    found = model_provenance(name, LoadOptions(allow_pickle=allow_pickle, revision=revision))
    if as_json:
        print_json(found)
    else:
        show_provenance(console(), found)


models_app.command("audit-scorer")(scorers_audit)
