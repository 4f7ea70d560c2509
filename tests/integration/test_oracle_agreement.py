"""What the oracle and a site agree on, and what they refuse each other; odd but good frames."""

import os
from dataclasses import replace

import pytest

pytest.register_assert_rewrite("oracle_ground", "oracle_witness")
pytest_plugins = ["oracle_ground"]

from lab.errors import wait_until
from lab.raw import ETHERTYPE_LAB, ethernet, mac
from oracle_ground import shake
from oracle_witness import Counted, answer, next_letter, next_message, rekey, take_up
from oracle import blocks, keys
from oracle import messages as m
from oracle.cookie import Inside
from oracle.identity import Identity
from oracle.initiator import Initiator
from oracle.parameters import KIND_3, Agreement, Parameters, Reason
from oracle.suites import suite
from oracle.verdicts import Agreed, Refused

SUITE = suite("X25519-AES256_CTR-SHA256")
HOST, FAR = mac("02:00:00:00:0a:01"), mac("02:1a:b0:1a:b0:07")


class Stubborn(Parameters):
    """Writes what it says, whatever the suite has."""

    def for_suite(self, suite):
        return self


REFUSED = {
    "no lanes": ({"lanes": 0}, Reason.PARAMETERS),
    "65 lanes": ({"lanes": 65}, Reason.PARAMETERS),
    "SPI base 0": ({"spi_base": 0}, Reason.PARAMETERS),
    "an odd SPI base": ({"spi_base": 65}, Reason.PARAMETERS),
    "flag 1": ({"flags": 0x02}, Reason.PARAMETERS),
    "flag 6": ({"flags": 0x40 | KIND_3}, Reason.PARAMETERS),
    "tag 11": ({"tag": 11, "min_tag": 11}, Reason.PARAMETERS),
    "tag 33": ({"tag": 33}, Reason.PARAMETERS),
    "min_tag 11": ({"min_tag": 11}, Reason.PARAMETERS),
    "min_tag over tag": ({"tag": 16, "min_tag": 17}, Reason.PARAMETERS),
    "a frame of 255": ({"frame": 255}, Reason.PARAMETERS),
    "a frame of 9001": ({"frame": 9001}, Reason.PARAMETERS),
    "shaping": ({"shaping": 1}, Reason.SHAPING),
    "a tag that A's is under": ({"tag": 32, "min_tag": 21}, Reason.TAG),
}


def odd(beta, fields):
    return replace(Stubborn(**vars(beta.next_wishes())), **fields)


@pytest.mark.parametrize("name", REFUSED)
def test_a_site_refuses_it_in_message_4(alpha, mallory, name):
    fields, reason = REFUSED[name]
    before = Counted.of(alpha)
    one = Initiator(mallory.starts, [SUITE], odd(mallory, fields), os.urandom)
    mallory.send_raw(one.message_1)
    mallory.send_raw(one.receive(next_message(mallory, 2)).message)
    assert one.receive(next_message(mallory, 4)) == Refused(reason)
    assert set(Counted.of(alpha).sessions) <= set(before.sessions)


@pytest.mark.parametrize("name", ["no lanes", "shaping", "a tag that A's is under"])
def test_a_site_ends_its_attempt_over_it(alpha, mallory, monkeypatch, name):
    """The oracle says yes to everything; A does not."""
    monkeypatch.setattr("oracle.responder.agree", lambda *sides: Agreement(16, 1472))
    failed, before = alpha.link()["handshakes_failed"], Counted.of(alpha)
    message_1 = rekey(alpha, mallory, SUITE)
    mallory.responder.wishes = odd(mallory, REFUSED[name][0])
    mallory.send_message(answer(mallory, message_1).message, message_1.route)
    mallory.send_message(answer(mallory, next_letter(mallory, 3)).message, message_1.route)
    wait_until(lambda: alpha.link()["handshakes_failed"] == failed + 1, "A to end it", 20)
    assert set(Counted.of(alpha).sessions) <= set(before.sessions)


