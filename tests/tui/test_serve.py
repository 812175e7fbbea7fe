"""`workbench serve`: who is let in, and the app in a real browser."""

import asyncio
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.tui.conftest import until
from workbench.errors import InputError, WorkError
from workbench.tui.serve import OPENS, check_host, check_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@asynccontextmanager
async def serving(home: Path, *options: str) -> AsyncIterator[int]:
    """The server on a port of its own."""
    port = free_port()
    places = ["--store", str(home / "results.duckdb"), "--runs", str(home / "runs")]
    command = [sys.executable, "-m", "workbench", "serve", "--port", str(port), *places, *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = await asyncio.to_thread(process.stderr.readline)
        assert f"http://127.0.0.1:{port}" in line or options, line
        await until(lambda: listens(port))
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.wait, 20)
        process.stderr.close()
    assert process.returncode == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", "::"])
def test_other_addresses_are_refused_and_it_is_said_why(host: str) -> None:
    with pytest.raises(InputError, match="anybody who reaches the port can start and delete runs"):
        check_host(host, allow_remote=False)
    check_host(host, allow_remote=True)


def test_this_machine_s_own_addresses_need_no_leave() -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        check_host(host, allow_remote=False)


def test_the_help_says_what_allow_remote_opens() -> None:
    command = [sys.executable, "-m", "workbench", "serve", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "400"}, check=True)
    words = " ".join(done.stdout.replace("│", " ").split()).lower()
    assert OPENS.partition(":")[0].lower() in words and "there is no password" in words


def test_a_taken_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(WorkError, match="name another --port"):
            check_port("127.0.0.1", taken.getsockname()[1])


async def test_pages_of_others_are_not_answered(hand_home: Path) -> None:
    async with serving(hand_home) as port, aiohttp.ClientSession() as session:
        page = f"http://127.0.0.1:{port}"
        async with session.get(page) as answer:
            assert answer.status == 200 and f"ws://127.0.0.1:{port}/ws" in await answer.text()
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        async with session.get(f"http://localhost:{port}") as answer:
            assert answer.status == 200 and f"ws://localhost:{port}/ws" in await answer.text()
        async with session.get(page, headers={"Host": f"evil.example:{port}"}) as answer:
            assert answer.status == 403
        for origin in ("http://evil.example", f"http://127.0.0.1:{port + 1}", "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{page}/ws", headers={"Origin": origin})
            assert refused.value.status == 403
        async with session.ws_connect(f"{page}/ws?width=80&height=24", headers={"Origin": page}) as socket_:
            assert await asyncio.wait_for(socket_.receive(), 20)
        with socket.socket() as probe:  # bound to this machine's own address alone
            assert probe.connect_ex((socket.gethostbyname(socket.gethostname()), port)) or socket.gethostbyname(
                socket.gethostname()
            ).startswith("127.")


class Browser:
    """Chromium's DevTools protocol, as far as it takes to press keys and to see what the app sends."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self.connection = connection
        self.number = 0
        self.answers: dict[int, Any] = {}
        self.received = ""
        """All that came to the page through its web socket."""
        self.task = asyncio.create_task(self.listen())

    async def listen(self) -> None:
        async for message in self.connection:
            told = json.loads(message.data)
            if "id" in told:
                self.answers[told["id"]] = told
            elif told["method"] == "Network.webSocketFrameReceived":
                frame = told["params"]["response"]
                data = frame["payloadData"]
                self.received += base64.b64decode(data).decode(errors="replace") if frame["opcode"] == 2 else data

    async def call(self, method: str, **parameters: Any) -> Any:
        self.number += 1
        number = self.number
        await self.connection.send_json({"id": number, "method": method, "params": parameters})
        await until(lambda: number in self.answers)
        answer = self.answers[number]
        assert "error" not in answer, answer
        return answer["result"]

    async def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            code = ord(key.upper()) if len(key) == 1 else 0
            text = {"text": key} if kind == "keyDown" else {}
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    async def until_received(self, text: str) -> None:
        await until(lambda: text in self.received, limit_s=60)

    async def press_until(self, key: str, text: str) -> None:
        """Press a key until the app has answered: the page may not have the focus yet."""
        for _ in range(20):
            await self.call("Runtime.evaluate", expression="document.querySelector('textarea').focus()")
            await self.press(key)
            with suppress(AssertionError):
                await until(lambda: text in self.received, limit_s=4)
                return
        raise AssertionError(f"{key!r} did not bring {text!r}")


@asynccontextmanager
async def browsing(folder: Path, address: str) -> AsyncIterator[Browser]:
    assert CHROMIUM
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
    command += [f"--user-data-dir={folder}", "--window-size=1200,800", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        port_file = folder / "DevToolsActivePort"
        await until(lambda: port_file.exists() and port_file.read_text().strip(), limit_s=60)
        port = port_file.read_text().split()[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                page = next(one for one in await answer.json() if one["type"] == "page")
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as connection:
                browser = Browser(connection)
                await browser.call("Network.enable")
                await browser.call("Page.navigate", url=address)
                yield browser
                browser.task.cancel()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `workbench serve` was not looked at in a browser")
async def test_the_app_in_a_browser(hand_home: Path, tmp_path: Path) -> None:
    async with serving(hand_home) as port, browsing(tmp_path / "profile", f"http://127.0.0.1:{port}") as browser:
        await browser.until_received("Claims")
        await browser.until_received("hybrid-a50")
        await browser.press_until("6", "first_passages")
        await browser.press_until("?", "One SELECT on the results")
        picture = await browser.call("Page.captureScreenshot")
        assert len(base64.b64decode(picture["data"])) > 5_000
        (tmp_path / "page.png").write_bytes(base64.b64decode(picture["data"]))
