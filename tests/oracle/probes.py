"""Path probes (protocol.md, section 7): the far side's are answered, and ours sent."""

from dataclasses import dataclass, field

from .blocks import BLOCK_HEADER, CONTROL, PROLOGUE, Block
from .frames import HEADER, FrameDropped, Opener, Sealer
from .session import Session

PROBE, ANSWER = 5, 6  # the first byte of the control block
ANSWER_SIZE = 256  # the least that a frame may have


@dataclass(frozen=True)
class Probe:
    kind: int
    id: int
    size: int

    def text(self, size: int) -> bytes:
        data = bytes([self.kind]) + self.id.to_bytes(8, "big") + self.size.to_bytes(2, "big")
        return (bytes(PROLOGUE) + Block(CONTROL, data).encode()).ljust(size, b"\0")

    @staticmethod
    def read(text: bytes) -> "Probe":
        block = text[PROLOGUE : PROLOGUE + BLOCK_HEADER + 11]
        id, size = int.from_bytes(block[5:13], "big"), int.from_bytes(block[13:], "big")
        found = Probe(block[4], id, size)
        if found.text(len(text)) != text or found.kind not in (PROBE, ANSWER):
            raise FrameDropped("not a probe")
        return found


@dataclass
class Prober:
    """Of one session. Answers what is no longer than `carries`, as if the path lost the rest."""

    sealer: Sealer
    opener: Opener
    carries: int = 9000
    asked: list[int] = field(default_factory=list)  # sizes, of the far side's probes that came
    answered: list[Probe] = field(default_factory=list)  # by the far side

    @staticmethod
    def of(session: Session, carries: int) -> "Prober":
        return Prober(session.probe_sealer(), session.probe_opener(), carries)

    def seal(self, probe: Probe, size: int) -> bytes:
        self.sealer.frame_size = size
        return self.sealer.seal(probe.text(size - HEADER - self.sealer.tag))

    def ask(self, id: int, size: int) -> bytes:
        return self.seal(Probe(PROBE, id, size), size)

    def take(self, packet: bytes) -> bytes | None:
        """The answer to send, if there is one; or FrameDropped."""
        if len(packet) > self.carries:
            return None
        self.opener.frame_size = len(packet)
        probe = Probe.read(self.opener.open(packet))
        if probe.kind == ANSWER:
            self.answered.append(probe)
            return None
        if probe.size != len(packet):
            raise FrameDropped("another size")
        self.asked.append(probe.size)
        return self.seal(Probe(ANSWER, probe.id, probe.size), ANSWER_SIZE)
