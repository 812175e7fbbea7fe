"""The same app in a browser: a web server on this machine that starts the app for each page that is opened."""

from __future__ import annotations

import logging
import shlex
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.server import Server

from workbench.errors import InputError, WorkError

HERE = ("127.0.0.1", "localhost", "::1")
"""Names of this machine that nobody else can reach it by."""
OPENS = (
    "anybody who reaches the port can start and delete runs, and with them processes of yours, and read all results "
    "and every data set that you can read: there is no password"
)
"""What serving on another address means."""
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self' ws: wss:; img-src 'self' data:; font-src 'self' data:"
)
"""The page's own files only: the template asks a font from the network."""


def serve(store: Path, runs: Path, host: str, port: int, *, allow_remote: bool) -> None:
    """Serve until Ctrl-C.

    Raises
    ------
    InputError
        An address that others can reach, without `allow_remote`.
    WorkError
        The port is taken, or the address is not this machine's.
    """
    check_host(host, allow_remote)
    check_port(host, port)
    command = [sys.executable, "-m", "workbench.tui", str(store.absolute()), str(runs.absolute())]
    WorkbenchServer(shlex.join(command), host, port, allow_remote).serve()


def check_host(host: str, allow_remote: bool) -> None:
    if host not in HERE and not allow_remote:
        raise InputError(f"--host {host}: allowed: {', '.join(HERE)}; any other with --allow-remote, but then {OPENS}")


def check_port(host: str, port: int) -> None:
    """Fail with a message, and before anything is printed."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise WorkError(f"{host}:{port}: {error.strerror or error}; name another --port or --host") from error


class WorkbenchServer(Server):
    """Answers nobody but pages that it made itself.

    A page of any other site, open in the same browser, could else speak to a port of this machine: connections of a
    web socket are not held back by the browser.
    """

    def __init__(self, command: str, host: str, port: int, allow_remote: bool) -> None:
        shown = f"[{host}]" if ":" in host else host
        super().__init__(command, host, port, title="workbench", public_url=f"http://{shown}:{port}")
        self.allow_remote = allow_remote

    def initialize_logging(self) -> None:
        """On stderr, and what goes wrong alone."""
        logging.basicConfig(level=logging.WARNING)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self.guard())
        return app

    def guard(self) -> Any:
        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self.is_own(request):
                raise web.HTTPForbidden(text="only the workbench's own pages are answered")
            response = await handler(request)
            if not response.prepared:
                response.headers["Content-Security-Policy"] = POLICY
            return response

        return guarded

    def is_own(self, request: web.Request) -> bool:
        """Whether a request was sent to a name of this machine, and by a page of this server."""
        if not self.allow_remote and urlsplit(f"//{request.host}").hostname not in HERE:
            return False
        origin = request.headers.get("Origin")
        return origin is None or urlsplit(origin).netloc == request.host

    async def handle_index(self, request: web.Request) -> Any:
        """The page, with the address by which it was asked for."""
        self.public_url = f"{request.scheme}://{request.host}"
        return await super().handle_index(request)

    async def on_startup(self, app: web.Application) -> None:
        print(f"workbench on {self.public_url}; Ctrl+C ends it, runs go on", file=sys.stderr, flush=True)
        if self.allow_remote and self.host not in HERE:
            print(f"warning: {OPENS}", file=sys.stderr, flush=True)
