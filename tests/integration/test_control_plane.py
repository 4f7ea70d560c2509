"""penstockd and its command, with a scripted data plane at its door: no ports, no root."""

import contextlib
import json
import os
import signal
import socket
import stat
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
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
        self.config_file = directory / f"{name}.toml"
        self.log_file = directory / f"{name}.log"
        self.dataplane = scripted.ScriptedDataplane(self.run_dir / "dataplane.sock", ADDRESS[name])
        self.process: subprocess.Popen | None = None
        self.write_config()

    def write_config(self, link: str = "") -> None:
        peer = PEER[self.name]
        self.config_file.write_text(
            f'[site]\nname = "{self.name}"\nrun_dir = "{self.run_dir}"\nlog_level = "debug"\n'
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


@pytest.fixture
def controls(tmp_path: Path) -> Iterator[tuple[Control, Control]]:
    """Alpha and beta with one key, data planes running and joined, penstockd not started."""
    key_file = tmp_path / "link.key"
    subprocess.run([program("penstock"), "genkey", str(key_file)], check=True)
    pair = Control("alpha", tmp_path, key_file), Control("beta", tmp_path, key_file)
    for control in pair:
        control.dataplane.start()
    scripted.join(pair[0].dataplane, pair[1].dataplane)
    try:
        yield pair
    finally:
        for control in pair:
            if control.process is not None:
                control.stop(signal.SIGKILL)
            with contextlib.suppress(OSError):
                control.dataplane.die()


@pytest.fixture
def up(controls: tuple[Control, Control]) -> tuple[Control, Control]:
    alpha, beta = controls
    alpha.start()
    beta.start()
    scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    alpha.wait_link("up")
    beta.wait_link("up")
    return controls


# --- sessions --------------------------------------------------------------------------------


def test_two_sites_agree_on_a_session(up):
    alpha, beta = (control.dataplane.current() for control in up)
    assert alpha.id == beta.id
    assert {alpha.role, beta.role} == {0, 1}
    assert alpha.out_keys == beta.in_keys
    assert alpha.in_keys == beta.out_keys
    assert alpha.out_keys != alpha.in_keys
    assert (alpha.local_spi, alpha.remote_spi) == (beta.remote_spi, beta.local_spi)
    assert alpha.local_spi != 0
    assert alpha.frame_size == beta.frame_size == 1472
    assert alpha.suite == beta.suite == 0x0101
    assert alpha.tag == beta.tag == 16
    assert alpha.max_age_ns == 3600 * 10**9


def test_rekey_makes_a_new_session_beside_the_old(up):
    alpha, beta = up
    old = alpha.dataplane.current()
    done = alpha.command("rekey", "beta", str(alpha.config_file))
    assert done.returncode == 0, done.stderr
    new, _ = scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    assert new.id != old.id
    assert new.out_keys != old.out_keys
    link = wait_until(
        lambda: (link := alpha.link())["session"]["id"] == new.id[:8].hex() and link,
        "the new session in alpha's status",
    )
    assert {one["state"] for one in link["sessions"]} == {"current", "retiring"}
    assert link["handshakes_completed"] == 2


def test_sessions_are_renewed_by_the_clock(controls):
    for control in controls:
        control.write_config('rekey_after = "200ms"')
        control.start()
    alpha, beta = controls
    seen = {scripted.confirm_common_session(alpha.dataplane, beta.dataplane)[0].id for _ in range(4)}
    assert len(seen) == 4


def test_a_dataplane_that_dies_is_waited_for_and_gets_a_new_session(up):
    alpha, beta = up
    old = alpha.dataplane.current()
    alpha.dataplane.die()
    wait_until(lambda: alpha.status().get("data_plane", {}).get("state") == "down", "down")
    link = alpha.link()
    assert link["state"] == "down" and link["session"] is None and link["sessions"] == []
    assert "data plane" in link["reason"]
    assert alpha.status()["data_plane"]["reason"]
    alpha.dataplane.start()
    new, _ = scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    assert new.id != old.id
    alpha.wait_link("up")


def test_a_dataplane_that_comes_late_is_waited_for(controls):
    alpha, beta = controls
    alpha.dataplane.die()
    alpha.start()
    beta.start()
    wait_until(lambda: "does not run" in alpha.log(), "a line that says what is missing")
    assert alpha.wait_link("down")["reason"]
    alpha.dataplane.start()
    scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    alpha.wait_link("up")
    assert alpha.log().count("does not run") == 1, "one line, not one a retry"


def test_penstockd_that_is_killed_takes_over_the_living_session(up):
    alpha, _ = up
    session = alpha.dataplane.current()
    installs = alpha.dataplane.installs
    assert alpha.stop(signal.SIGKILL) == -signal.SIGKILL
    alpha.start()
    link = alpha.wait_link("up")
    assert link["session"]["id"] == session.id[:8].hex()
    assert alpha.dataplane.installs == installs
    assert alpha.dataplane.current() is session


def test_an_expired_session_is_replaced(up):
    alpha, beta = up
    old = alpha.dataplane.current()
    for control in up:
        control.dataplane.remove(old.id, scripted.MAX_AGE)
    new, _ = scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    assert new.id != old.id
    alpha.wait_link("up")


def test_an_install_that_is_refused_is_said_and_retried(controls):
    alpha, beta = controls
    alpha.dataplane.refuse_installs_with = 5  # no_memory
    alpha.start()
    beta.start()
    wait_until(lambda: alpha.dataplane.installs > 0, "an install")
    wait_until(lambda: alpha.link().get("handshakes_failed", 0) > 0, "a failed handshake")
    wait_until(lambda: "memory" in alpha.log(), "the reason in the log")
    alpha.dataplane.refuse_installs_with = 0
    installs = alpha.dataplane.installs
    wait_until(lambda: alpha.dataplane.installs > installs, "another attempt")


# --- a wrong key ------------------------------------------------------------------------------


def test_a_wrong_key_makes_no_session_and_says_why(controls, tmp_path):
    alpha, beta = controls
    beta.key_file = tmp_path / "other.key"
    assert beta.command("genkey", str(beta.key_file)).returncode == 0
    beta.write_config()
    alpha.start()
    beta.start()
    for control in controls:
        endpoint = ADDRESS[PEER[control.name]] + ":7670"
        wait_until(
            lambda c=control: "does not hold the same key" in c.link().get("reason", ""),
            f"the reason in {control.name}'s status",
        )
        said = [line for line in control.log().splitlines() if "does not hold the same key" in line]
        assert len(said) == 1 and endpoint in said[0], said
        assert control.dataplane.installs == 0
        assert control.process.poll() is None


# --- status -----------------------------------------------------------------------------------

SESSION_KEYS = {
    "id", "state", "role", "suite", "age_s", "idle_s", "local_spi", "remote_spi", "frame_size", "tag",
    "lanes_out", "lanes_in", "frames_sealed", "frames_opened", "failed_opens",
}  # fmt: skip


def test_status_has_the_promised_shape(up):
    alpha, _ = up
    # 100 bytes of payload, 300 of padding; one plain packet received and dropped.
    alpha.dataplane.counters[5:7] = [100, 300]
    alpha.dataplane.counters[0] = 1
    alpha.dataplane.counters[scripted.COUNTERS + scripted.GAUGES] = 1
    status = alpha.status()
    assert set(status) == {
        "site", "version", "control_plane", "data_plane", "links", "counters", "gauges", "drops",
        "fill", "books",
    }  # fmt: skip
    assert status["site"] == "alpha"
    assert status["control_plane"]["pid"] == alpha.process.pid
    assert status["control_plane"]["uptime_s"] > 0
    plane = status["data_plane"]
    assert plane == {
        "state": "up", "reason": "", "boot_id": alpha.dataplane.boot_id.hex(), "uptime_s": 5.0,
        "isa": "x86-64-v2", "engine": "no engine at all", "workers": 1,
        "plain_device": "af_packet:plain", "wire_device": "af_packet:wire",
        "wire_endpoint": "192.0.2.1:7670",
    }  # fmt: skip
    [link] = status["links"]
    assert set(link) == {
        "peer", "endpoint", "state", "reason", "session", "sessions", "handshakes_completed",
        "handshakes_failed", "messages_refused",
    }  # fmt: skip
    assert (link["peer"], link["endpoint"]) == ("beta", "192.0.2.2:7670")
    assert link["sessions"] == [link["session"]] or link["sessions"][0]["id"] == link["session"]["id"]
    session = link["session"]
    current = alpha.dataplane.current()
    assert set(session) == SESSION_KEYS
    assert session["id"] == current.id[:8].hex()
    assert session["state"] == "current"
    assert session["suite"] == "X25519-AES256_CTR-SHA256"
    assert session["local_spi"] == f"0x{current.local_spi:08x}"
    assert (session["frames_sealed"], session["frames_opened"], session["failed_opens"]) == (11, 22, 33)
    assert len(status["counters"]) == scripted.COUNTERS
    assert len(status["gauges"]) == scripted.GAUGES
    assert len(status["drops"]) == scripted.DROPS
    assert status["counters"]["plain_received"] == 1
    assert status["drops"]["no_session"] == 1
    assert status["fill"] == 0.25
    assert status["books"] == "balanced"
    alpha.dataplane.counters[0] = 2
    assert alpha.status()["books"] == "plain"


def test_status_for_people(up):
    alpha, _ = up
    alpha.dataplane.counters[scripted.COUNTERS + scripted.GAUGES] = 7
    alpha.dataplane.counters[0] = 7
    page = alpha.command("status", str(alpha.config_file))
    assert page.returncode == 0, page.stderr
    assert "link to beta at 192.0.2.2:7670: up" in page.stdout
    assert "X25519-AES256_CTR-SHA256" in page.stdout
    assert "no live session with the far site" in page.stdout, "drops are explained"
    assert "bad_tag" not in page.stdout, "zeros are not shown"
    assert "\x1b" not in page.stdout, "no colours into a pipe"
    alpha.dataplane.die()
    wait_until(lambda: alpha.status()["data_plane"]["state"] == "down", "down")
    page = alpha.command("status", str(alpha.config_file))
    assert page.returncode == 0, page.stderr
    assert "data plane down: " in page.stdout


def test_status_without_a_dataplane_has_no_invented_numbers(controls):
    alpha, _ = controls
    alpha.dataplane.die()
    alpha.start()
    status = wait_until(alpha.status, "status")
    assert status["data_plane"]["state"] == "down"
    assert {status[key] for key in ("counters", "gauges", "drops", "fill", "books")} == {None}


# --- the admin socket ----------------------------------------------------------------------------


def test_the_admin_socket_is_private_and_refuses_in_sentences(up):
    alpha, _ = up
    mode = stat.S_IMODE(os.stat(alpha.run_dir / "admin.sock").st_mode)
    assert mode == 0o600
    with alpha.admin() as client:
        for line in (b"", b"{", b"[]", b"7", b"\xff\xfe", b'{"method":7}', b'{"method":"fly"}',
                     b'{"method":"rekey"}', b'{"method":"rekey","peer":"gamma"}', b"[" * 4000):  # fmt: skip
            answer = ask(client, line)
            assert answer["ok"] is False and answer["error"], line
        assert ask(client, b'{"method":"status"}')["result"]["site"] == "alpha"


def test_a_line_without_end_is_cut_off(up):
    alpha, _ = up
    with alpha.admin() as client:
        client.sendall(b"x" * 4096)
        assert read_answer(client) == {"ok": False, "error": "the line is too long"}
        assert client.recv(1) == b""
    assert alpha.status()["site"] == "alpha"


def test_slow_and_many_clients_block_nobody(up):
    alpha, _ = up
    with contextlib.ExitStack() as clients:
        for _ in range(40):  # asks without end, reads nothing
            client = clients.enter_context(alpha.admin())
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    client.send(b'{"method":"status"}\n' * 50)
        assert alpha.status()["site"] == "alpha"
    assert alpha.status()["links"][0]["state"] == "up"


# --- a data plane that misbehaves -------------------------------------------------------------------


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x01",
        b"\xff" * 64,
        scripted.REPLY.pack(scripted.INSTALL_REPLY_TYPE, 0, 4_000_000_000, 0, 0),
        scripted.HEADER.pack(scripted.STATS_TYPE, 0, 0),
        scripted.DATAGRAM.pack(scripted.PUNT_TYPE, 0, 0, bytes(20), 1025, 0, b""),
        scripted.DATAGRAM.pack(scripted.PUNT_TYPE, 0, 0, bytes(20), 65535, 0, b""),
        b"\xaa" * 20000,
    ],
    ids=["short", "garbage", "unasked reply", "unasked stats", "length", "long length", "too long"],
)
def test_nonsense_ends_the_connection_not_the_process(up, nonsense):
    alpha, _ = up
    session = alpha.dataplane.current()
    connections = alpha.dataplane.connections
    alpha.dataplane.send(nonsense)
    wait_until(lambda: alpha.dataplane.connections > connections, "a new connection")
    link = alpha.wait_link("up")
    assert link["session"]["id"] == session.id[:8].hex(), "it took the living session over"


