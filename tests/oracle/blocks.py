"""Packets in frames (protocol.md, section 7, "Plaintext")."""

from dataclasses import dataclass, field
from collections.abc import Iterable, Iterator

PADDING, ETHERNET, IP, VIRTIO_NET, CONTROL = range(5)
PROLOGUE = 4  # be16 first, be16 flags
BLOCK_HEADER = 4  # u8 kind, be24 length


class Nonsense(Exception):
    """A plaintext that no sender may write; the argument says what is wrong."""


@dataclass(frozen=True)
class Block:
    kind: int
    data: bytes

    def encode(self) -> bytes:
        return bytes([self.kind]) + len(self.data).to_bytes(3, "big") + self.data


def pack(blocks: Iterable[Block], text_size: int) -> list[bytes]:
    """Plaintexts of `text_size` bytes that hold all the blocks, the last one padded; one of
    padding alone when there are none."""
    room = text_size - PROLOGUE
    payloads: list[tuple[int | None, bytes]] = [(None, b"")]
    for block in blocks:
        if room - len(payloads[-1][1]) < BLOCK_HEADER:
            payloads.append((None, b""))
        first, payload = payloads[-1]
        payloads[-1] = (len(payload) if first is None else first, payload)
        rest = block.encode()
        while rest:
            first, payload = payloads[-1]
            taken, rest = rest[: room - len(payload)], rest[room - len(payload) :]
            payloads[-1] = (first, payload + taken)
            if rest:
                payloads.append((None, b""))
    return [
        (room if first is None else first).to_bytes(2, "big") + b"\0\0" + payload.ljust(room, b"\0")
        for first, payload in payloads
    ]


@dataclass
class Unpacker:
    """Of one SA: is fed plaintexts in sequence order, without gaps."""

    _rest: bytearray = field(default_factory=bytearray)  # of a block that continues
    _missing: int = 0
    _kind: int = PADDING

    def feed(self, text: bytes) -> Iterator[Block]:
        """The blocks that end in this plaintext, unknown kinds included."""
        first, flags = int.from_bytes(text[:2], "big"), int.from_bytes(text[2:4], "big")
        payload = text[PROLOGUE:]
        if flags:
            raise Nonsense("flags")
        if first > len(payload):
            raise Nonsense("first is beyond the payload")
        yield from self._continue(payload[:first], first == len(payload))
        if first < len(payload):
            yield from self._blocks(payload[first:])

    def _continue(self, start: bytes, is_all: bool) -> Iterator[Block]:
        """What stands before the first block belongs to the one that began earlier."""
        if not is_all and len(start) != self._missing:
            raise Nonsense("first does not meet the end of the block before it")
        taken = start[: self._missing]
        if any(start[len(taken) :]):
            raise Nonsense("padding is not zeros")
        yield from self._take(taken)

    def _blocks(self, payload: bytes) -> Iterator[Block]:
        while len(payload) >= BLOCK_HEADER and payload[0] != PADDING:
            self._kind, self._missing = payload[0], int.from_bytes(payload[1:4], "big")
            if self._missing == 0:
                yield Block(self._kind, b"")
            data = payload[BLOCK_HEADER : BLOCK_HEADER + self._missing]
            payload = payload[BLOCK_HEADER + len(data) :]
            yield from self._take(data)
        if any(payload):
            raise Nonsense("padding is not zeros")

    def _take(self, data: bytes) -> Iterator[Block]:
        if not self._missing:
            return
        self._rest += data
        self._missing -= len(data)
        if self._missing == 0:
            yield Block(self._kind, bytes(self._rest))
            self._rest.clear()
