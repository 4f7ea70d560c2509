"""Names that a pipe has looked up by its confined child, at a name server in a namespace."""

import os
import select
import socket
import struct
import subprocess
import threading
from contextlib import contextmanager

import pytest
from lab.namespaces import Namespace, name_prefix
from lab.pipes import PATIENCE, PENSTOCK, Lane

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces want root")

TRUNCATED = 0x0200
TYPE_A = 1


def answer_to(question: bytes, *, is_truncated: bool) -> bytes:
    """Every name is 127.0.0.1, and has no IPv6 address; whoever is told TRUNCATED asks by TCP."""
    end = question.index(b"\0", 12) + 5
    (kind,) = struct.unpack("!H", question[end - 4 : end - 2])
    address = struct.pack("!HHHIH4B", 0xC00C, TYPE_A, 1, 60, 4, 127, 0, 0, 1)
    records = address if kind == TYPE_A and not is_truncated else b""
    flags = 0x8180 | (TRUNCATED if is_truncated else 0)
    counts = struct.pack("!HHHHH", flags, 1, int(bool(records)), 0, 0)
    return question[:2] + counts + question[12:end] + records


def take(end: socket.socket, size: int) -> bytes:
    return end.recv(size, socket.MSG_WAITALL)


class NameServer:
    """Tells by UDP only that what it has to say is too long."""

    def __init__(self) -> None:
        self.by_udp, self.by_tcp = 0, 0
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 53))
        self._tcp = socket.create_server(("127.0.0.1", 53))
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def _serve_udp(self) -> None:
        while True:
            question, whose = self._udp.recvfrom(512)
            self.by_udp += 1
            self._udp.sendto(answer_to(question, is_truncated=True), whose)

    def _serve_tcp(self) -> None:
        while True:
            end, _ = self._tcp.accept()
            with end:
                while size := take(end, 2):
                    question = take(end, *struct.unpack("!H", size))
                    self.by_tcp += 1
                    answer = answer_to(question, is_truncated=False)
                    end.sendall(struct.pack("!H", len(answer)) + answer)


@contextmanager
def place():
    namespace = Namespace(f"{name_prefix()}{os.getpid()}-names")
    namespace.create()
    try:
        yield namespace
    finally:
        namespace.delete()


def with_files(files: dict[str, object], command: list[str]) -> list[str]:
    """It sees others in the place of these, and nobody else does."""
    mounts = [f"mount --bind {ours} {theirs}" for theirs, ours in files.items()]
    script = " && ".join([*mounts, 'exec "$@"'])
    return ["unshare", "--mount", "sh", "-c", script, "-", *command]


def test_an_answer_that_is_too_long_for_a_datagram():
    with Lane() as lane, place() as namespace:
        resolv, switch = lane.directory / "resolv.conf", lane.directory / "nsswitch.conf"
        resolv.write_text("nameserver 127.0.0.1\n")
        switch.write_text("hosts: dns\n")
        files = {os.path.realpath("/etc/resolv.conf"): resolv, "/etc/nsswitch.conf": switch}
        with namespace.entered():
            server = NameServer()
            listener = socket.create_server(("127.0.0.1", 0))
        target = f"far.example:{listener.getsockname()[1]}"
        command = [*PENSTOCK.stdio(), "-t", target, "-k", str(lane.key)]
        pipe = namespace.spawn(
            *with_files(files, command),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        with listener, pipe:
            try:
                ready, _, _ = select.select([listener, pipe.stdout], [], [], PATIENCE)
                assert ready == [listener], pipe.stderr.read()
            finally:
                pipe.kill()
        assert server.by_udp and server.by_tcp, "the control"
