"""What the demo tells: the link comes up, hosts talk, somebody listens to all of it."""

from dataclasses import dataclass

from .console import Console
from .eavesdropper import EXPECTED_KINDS, Eavesdropper, Report
from .network import HOST_A, HOST_B
from .pair import Pair
from .raw import echo_marked, echo_request, mac, tagged
from .traffic import IPERF_MARKER, MARKER, ping, say, shout, stream

LABELS = {MARKER.decode(): "the marker text", IPERF_MARKER.decode(): "iperf3's pattern"}
MEMORY_LIMIT_MB = 200
TCP_SECONDS = 5


@dataclass
class Findings:
    ping_sent: int = 0
    ping_received: int = 0
    tcp_mbps: float = 0.0

    def ping(self, sent: int, received: int) -> str:
        self.ping_sent += sent
        self.ping_received += received
        return f"{received} of {sent} came back"

    @property
    def ping_loss(self) -> float:
        return 100.0 * (self.ping_sent - self.ping_received) / max(1, self.ping_sent)


class Story:
    def __init__(self, pair: Pair, console: Console):
        self.pair = pair
        self.console = console
        self.network = pair.network
        self.findings = Findings()
        self.failures: list[str] = []

    def run(self, outlives_us: bool) -> Report:
        self.console.title("Two sites, one encrypted link")
        self.console.say("host-a --- site-a ===( wire )=== site-b --- host-b")
        self.console.say()
        with self.pair.eavesdropper() as ears:
            self._start(outlives_us)
            self._control_experiment()
            self._traffic()
            report = ears.report()
        self._show_eavesdropper(report)
        self._show_sites()
        return report

    # --- the link --------------------------------------------------------------------

    def _start(self, outlives_us: bool) -> None:
        with self.console.step("both sites start and shake hands") as step:
            self.pair.start(outlives_us)
            session = self.pair.a.session()
            step.figure = f"{session['suite']}, frames of {session['frame_size']} bytes"

    # --- traffic ---------------------------------------------------------------------

    def _control_experiment(self) -> None:
        """Ears at host A's own cable hear the marker: were it on the wire, we would know."""
        host_a, host_b = self.network.host_a, self.network.host_b
        with (
            self.console.step("host A says a marker text in clear") as step,
            Eavesdropper(self.network.site_a, ["plain"], [MARKER]) as ears,
        ):
            heard = say(host_a, host_b, HOST_B.v4, MARKER, 1000)
            letters = shout(host_a, host_b, HOST_B.v4, [b"%d " % i + MARKER for i in range(100)])
            told = ears.report().plaintext_seen
            step.figure = f"{told} times, as heard on host A's own cable"
            self._expect(heard == 1000 * len(MARKER), f"host B heard {heard} bytes of TCP")
            self._expect(letters == 100, f"host B got {letters} of 100 UDP datagrams")
            self._expect(told >= 1000, "the control experiment did not hear the marker")

    def _traffic(self) -> None:
        a, b = self.network.host_a, self.network.host_b
        self._ping("ping", lambda: ping(a, HOST_B.v4, count=100))
        self._ping("ping over IPv6", lambda: ping(a, HOST_B.v6, count=50))
        self._ping("ping of 5000 bytes, in IPv4 fragments", lambda: ping(a, HOST_B.v4, 20, 5000))
        self._vlan_ping()
        self._tcp()
        self._udp()
        self.network.set_host_mtu(9000)
        self._ping(
            "packets of 9000 bytes, wire of 1500",
            lambda: ping(a, HOST_B.v4, 20, 9000 - 28, options=("-M", "do")),
        )
        self._ping("and back", lambda: ping(b, HOST_A.v4, 20, 9000 - 28, options=("-M", "do")))
        self.network.set_host_mtu(1500)

    def _ping(self, what: str, go) -> None:
        with self.console.step(what) as step:
            result = go()
            step.figure = self.findings.ping(result.sent, result.received)
            if result.milliseconds is not None:
                step.figure += f", {result.milliseconds:.2f} ms"
            self._expect(result.received == result.sent, f"{what}: {result.text}")

    def _vlan_ping(self) -> None:
        with self.console.step("VLAN-tagged ping (802.1Q, 802.1ad, QinQ)") as step:
            packets = [_vlan_ping(number) for number in range(30)]
            came = echo_marked(self.network.host_a, self.network.host_b, "eth0", packets)
            step.figure = self.findings.ping(len(packets), came) + ", byte for byte"
            self._expect(came == len(packets), f"VLAN: {came} of {len(packets)} came back")

    def _tcp(self) -> None:
        a, b = self.network.host_a, self.network.host_b
        with self.console.step("TCP, one stream, A to B") as step:
            self.findings.tcp_mbps = stream(a, b, HOST_B.v4, TCP_SECONDS).mbps
            step.figure = f"{self.findings.tcp_mbps:.0f} Mbit/s"
            self._expect(self.findings.tcp_mbps > 1, "no TCP came through from A to B")
        with self.console.step("TCP, one stream, B to A") as step:
            back = stream(a, b, HOST_B.v4, TCP_SECONDS, reverse=True).mbps
            step.figure = f"{back:.0f} Mbit/s"
            self._expect(back > 1, "no TCP came through from B to A")

    def _udp(self) -> None:
        with self.console.step("UDP, 50 Mbit/s, over IPv6") as step:
            sent = stream(self.network.host_a, self.network.host_b, HOST_B.v6, 3, udp_mbps=50)
            step.figure = f"{sent.packets} datagrams, {sent.lost} lost"
            self._expect(
                sent.packets > 0 and sent.lost <= sent.packets // 100,
                f"UDP: {sent.lost} of {sent.packets} datagrams were lost",
            )

    # --- what was seen ----------------------------------------------------------------

    def _show_eavesdropper(self, report: Report) -> None:
        missed = "none missed" if not report.missed else f"{report.missed:,} MISSED"
        self.console.title(f"What an eavesdropper on the wire saw: {report.packets:,} packets, {missed}")
        rows = [
            (f"data frames of {size} bytes", f"{count:,}")
            for size, count in sorted(report.data_sizes.items())
        ]
        shake = [f"handshake message {kind}" for kind in sorted(report.handshakes)]
        rows += zip(shake, (f"{report.handshakes[kind]:,}" for kind in sorted(report.handshakes)))
        rows += [(kind, f"{report.expected.get(kind, 0):,}") for kind in EXPECTED_KINDS]
        rows += [(kind, f"{count:,}") for kind, count in sorted(report.else_seen.items())]
        rows += [("anything else", "0")] if not report.else_seen else []
        rows += [(f"{LABELS[text]} in clear", f"{count:,}") for text, count in report.markers.items()]
        self.console.table(rows)
        self._expect(not report.missed, f"the eavesdropper missed {report.missed} packets")
        self._expect(len(report.data_sizes) == 1, f"frames of sizes {sorted(report.data_sizes)}")
        self._expect(not report.else_seen, f"on the wire there was also {report.else_seen}")
        self._expect(not report.plaintext_seen, "text in clear was on the wire")
        self._expect(set(report.handshakes) == {1, 2, 3, 4}, "not all handshake messages seen")

    def _show_sites(self) -> None:
        self.console.title("The two sites")
        rows = [("site", f"memory (limit {MEMORY_LIMIT_MB})", "sealed", "opened", "dropped", "books")]
        self.pair.check_books()
        for site in self.pair.sites:
            tally, memory = site.counters(), site.memory_megabytes()
            drops = sum(tally.dropped().values())
            rows.append(
                (site.config.name, f"{memory:.0f} MB", f"{tally['frames_sealed']:,}",
                 f"{tally['frames_opened']:,}", f"{drops:,}", "balanced")
            )  # fmt: skip
            self._expect(
                memory < MEMORY_LIMIT_MB, f"{site.config.name} holds {memory:.0f} MB of memory"
            )
        self.console.table(rows)
        self.console.say()
        for site in self.pair.sites:
            if dropped := site.counters().dropped():
                reasons = ", ".join(f"{name} {count:,}" for name, count in dropped.items())
                self.console.say(f"{site.config.name} dropped: {reasons}")

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.failures.append(otherwise)


def _vlan_ping(number: int) -> bytes:
    """In turn under one tag of either type, and under both."""
    packet = echo_request(mac(HOST_B.mac), mac(HOST_A.mac), number, MARKER)
    for tpid, tci in ([(0x8100, 42)], [(0x88A8, 7)], [(0x8100, 42), (0x88A8, 7)])[number % 3]:
        packet = tagged(packet, tpid, tci)
    return packet