def test_a_site_without_identities_refuses_one_in_message_3(alpha, mallory):
    """By a message 2, before any Diffie-Hellman."""
    before = Counted.of(alpha)
    one = Initiator(
        mallory.starts, [SUITE], mallory.next_wishes(), os.urandom,
        identity=Identity(os.urandom(32), os.urandom(32)),
    )  # fmt: skip
    mallory.send_raw(one.message_1)
    mallory.send_raw(one.receive(next_message(mallory, 2)).message)
    assert one.receive(next_message(mallory, 2)) == Refused(Reason.IDENTITY)
    assert Counted.of(alpha).refused_since(before) == {"bad_identity": 1}
    assert set(Counted.of(alpha).sessions) <= set(before.sessions)


def test_a_site_without_identities_ends_its_attempt_over_one(alpha, mallory, monkeypatch):
    monkeypatch.setattr("oracle.responder.Responder._wrong_identity", lambda *_: None)
    identity = Identity(os.urandom(32), os.urandom(32))
    monkeypatch.setattr(mallory.responder, "identity", identity)
    failed, before = alpha.link()["handshakes_failed"], Counted.of(alpha)
    message_1 = rekey(alpha, mallory, SUITE)
    mallory.send_message(answer(mallory, message_1).message, message_1.route)
    mallory.send_message(answer(mallory, next_letter(mallory, 3)).message, message_1.route)
    wait_until(lambda: alpha.link()["handshakes_failed"] == failed + 1, "A to end it", 20)
    assert "the far side shows an identity and none is configured" in alpha.link()["reason"]
    assert set(Counted.of(alpha).sessions) <= set(before.sessions)


@pytest.mark.parametrize("role", ["responder", "initiator"])
@pytest.mark.parametrize(
    ("wished", "agreed"),
    [
        ({"tag": 12}, (12, 1472)),
        ({"tag": 17, "min_tag": 16, "frame": 9000}, (17, 1472)),
        ({"tag": 32, "min_tag": 20, "frame": 1001}, (20, 1001)),
        ({"frame": 256}, (16, 256)),
    ],
)
def test_tag_and_frame_are_the_smaller_of_both(alpha, beta, host, role, wished, agreed):
    beta.wishes = Parameters(**wished)
    beta.responder.wishes = beta.next_wishes()
    session = shake(beta, alpha, role, SUITE)
    assert (session.agreed.tag, session.agreed.frame) == agreed
    carries(beta, host, packets(60, 1514, 5000))


def test_a_rekey_of_a_site_comes_inside_its_session(alpha, mallory):
    message_1 = rekey(alpha, mallory, SUITE)
    assert message_1.route == Inside(mallory.sessions[-1].session.id)
    mallory.send_message(answer(mallory, message_1).message, message_1.route)
    message_3 = next_letter(mallory, 3)
    assert message_3.route == message_1.route
    verdict = answer(mallory, message_3)
    mallory.send_message(verdict.message, message_3.route)
    take_up(mallory, verdict.session)


def test_zeros_are_not_examined(alpha, mallory):
    """In messages, under a good MAC: a later version may use them."""
    one = Initiator(mallory.starts, [SUITE], mallory.next_wishes(), os.urandom)
    body = one.message_1[:78] + os.urandom(m.BODY - 78)
    one.message_1 = m.with_mac(mallory.starts.k1, body)
    one.h1 = keys.sha256(one.message_1)
    mallory.send_raw(one.message_1)
    three = one.receive(next_message(mallory, 2)).message
    body = three[:540] + os.urandom(m.BODY - 540)
    three = m.with_h(one.nonce_keys.dhmac_i, one.t2, body)
    one.t3 = m.transcript(one.t2, three)
    mallory.send_raw(three)
    verdict = one.receive(next_message(mallory, 4))
    assert isinstance(verdict, Agreed)
    take_up(mallory, verdict.session)


