"""Starts the app as ``evenhand dashboard`` does: on this machine only, with the project's own look."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dashboards.opening import VARIABLE, chosen, handed
from probes.errors import Fault, InputError

APP = Path(__file__).with_name("app.py")
FIRST_PORT, PORTS = 8501, 50
"""Ports that are tried from here on, so many of them."""

LOOK = {
    "theme.font": "sans-serif",
    "theme.baseRadius": "small",
    "theme.light.primaryColor": "#1f5fa8",
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f2f4f7",
    "theme.light.textColor": "#16181b",
    "theme.light.linkColor": "#1f5fa8",
    "theme.dark.primaryColor": "#86bdff",
    "theme.dark.backgroundColor": "#15171a",
    "theme.dark.secondaryBackgroundColor": "#22262b",
    "theme.dark.textColor": "#eceef1",
    "theme.dark.linkColor": "#86bdff",
}
SERVER = {
    "browser.gatherUsageStats": "false",
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "runner.magicEnabled": "false",
    "server.enableCORS": "true",
    "server.enableXsrfProtection": "true",
    "server.enableStaticServing": "false",
    "server.enableAgentApi": "false",
    "server.maxUploadSize": "1",
}
"""Nothing is sent anywhere, nothing is watched, and a fault of the program shows no innards to the reader.
What keeps other pages of the browser out is set here, so that no configuration file turns it off."""
HERE = ("localhost", "127.0.0.1", "::1")
"""What this machine calls itself."""
EVERYWHERE = ("0.0.0.0", "::")
"""Addresses that stand for all of a machine's."""
GRACE = 5.0
"""Seconds that a server has to end by itself."""


def launch(
    folders: Sequence[Path], address: str = "localhost", port: int | None = None, browser: bool = True
) -> int:
    """Serve the pages until stopped, and give the server's exit code.

    Parameters
    ----------
    folders : sequence of Path
        Bundles, or folders that hold bundles; without any, the folder ``audits``.
    address : str
        ``localhost`` serves this machine alone. The pages have no login: whoever reaches another address can
        read the audits and write reviews.
    port : int, optional
        The first free one from 8501 on by default.
    browser : bool
        Whether to open the page.

    Raises
    ------
    InputError
        Where a folder does not exist, the address is none of this machine's, or no port is free.
    """
    missing = [
        Fault("no such folder, or none that may be read", str(folder), "Give the folder of an audit.")
        for folder in folders
        if not os.path.exists(folder)
    ]
    if missing:
        raise InputError(missing)
    family = family_of(address)
    options = {
        **LOOK,
        **SERVER,
        "server.address": address,
        "server.port": str(free_port(address, family, port)),
        "server.headless": str(not browser).lower(),
    }
    # Without -P a file streamlit.py in the current folder, which may be a stranger's, would run instead.
    words = [sys.executable, "-P", "-m", "streamlit", "run", str(APP)]
    words += [f"--{name}={value}" for name, value in options.items()]
    words += [f"--server.allowedHosts={name}" for name in hosts(address)]
    root = str(APP.parents[1])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, VARIABLE: handed(chosen(folders)), "PYTHONPATH": path}
    with subprocess.Popen(words, env=environment) as server:
        return until_stopped(server)


def until_stopped(server: subprocess.Popen[bytes]) -> int:
    """Wait for a server, and stop it when this process is told to stop.

    It is a process of its own, so nothing may go on serving after this one. It does not end by itself where
    what it writes of its end reaches nobody (a closed pipe): after ``GRACE`` seconds it is killed.
    """

    def told(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, told)
    try:
        return server.wait()
    except KeyboardInterrupt:
        server.terminate()
        try:
            server.wait(GRACE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        return 0
    finally:
        signal.signal(signal.SIGTERM, before)


def hosts(address: str) -> tuple[str, ...]:
    """By which names a browser may ask for the pages.

    A page of another site whose name was turned to this machine (DNS rebinding) asks by its own name, and is
    refused. Where every address of the machine is listened at, its names are not known here.

    Examples
    --------
    >>> hosts("localhost"), hosts("audits.example"), hosts("0.0.0.0")
    (('localhost', '127.0.0.1', '::1'), ('localhost', '127.0.0.1', '::1', 'audits.example'), ('*',))
    """
    if address in EVERYWHERE:
        return ("*",)
    return tuple(dict.fromkeys([*HERE, address]))


def family_of(address: str) -> socket.AddressFamily:
    """The kind of an address, that of IPv4 where it has both; it must be one of this machine's.

    Raises
    ------
    InputError
        Where nothing can listen there.
    """
    try:
        if not address.strip():
            raise ValueError("nobody's address, which would be read as everybody's")
        found = [each[0] for each in socket.getaddrinfo(address, None, type=socket.SOCK_STREAM)]
        family = socket.AF_INET if socket.AF_INET in found else found[0]
        with socket.socket(family) as test:
            test.bind((address, 0))
    except (OSError, ValueError):  # a name of impossible form is a ValueError
        fault = Fault(f"--address {address!r} is no address of this machine", "", "Leave it out: localhost.")
        raise InputError(fault) from None
    return family


def free_port(address: str, family: socket.AddressFamily = socket.AF_INET, asked: int | None = None) -> int:
    """The port that is asked for, or the first one from 8501 on, at which nobody listens."""
    for port in range(FIRST_PORT, FIRST_PORT + PORTS) if asked is None else (asked,):
        with socket.socket(family) as test:
            test.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
            try:
                test.bind((address, port))
            except OSError:
                continue
            return port
    if asked is not None:
        raise InputError(Fault(f"port {asked} is taken", address, "Name another one with --port, or none."))
    what = f"no free port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1}"
    raise InputError(Fault(what, address, "Name one with --port."))
