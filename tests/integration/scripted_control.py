"""A penstockd with a scripted data plane at its door: no ports, no root."""

import json
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import scripted_dataplane as scripted
from lab.errors import wait_until
from lab.programs import program

ADDRESS = {"alpha": "192.0.2.1", "beta": "192.0.2.2"}
PEER = {"alpha": "beta", "beta": "alpha"}


class Control:
    """A penstockd with its scripted data plane, in a directory of its own."""

    def __init__(self, name: str, directory: Path, key_file: Path):
        self.name = name
        self.key_file = key_file
        self.run_dir = directory / name
        self.state_dir = directory / f"{name}.state"
        self.config_file = directory / f"{name}.toml"
        self.log_file = directory / f"{name}.log"
        self.dataplane = scripted.ScriptedDataplane(self.run_dir / "dataplane.sock", ADDRESS[name])
        self.process: subprocess.Popen | None = None
        self.write_config()

    def write_config(self, link: str = "", site: str = "") -> None:
        peer = PEER[self.name]
        self.config_file.write_text(
            f'[site]\nname = "{self.name}"\nrun_dir = "{self.run_dir}"\n'
            f'state_dir = "{self.state_dir}"\nlog_level = "debug"\n{site}'
            '[ports.plain]\ndevice = "af_packet:plain"\n[ports.wire]\ndevice = "af_packet:wire"\n'
            f'address = "{ADDRESS[self.name]}/24"\n[[link]]\npeer = "{peer}"\n'
            f'endpoint = "{ADDRESS[peer]}"\nkey_file = "{self.key_file}"\n{link}\n'
        )

    def start(self) -> "Control":
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [program("penstockd"), "--config", str(self.config_file)], stderr=log
            )
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(number)
        return process.wait(60)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program("penstock"), *arguments], capture_output=True, text=True, timeout=60
        )

    def status(self) -> dict[str, Any]:
        asked = self.command("status", str(self.config_file), "--json")
        return json.loads(asked.stdout) if asked.returncode == 0 else {}

    def link(self) -> dict[str, Any]:
        return (self.status().get("links") or [{}])[0]

    def wait_link(self, state: str) -> dict[str, Any]:
        return wait_until(
            lambda: (link := self.link()).get("state") == state and link,
            f"{self.name}'s link to be {state}:\n{self.log()}",
        )

    def log(self) -> str:
        return self.log_file.read_text()

    def admin(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(60)
        client.connect(str(self.run_dir / "admin.sock"))
        return client


def ask(client: socket.socket, line: bytes) -> dict[str, Any]:
    client.sendall(line + b"\n")
    return read_answer(client)


def read_answer(client: socket.socket) -> dict[str, Any]:
    answer = b""
    while not answer.endswith(b"\n"):
        chunk = client.recv(65536)
        assert chunk, f"the socket closed behind {answer!r}"
        answer += chunk
    return json.loads(answer)