# --- frames -----------------------------------------------------------------------------------
def packets(*sizes):
    return [
        ethernet(HOST, FAR, ETHERTYPE_LAB, bytes([n + 1]) * (size - 14))
        for n, size in enumerate(sizes)
    ]


def carries(beta, host, sent):
    host.drain()
    beta.send(*(blocks.Block(blocks.ETHERNET, packet) for packet in sent))
    arrives(host, sent)


def arrives(host, sent):
    assert host.collect(lambda packet: packet[6:12] == FAR, len(sent)) == sent


def test_blocks_of_unknown_kinds_are_skipped_and_counted(alpha, beta, host):
    shake(beta, alpha, "initiator", SUITE)
    before, [first, second] = alpha.counters(), packets(100, 200)
    host.drain()
    beta.send(
        blocks.Block(9, b"x" * 50),
        blocks.Block(blocks.ETHERNET, first),
        blocks.Block(255, b"y" * 3000),
        blocks.Block(blocks.CONTROL, b""),
        blocks.Block(blocks.ETHERNET, second),
    )
    arrives(host, [first, second])
    assert alpha.counters().since(before).dropped() == {"unknown_kind": 2}


def test_control_blocks_that_say_nothing_known(alpha, beta):
    """Of another sort, or a handshake message of another length."""
    shake(beta, alpha, "initiator", SUITE)
    before = alpha.counters()
    said = [b"\0", b"\2" + bytes(1024), b"\1", b"\1" + bytes(1023), b"\1" + bytes(1025)]
    beta.send(*(blocks.Block(blocks.CONTROL, one) for one in said))
    wait_until(
        lambda: alpha.counters().since(before).dropped() == {"bad_control": len(said)}, "the count"
    )


@pytest.mark.parametrize("names_the_padding", [False, True])
def test_padding_behind_a_block_that_continued(alpha, beta, host, names_the_padding):
    """`first` may be where the padding begins, or the payload's length."""
    shake(beta, alpha, "initiator", SUITE)
    before, sent = alpha.counters(), packets(2000)
    sealer = beta.sessions[-1].sealer
    head, tail = blocks.pack([blocks.Block(blocks.ETHERNET, sent[0])], sealer.text_size)
    end = 2004 - (sealer.text_size - blocks.PROLOGUE)
    room = sealer.text_size - blocks.PROLOGUE
    tail = (end if names_the_padding else room).to_bytes(2, "big") + tail[2:]
    host.drain()
    for text in (head, tail):
        beta.send_raw(sealer.seal(text))
    arrives(host, sent)
    assert alpha.counters().since(before).dropped() == {}


@pytest.mark.parametrize("prologue", [b"\0\0\0\1", b"\0\0\x80\0", b"\xff\xff\0\0"])
def test_a_prologue_against_the_rules(alpha, beta, host, prologue):
    shake(beta, alpha, "initiator", SUITE)
    before, sealer = alpha.counters(), beta.sessions[-1].sealer
    [text] = blocks.pack([blocks.Block(blocks.ETHERNET, *packets(60))], sealer.text_size)
    host.drain()
    beta.send_raw(sealer.seal(prologue + text[4:]))
    carries(beta, host, packets(70))
    assert alpha.counters().since(before).dropped() == {"bad_prologue": 1}


def test_frames_on_every_lane(alpha, beta, host):
    beta.wishes = Parameters(lanes=64)
    session = shake(beta, alpha, "initiator", SUITE)
    assert alpha.session()["lanes_in"] == 64
    host.drain()
    for lane, packet in enumerate(sent := packets(*range(60, 60 + 64))):
        sealer = beta.sessions[-1].sealer if lane == 0 else session.sealer(lane)
        [text] = blocks.pack([blocks.Block(blocks.ETHERNET, packet)], sealer.text_size)
        beta.send_raw(sealer.seal(text))
    came = host.collect(lambda packet: packet[6:12] == FAR, len(sent))
    assert sorted(came) == sorted(sent)
