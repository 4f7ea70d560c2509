"""What ordinary hosts send: ping, TCP and UDP streams, and a text in clear."""

import json
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .errors import LabError, wait_until
from .namespaces import Namespace
from .raw import SO_RCVBUFFORCE

# Said in clear by host A, again and again. 16 bytes, the longest pattern ping can carry.
MARKER = b"OPEN-SECRET-7670"
# What iperf3 --repeating-payload sends.
IPERF_MARKER = b"0123456789" * 4


@dataclass(frozen=True)
class PingResult:
    sent: int
    received: int
    milliseconds: float | None  # mean round trip; None when nothing came back
    text: str

    @property
    def loss_percent(self) -> float:
        return 100.0 * (self.sent - self.received) / self.sent if self.sent else 100.0


def ping(
    host: Namespace,
    address: str,
    count: int = 10,
    size: int = 56,
    interval: float = 0.02,
    marker: bytes = MARKER,
    options: tuple[str, ...] = (),
) -> PingResult:
    """Waits at most 5 s for each answer, so that a busy machine loses nothing."""
    done = host.attempt(
        "ping", "-n", "-q", "-c", str(count), "-i", str(interval), "-W", "5", "-s", str(size),
        "-p", marker.hex(), *options, address,
    )  # fmt: skip
    return _ping_result(done.stdout + done.stderr)


class BackgroundPing:
    """Pings until the block ends; then `result` says what was lost."""

    def __init__(self, host: Namespace, address: str, interval: float = 0.05, size: int = 56):
        self._argv = ("ping", "-n", "-q", "-i", str(interval), "-s", str(size), "-W", "5",
                      "-p", MARKER.hex(), address)  # fmt: skip
        self._host = host
        self.result: PingResult | None = None

    def __enter__(self) -> "BackgroundPing":
        self._process = self._host.spawn(
            *self._argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return self

    def __exit__(self, *_) -> None:
        self._process.send_signal(signal.SIGINT)
        self.result = _ping_result(self._process.communicate(timeout=60)[0])

    def lost(self) -> int:
        """The answer to the very last one may be under way when ping is stopped."""
        assert self.result is not None
        return max(0, self.result.sent - self.result.received - 1)


def _ping_result(text: str) -> PingResult:
    counts = re.search(r"(\d+) packets transmitted, (\d+) received", text)
    if not counts:
        raise LabError(f"ping said no result: {text.strip()}")
    trip = re.search(r"rtt [^=]*= [\d.]+/([\d.]+)/", text)
    return PingResult(
        int(counts[1]), int(counts[2]), float(trip[1]) if trip else None, text.strip()
    )


@dataclass(frozen=True)
class StreamResult:
    mbps: float  # as the receiver counts
    lost: int  # UDP only
    packets: int  # UDP only


def stream(
    client: Namespace,
    server: Namespace,
    address: str,
    seconds: float = 5,
    reverse: bool = False,
    udp_mbps: float | None = None,
    options: tuple[str, ...] = (),
) -> StreamResult:
    """One iperf3 stream, client to server unless `reverse`; TCP unless `udp_mbps` says a rate."""
    with _iperf_server(server):
        asked = ["iperf3", "-J", "-c", address, "-t", str(seconds), "--repeating-payload"]
        asked += ["-R"] if reverse else []
        asked += ["-u", "-b", f"{udp_mbps}M"] if udp_mbps else []
        done = client.attempt(*asked, *options, timeout=seconds + 60)
    report = _iperf_report(done)
    end = report["end"]
    if udp_mbps:
        total = end["sum"]
        return StreamResult(
            total["bits_per_second"] / 1e6, int(total["lost_packets"]), int(total["packets"])
        )
    return StreamResult(end["sum_received"]["bits_per_second"] / 1e6, 0, 0)


@contextmanager
def _iperf_server(server: Namespace) -> Iterator[None]:
    process = server.spawn("iperf3", "-s", "-1", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: ":5201" in server.run("ss", "-Hltn"), "the iperf3 server to listen")
        yield
    finally:
        process.kill()
        process.communicate()


def _iperf_report(done: subprocess.CompletedProcess[str]) -> dict:
    try:
        report = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise LabError(f"iperf3 said no result: {done.stdout}{done.stderr}") from None
    if "error" in report:
        raise LabError(f"iperf3: {report['error']}")
    return report


def say(speaker: Namespace, listener: Namespace, address: str, text: bytes, times: int) -> int:
    """Sends `text` over one TCP connection; returns how many bytes the listener heard."""
    with listener.entered():
        server = socket.create_server((address, 0), family=_family(address))
    heard = bytearray()

    def listen() -> None:
        connection, _ = server.accept()
        with connection:
            while chunk := connection.recv(65536):
                heard.extend(chunk)

    server.settimeout(60)
    ear = threading.Thread(target=listen, daemon=True)
    ear.start()
    with speaker.entered():
        mouth = socket.create_connection(server.getsockname()[:2], timeout=60)
    with mouth:
        for _ in range(times):
            mouth.sendall(text)
    ear.join(60)
    server.close()
    return len(heard)


def shout(
    speaker: Namespace,
    listener: Namespace,
    address: str,
    payloads: list[bytes],
    per_second: float = 2000,
) -> int:
    """Sends each payload as a UDP datagram, paced; returns how many the listener got, in order."""
    ear = udp_socket(listener, address)
    ear.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    ear.bind((address, 0))
    mouth = udp_socket(speaker, address)
    pause = threading.Event()
    with ear, mouth:
        for payload in payloads:
            mouth.sendto(payload, ear.getsockname()[:2])
            pause.wait(1 / per_second)
        ear.settimeout(5)
        heard = 0
        try:
            for payload in payloads:
                if ear.recv(65535) != payload:
                    break
                heard += 1
        except TimeoutError:
            pass
        return heard


def udp_socket(namespace: Namespace, peer: str) -> socket.socket:
    """Unbound, of the peer's IP version, in the namespace for good."""
    with namespace.entered():
        return socket.socket(_family(peer), socket.SOCK_DGRAM)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
