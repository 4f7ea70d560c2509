"""A path that carries less than the wires at its ends, and tells nobody."""

import hashlib
import random
import socket
import threading

from .datagram import find_udp
from .namespaces import Namespace
from .network import Network

PATH_PROBE = 6


class Narrow:
    """Drops longer IPv4 packets in the wire, both ways, without ICMP. Widths are of IP packets."""

    def __init__(self, network: Network, width: int):
        self._wire = network.wire
        self.set(width)

    def set(self, width: int) -> None:
        """At once: there is no moment without the rule."""
        chains = "".join(
            f"chain {port.replace('-', '_')} {{ type filter hook ingress device {port} priority 0;"
            f" ip length > {width} drop\n }}\n"
            for port in ("port-a", "port-b")
        )
        table = "table netdev narrow"
        self._wire.run("nft", f"{table}\ndelete {table}\n{table} {{ {chains} }}")


def is_probe(packet: bytes) -> bool:
    """Or an answer to one."""
    found = find_udp(packet)
    return bool(found) and packet[found.payload_at : found.payload_at + 1] == bytes([PATH_PROBE])


def carry(speaker: Namespace, listener: Namespace, address: str, size: int = 1 << 20) -> bool:
    """Whether that much comes out of a TCP connection as it went in."""
    sent = random.Random(size).randbytes(size)
    heard = hashlib.sha256()
    with listener.entered():
        server = socket.create_server((address, 0))
    server.settimeout(60)

    def listen() -> None:
        connection, _ = server.accept()
        with connection:
            while chunk := connection.recv(65536):
                heard.update(chunk)

    ear = threading.Thread(target=listen, daemon=True)
    ear.start()
    with speaker.entered():
        mouth = socket.create_connection(server.getsockname()[:2], timeout=60)
    with mouth:
        mouth.sendall(sent)
    ear.join(60)
    server.close()
    return heard.digest() == hashlib.sha256(sent).digest()
