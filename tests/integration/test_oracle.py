"""The protocol's second implementation (tests/oracle) in place of site B."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vectors"))

pytest.register_assert_rewrite("oracle_ground")
pytest_plugins = ["oracle_ground"]

import make_handshake
import make_pipes
import make_reports
from lab.raw import ETHERTYPE_LAB, ethernet, mac
from oracle_ground import NAMES, shake
from oracle import blocks
from oracle.suites import suite

HOST, FAR = mac("02:00:00:00:0a:01"), mac("02:1a:b0:1a:b0:07")


@pytest.mark.parametrize("row", make_handshake.ROWS, ids=lambda row: row.name)
def test_the_vectors_are_the_oracles(row):
    written = make_handshake.HERE / make_handshake.file_name(row)
    assert written.read_text() == make_handshake.text(row), "run tests/vectors/make_handshake.py"


def test_the_reports_are_the_oracles():
    assert make_reports.FILE.read_text() == make_reports.text(), "run tests/vectors/make_reports.py"


def test_the_vectors_of_pipes_are_the_oracles():
    assert make_pipes.FILE.read_text() == make_pipes.text(), "run tests/vectors/make_pipes.py"


# --- with a real site -------------------------------------------------------------------------
def packets(sizes, source):
    return [
        ethernet(HOST if source == FAR else FAR, source, ETHERTYPE_LAB, bytes([n]) * (size - 14))
        for n, size in enumerate(sizes)
    ]


def is_lab(packet):
    return packet[12:14] == ETHERTYPE_LAB.to_bytes(2, "big")


SIZES = [60, 61, 1400, 1514, 64, 9014, 100, 1438, 1439, 1440, 5000, 60]


def exchange_packets(beta, host):
    """What goes in at the plain port comes out of the oracle's open, and the other way round."""
    outward = packets(SIZES, HOST)
    for packet in outward:
        host.send(packet)
    heard = []

    def all_heard():
        heard[:] = [b.data for b in beta.heard if b.kind == blocks.ETHERNET and is_lab(b.data)]
        return len(heard) >= len(outward)

    beta.until(all_heard, "every packet")
    assert heard == outward
    beta.heard.clear()

    host.drain()
    inward = packets(SIZES, FAR)
    beta.send(*(blocks.Block(blocks.ETHERNET, packet) for packet in inward))
    assert host.collect(lambda packet: packet[6:12] == FAR, len(inward)) == inward
    assert beta.dropped == []


@pytest.mark.parametrize("role", ["responder", "initiator", "initiator inside"])
@pytest.mark.parametrize("name", NAMES)
def test_a_session_of_every_suite_carries_packets(alpha, beta, host, name, role):
    shake(beta, alpha, role, suite(name))
    exchange_packets(beta, host)
    assert alpha.session()["failed_opens"] == 0
