"""What operators see of penstockd: status, the admin socket, its start and its end."""

import contextlib
import grp
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
import scripted_dataplane as scripted
from lab.errors import wait_until
from lab.programs import program
from scripted_control import Control, ask, read_answer


# --- status -----------------------------------------------------------------------------------

SESSION_KEYS = {
    "id", "state", "role", "suite", "is_protected", "age_s", "idle_s", "local_spi", "remote_spi",
    "frame_size", "tag", "lanes_out", "lanes_in", "frames_sealed", "frames_opened", "failed_opens",
    "silent_lanes", "is_silent", "peer",
}  # fmt: skip


def test_status_has_the_promised_shape(up):
    alpha, _ = up
    # 100 bytes of payload, 300 of padding; one plain packet received and dropped.
    alpha.dataplane.counters[5:7] = [100, 300]
    alpha.dataplane.counters[0] = 1
    alpha.dataplane.counters[scripted.COUNTERS + scripted.GAUGES] = 1
    status = alpha.status()
    assert set(status) == {
        "site", "version", "lab", "control_plane", "data_plane", "links", "counters", "gauges",
        "drops", "fill", "packing", "books", "workers",
    }  # fmt: skip
    assert status["site"] == "alpha"
    assert status["control_plane"]["pid"] == alpha.process.pid
    assert status["control_plane"]["uptime_s"] > 0
    plane = status["data_plane"]
    assert plane == {
        "state": "up", "reason": "", "boot_id": alpha.dataplane.boot_id.hex(), "uptime_s": 5.0,
        "isa": "x86-64-v2", "engine": "no engine at all",
        "engine_protections": scripted.ENGINE_WAYS, "workers": 1,
        "plain_device": "af_packet:plain", "wire_device": "af_packet:wire",
        "wire_endpoint": "192.0.2.1:7670",
    }  # fmt: skip
    [worker] = status["workers"]
    assert (worker["worker"], worker["counters"]) == (0, status["counters"])
    assert worker["gauges"] == status["gauges"]
    assert worker["drops"] == {name: count for name, count in status["drops"].items() if count}
    [link] = status["links"]
    assert set(link) == {
        "peer", "endpoint", "endpoint_name", "state", "reason", "since_s", "session", "sessions",
        "key", "last_handshake", "handshakes_completed", "handshakes_failed",
        "handshakes_failed_by", "messages_refused", "messages_refused_by", "silences", "lists_null",
        "shaping", "queues", "path",
    }  # fmt: skip
    assert (link["peer"], link["endpoint"]) == ("beta", "192.0.2.2:7670")
    assert link["sessions"] == [link["session"]] or link["sessions"][0]["id"] == link["session"]["id"]
    session = link["session"]
    current = alpha.dataplane.current()
    assert set(session) == SESSION_KEYS
    assert session["id"] == current.id[:8].hex()
    assert session["state"] == "current"
    assert session["suite"] == "X25519-AES256_CTR-SHA256"
    assert session["is_protected"] is True
    assert session["local_spi"] == f"0x{current.local_spi:08x}"
    assert (session["frames_sealed"], session["frames_opened"], session["failed_opens"]) == (11, 22, 33)
    assert len(status["counters"]) == scripted.COUNTERS
    assert len(status["gauges"]) == scripted.GAUGES
    assert len(status["drops"]) == scripted.DROPS
    assert status["counters"]["plain_received"] == 1
    assert status["drops"]["no_session"] == 1
    assert status["fill"] == status["packing"]["fill"] == 0.25
    assert link["shaping"] == {"mode": "burst", "is_paced": False}
    assert link["queues"] is None and link["path"] is None
    assert status["books"] == "balanced"
    alpha.dataplane.counters[0] = 2
    assert alpha.status()["books"] == "plain"


def test_status_shows_how_a_links_frames_are_timed(up):
    alpha, _ = up
    number = alpha.dataplane.current().link
    constant, is_paced, closed = 1, 1, 0
    figures = [2_000_000, 100, 1, 90, 500_000, 40, *[0] * 8]
    voice = [7, 1, 2, 3, 4, 5, 1_000_000, 2_000_000]
    alpha.dataplane.links = [
        (number, constant, is_paced, 0, closed, *figures, 1372, b"\1", *voice, *[0] * 24),
        (number + 1, constant, is_paced, 0, closed, *figures, 0, b"", *[0] * 32),
    ]
    [link] = alpha.status()["links"]
    assert link["shaping"]["mode"] == "constant"
    assert link["shaping"]["frames_per_s"] == 2000
    assert link["shaping"]["bits_per_s"] == 2000 * 8 * (link["session"]["frame_size"] + 42)
    assert link["shaping"]["dummy_share"] == 0.4
    assert link["shaping"]["breaker"] == {
        "state": "closed", "lanes": 1, "lanes_stopped": 0, "trips": 0, "reason": "",
    }  # fmt: skip
    assert link["queues"]["voice"]["delay_p99_s"] == 0.002
    assert link["queues"]["voice"]["dropped_aqm"] == 2
    assert link["path"]["frame_size"] == 1372
    page = alpha.command("status", str(alpha.config_file))
    assert page.returncode == 0, page.stderr
    assert "  constant at 2.00 kframes/s, " in page.stdout
    assert "  ticks 90.0 % on time, at worst 500 us late, missed 1 (1.0 % of ticks)" in page.stdout
    assert "  voice  7 packets waited 1.0 ms (p50), 2.0 ms (p99)" in page.stdout