def test_events_and_datagrams_that_mean_nothing_are_ignored(up):
    alpha, _ = up
    connections = alpha.dataplane.connections
    strange = struct.pack("=HHIIIII32s", scripted.EVENT_TYPE, 0, 0, 77, 0, 99, 0, os.urandom(32))
    alpha.dataplane.send(strange)
    for length in (0, 1, 16, 1023, 1024):
        alpha.dataplane.punt(ADDRESS["beta"], os.urandom(length))
    for kind in range(1, 5):
        alpha.dataplane.punt(ADDRESS["beta"], bytes([kind, 1, 0, 0]) + os.urandom(1020))
    assert alpha.status()["links"][0]["state"] == "up"
    assert alpha.dataplane.connections == connections


# --- starting and stopping ----------------------------------------------------------------------------


def test_penstockd_stops_cleanly(controls):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        control = controls[0].start()
        wait_until(control.status, "status")
        assert control.stop(number) == 0
        assert not (control.run_dir / "admin.sock").exists()


def refused_start(control: Control) -> str:
    """The sentence of a penstockd that refuses to start."""
    started = subprocess.run(
        [program("penstockd"), "--config", str(control.config_file)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert started.returncode == 2
    [line] = started.stderr.splitlines()
    return line.split(" error penstockd: ")[1]


def test_a_second_penstockd_refuses(controls):
    alpha, _ = controls
    alpha.start()
    wait_until(alpha.status, "status")
    assert refused_start(alpha).startswith("another Penstock answers at ")
    assert alpha.status()["site"] == "alpha"


def test_what_is_wrong_with_config_or_key_is_one_sentence(controls, tmp_path):
    alpha, _ = controls
    alpha.key_file.chmod(0o644)
    assert str(alpha.key_file) in refused_start(alpha)
    assert alpha.command("check", str(alpha.config_file)).returncode == 2
    alpha.key_file.chmod(0o600)
    assert alpha.command("check", str(alpha.config_file)).returncode == 0
    alpha.key_file.write_bytes(b"x" * 31)
    assert str(alpha.key_file) in refused_start(alpha)
    alpha.key_file.unlink()
    assert str(alpha.key_file) in refused_start(alpha)
    alpha.write_config("colour = 1")
    assert "alpha.toml:14: link.colour: " in refused_start(alpha)
    alpha.config_file.unlink()
    assert "alpha.toml" in refused_start(alpha)


def test_a_site_that_does_not_run_is_one_sentence(controls):
    alpha, _ = controls
    for sentence in ("penstockd does not answer; traffic may still flow", "the site does not run"):
        for arguments in (["status"], ["status", "--json"]):
            asked = alpha.command(*arguments, str(alpha.config_file))
            assert asked.returncode == 2
            assert asked.stderr.startswith(f"penstock: {sentence}")
            assert asked.stderr.count("\n") == 1
        with contextlib.suppress(OSError):  # it hung up on the question already
            alpha.dataplane.die()
