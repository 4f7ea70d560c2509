"""A packet of the wire taken apart: Ethernet, IPv4 or IPv6, UDP, and what a site put inside."""

from dataclasses import dataclass

UDP_PORT = 7670
DATA_FRAME = 5
FRAME_HEADER = 16
NEIGHBOUR_DISCOVERY = range(133, 138)  # ICMPv6 types, RFC 4861


@dataclass(frozen=True)
class Datagram:
    """Where the UDP payload of a packet begins, and where it should end."""

    payload_at: int
    payload_length: int
    source_port: int
    destination_port: int


def find_udp(packet: bytes) -> Datagram | None:
    """Reads headers only: the packet may be cut off behind the first payload byte."""
    ethertype = packet[12:14]
    if ethertype == b"\x08\x00" and packet[23:24] == b"\x11":
        at = 14 + 4 * (packet[14] & 15)
        if int.from_bytes(packet[20:22], "big") & 0x1FFF:
            return None  # a later fragment has no UDP header
    elif ethertype == b"\x86\xdd" and packet[20:21] == b"\x11":
        at = 54
    else:
        return None
    source, destination, length = (
        int.from_bytes(packet[at + i : at + i + 2], "big") for i in (0, 2, 4)
    )
    return Datagram(at + 8, length - 8, source, destination)


def is_data_frame(packet: bytes) -> bool:
    found = find_udp(packet)
    return bool(
        found
        and found.destination_port == UDP_PORT
        and packet[found.payload_at : found.payload_at + 1] == bytes([DATA_FRAME])
    )


def classify(packet: bytes) -> str:
    """A word for what an eavesdropper can tell without any key. Headers suffice."""
    ethertype = int.from_bytes(packet[12:14], "big")
    if ethertype == 0x0806:
        return "arp"
    if ethertype == 0x86DD and packet[20:21] == b"\x3a":
        kind = packet[54] if len(packet) > 54 else -1
        return "neighbour discovery" if kind in NEIGHBOUR_DISCOVERY else f"icmpv6 type {kind}"
    found = find_udp(packet)
    if found is None:
        protocol = {0x0800: packet[23:24], 0x86DD: packet[20:21]}.get(ethertype)
        return f"ethertype 0x{ethertype:04x}" + (f" protocol {protocol[0]}" if protocol else "")
    if ethertype == 0x0800 and int.from_bytes(packet[20:22], "big") & 0x3FFF:
        return "ip fragment"
    if UDP_PORT not in (found.source_port, found.destination_port):
        return f"udp port {found.destination_port}"
    kind = packet[found.payload_at] if len(packet) > found.payload_at else -1
    if kind == DATA_FRAME:
        return "data"
    return f"handshake {kind}" if 1 <= kind <= 4 else f"penstock type {kind}"


def checksum(data: bytes) -> int:
    """RFC 1071."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(padded[i : i + 2], "big") for i in range(0, len(padded), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