def test_status_for_people(up):
    alpha, _ = up
    alpha.dataplane.counters[scripted.COUNTERS + scripted.GAUGES] = 7
    alpha.dataplane.counters[0] = 7
    page = alpha.command("status", str(alpha.config_file))
    assert page.returncode == 0, page.stderr
    assert "link to beta at 192.0.2.2:7670: up" in page.stdout
    assert "X25519-AES256_CTR-SHA256" in page.stdout
    assert "  AES256_CTR-SHA256: no code for AES256_CTR-SHA256\n" in page.stdout
    assert "AES256_GCM" not in page.stdout, "only what the session uses"
    assert "no live session" in page.stdout, "drops are explained"
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
    assert {status[key] for key in ("counters", "gauges", "drops", "fill", "packing", "books")} == {None}


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


# --- who may do what -----------------------------------------------------------------------------

GROUP = "daemon"  # every machine has it
OTHERS = "nogroup"


@pytest.fixture
def open_to_group():
    """Penstockd that lets a group in, below directories that everybody may pass."""
    directory = Path(tempfile.mkdtemp(prefix="penstock-group-"))
    directory.chmod(0o755)
    control = Control("alpha", directory, directory / "link.key")
    assert control.command("genkey", str(control.key_file)).returncode == 0
    control.write_config(site=f'admin_group = "{GROUP}"\n')
    shutil.copy(program("penstock"), directory)
    control.start()
    try:
        wait_until(control.status, "status")
        yield control
    finally:
        control.stop(signal.SIGKILL)
        shutil.rmtree(directory)


def as_member_of(group: str, control: Control, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(control.config_file.parent / "penstock"), *words]
    return subprocess.run(
        [*command, "--socket", str(control.run_dir / "admin.sock")],
        user="nobody", group=group, extra_groups=[], capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_members_of_the_group_read_and_nothing_else(open_to_group):
    control = open_to_group
    for path, mode in ((control.run_dir, 0o750), (control.run_dir / "admin.sock", 0o660)):
        status = path.stat()
        assert (stat.S_IMODE(status.st_mode), status.st_gid) == (mode, grp.getgrnam(GROUP).gr_gid)
    shown = as_member_of(GROUP, control, "status", "--json")
    assert json.loads(shown.stdout)["site"] == "alpha", shown.stderr
    for words in (["rekey", "beta"], ["reload"], ["zeroize"], ["key", "restore", "beta"]):
        refused = as_member_of(GROUP, control, *words)
        assert refused.returncode == 2
        assert "only root may ask for" in refused.stderr and refused.stderr.count("\n") == 1
    assert "zeroized" not in control.log() and "reloaded" not in control.log()
    assert control.command("reload", str(control.config_file)).returncode == 0


def test_members_of_the_group_cannot_keep_root_out(open_to_group):
    """Not by all the connections that they can have: some are let go, and root has its own."""
    control = open_to_group
    script = (
        "import socket, sys\n"
        "held = [socket.socket(socket.AF_UNIX) for _ in range(100)]\n"
        "for one in held: one.connect(sys.argv[1])\n"
        "held[-1].settimeout(60)\n"
        "print(held[-1].recv(1), flush=True)\n"
        "sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        ["/usr/bin/python3", "-c", script, str(control.run_dir / "admin.sock")],
        user="nobody", group=GROUP, extra_groups=[], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert holder.stdout.readline() == "b''\n", "one too many is told at once"
        said = control.command("reload", str(control.config_file))
        assert said.returncode == 0, said.stderr
        assert as_member_of(GROUP, control, "status", "--json").returncode == 2
    finally:
        holder.kill()
        holder.wait(60)
    wait_until(
        lambda: as_member_of(GROUP, control, "status", "--json").returncode == 0, "room again"
    )


def test_others_cannot_connect(open_to_group):
    refused = as_member_of(OTHERS, open_to_group, "status", "--json")
    assert refused.returncode == 2
    assert "no permission to reach" in refused.stderr


# --- starting and stopping ----------------------------------------------------------------------------


def test_penstockd_stops_cleanly(controls):
    for number in (signal.SIGTERM, signal.SIGINT):
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
    assert "alpha.toml:15: link.colour: " in refused_start(alpha)
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
