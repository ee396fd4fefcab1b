"""``evenhand verify`` and ``evenhand sign``: is an audit what it says it is, and who answers for it."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from audit.commands.reading import Folder
from audit.commands.terminal import Json, console, print_json
from probes.errors import Fault, InputError

PASSPHRASE = "EVENHAND_PASSPHRASE"
"""Variable that holds the passphrase of a key, where nobody can be asked."""


def verify(
    folder: Folder,
    public_key: Annotated[
        list[Path] | None,
        typer.Option(
            "--public-key",
            help="A key that you know whose it is: a valid signature must be by one. May be repeated.",
        ),
    ] = None,
    rerun: Annotated[
        str | None,
        typer.Option(help="Ask the models this share of the requests again, such as 5%.", metavar="SHARE"),
    ] = None,
    original: Annotated[
        Path | None,
        typer.Option(help="Of a redacted copy: its original, of which it must be the exact redaction."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Keep what was found in this file.")] = None,
    by: Annotated[str | None, typer.Option(help="Who verifies; needed with --out.", metavar="NAME")] = None,
    as_json: Json = False,
) -> None:
    """Check signatures, hashes, chain and completeness, and recompute every figure.

    Exit code 1 if a check fails; which layer failed (1 signature, 2 manifest, 3 chain, 4 recompute, 5 rerun)
    stands in --json and --out. No model is loaded without --rerun, which draws its sample anew each time.

    This detects accidental or later alteration. It does not stop a dishonest operator from choosing probes,
    seeds or runs. The chain alone proves nothing against someone who rewrites all of it: that takes a
    signature whose key you trust, or a copy of the chain's head kept elsewhere.

    Of a redacted copy, what scorers read off the withheld texts is taken as the copy states it; with
    --original it is held against the bundle that it was made from.
    """
    from audit.bundle import refuse_benchmark
    from audit.verification import check_rows, verification
    from audit.verify import attempt, verify_bundle

    if not folder.is_dir():
        raise InputError(Fault("no such folder", str(folder), "Give the folder of an audit."))
    refuse_benchmark(folder)
    if original is not None:
        refuse_no_copy(folder, original)
    place = out_place(folder, out, by)
    keys = trusted(public_key or [])
    share = None
    if rerun is not None:
        from audit.rerun import rerun_check, share_of

        share = share_of(rerun)
    checks = verify_bundle(folder, keys)
    if original is not None:
        from audit.redaction.check import check_original
        from audit.verify import Check

        where = original
        checks.append(
            attempt("original", str(where), lambda: Check("original", *check_original(folder, where)))
        )
    if share is not None:
        seed, part = secrets.randbits(32), share
        checks.append(attempt("rerun", "records", lambda: rerun_check(folder, part, seed)))
    if place is not None and by is not None:
        from audit.bundle_files import write_json

        write_json(place, verification(folder, checks, by, list(keys)))
    if as_json:
        print_json(check_rows(checks))
    else:
        from audit.commands.listings import show_checks

        show_checks(console(), checks)
    if not all(check.holds for check in checks):
        raise typer.Exit(1)


def refuse_no_copy(folder: Path, original: Path) -> None:
    """Refuse to hold against an original what is no redacted copy, or what is not there."""
    from audit.bundle import REDACTION

    if not os.path.lexists(folder / REDACTION):
        remedy = "Give --original beside the folder that evenhand redact wrote."
        raise InputError(Fault("is no redacted copy", str(folder), remedy))
    if not original.is_dir():
        raise InputError(Fault("no such folder", str(original), "Give the folder of the original audit."))


def out_place(folder: Path, out: Path | None, by: str | None) -> Path | None:
    """Where to keep what a verification finds: beside the bundle, or in it under the one name it knows."""
    from audit.attestation.statement import is_plain
    from audit.bundle import VERIFICATION

    if (out is None) != (by is None):
        raise InputError(Fault("--out and --by go together", "", "Name the file, and who verifies."))
    if out is None or by is None:
        return None
    if not is_plain(by):
        raise InputError(Fault(f"--by {by[:200]!r} is no name", "", "Give a name on one line."))
    place, root = Path(os.path.realpath(out)), Path(os.path.realpath(folder))
    special = os.path.lexists(out) and not out.is_file()  # a pipe, a device, a folder: never replaced
    if special or (place.is_relative_to(root) and place != root / VERIFICATION):
        remedy = f"Give a file outside the bundle, or {folder / VERIFICATION}."
        raise InputError(Fault("no place for what a verification found", str(out), remedy))
    return out


def trusted(paths: list[Path]) -> dict[str, str]:
    """Fingerprint to file of public keys."""
    from audit.attestation.keys import public_key

    return {public_key(path).fingerprint: str(path) for path in paths}


def sign(
    folder: Annotated[Path | None, typer.Argument(help="The bundle's folder.", metavar="[DIR]")] = None,
    key: Annotated[Path | None, typer.Option(help="The private key's file.")] = None,
    name: Annotated[str | None, typer.Option(help="Who signs.")] = None,
    role: Annotated[str | None, typer.Option(help="As what: lead auditor, reviewer ...")] = None,
    organisation: Annotated[str | None, typer.Option(help="For whom.")] = None,
    new_key: Annotated[
        Path | None,
        typer.Option("--new-key", help="Make a key in this file, its public half beside it; signs nothing."),
    ] = None,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="With --new-key: lock the key with a passphrase.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Verify an audit, and sign all that lies in it. Needs no network.

    The signature goes to DIR/attestations, one file a key; it covers plan, records, findings, reviews,
    DIR/engagement.yaml and the reports that lie there. Who signs again with the same key replaces their
    signature. Name, role and time are kept as you state them: whose key it is, your readers learn from you.

    From a draft to a signed report: make a key (evenhand sign --new-key KEY), sign, make the report again,
    which then names you, and sign once more, so that the signature covers the new report.
    """
    if new_key is not None:
        if folder or key or name or role or organisation:
            raise InputError(Fault("--new-key beside what is to be signed", "", "Make the key first."))
        make_key(new_key, passphrase, as_json)
        return
    given = {"DIR": folder, "--key": key, "--name": name, "--role": role}
    missing = [option for option, value in given.items() if value is None]
    if folder is None or key is None or name is None or role is None:
        remedy = "Give them, or make a key with --new-key FILE; see evenhand sign --help."
        raise InputError(Fault(f"missing: {', '.join(missing)}", "", remedy))
    if passphrase:
        raise InputError(Fault("--passphrase without --new-key", "", "A locked key asks for it by itself."))
    if not folder.is_dir():
        raise InputError(Fault("no such folder", str(folder), "Give the folder of an audit."))
    from audit.attestation.sign import sign as sign_bundle
    from audit.attestation.statement import NO_DECISION, Signer
    from audit.bundle import ATTESTATIONS

    before = set((folder / ATTESTATIONS).glob("*"))
    made = sign_bundle(folder, key, Signer(name, role, organisation), asked_passphrase)
    if as_json:
        print_json({"written": str(made.path), "fingerprint": made.fingerprint, "files": made.files})
        return
    typer.echo(f"{made.path}: {made.files} files signed by key {made.fingerprint}; {NO_DECISION}")
    if made.path not in before:
        again = f"evenhand report {shlex.quote(str(folder))}, in every format that lies there"
        typer.echo(f"A report made before does not name this signature. Make it again, {again},")
        typer.echo("and sign once more, so that the signature covers it.")


def make_key(path: Path, lock: bool, as_json: bool) -> None:
    """Make a key and say where it lies."""
    from audit.attestation.keys import PUBLIC, new_key

    made = new_key(path, asked_passphrase(twice=True) if lock else "")
    if as_json:
        print_json({"written": [str(path), f"{path}{PUBLIC}"], "fingerprint": made.fingerprint})
        return
    typer.echo(f"{path}: the private key; keep it to yourself")
    typer.echo(f"{path}{PUBLIC}: the public key, for whoever verifies; fingerprint {made.fingerprint}")
    again = f"evenhand sign DIR --key {shlex.quote(str(path))} --name NAME --role ROLE"
    typer.echo(f"To sign an audit with it: {again}")


def asked_passphrase(twice: bool = False) -> str:
    """The passphrase of a key: from the environment, else from whoever sits there."""
    given = os.environ.get(PASSPHRASE)
    if given is None and sys.stdin.isatty():
        given = str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice))
    if not given:
        raise InputError(Fault("the key needs a passphrase", "", f"Type it, or set {PASSPHRASE}."))
    return given
