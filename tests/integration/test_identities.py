"""Identities: who holds the shared key alone poses as neither site."""

import hashlib
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

pytest.register_assert_rewrite("oracle_ground", "oracle_witness")
pytest_plugins = ["oracle_ground"]

from lab import memory
from lab.errors import wait_until
from lab.network import HOST_B
from lab.programs import program
from lab.raw import ETHERTYPE_LAB, ethernet, mac
from lab.site import CONTROL_PLANE, command_name, descendants
from lab.traffic import BackgroundPing, ping
from oracle_ground import shake
from oracle_witness import (
    Counted, answer, next_letter, next_message, rekey, take_up, with_fields_2, with_offer,
)  # fmt: skip
from oracle import blocks, keys
from oracle import messages as m
from oracle.endpoint import Silence
from oracle.identity import Identity
from oracle.initiator import Initiator
from oracle.parameters import Reason
from oracle.suites import suite
from oracle.verdicts import Refused

SUITE = suite("X25519-AES256_GCM")
HOST, FAR = mac("02:00:00:00:0a:01"), mac("02:1a:b0:1a:b0:07")


@pytest.fixture(scope="module")
def oracles_identity():
    return os.urandom(32)


# --- agreement --------------------------------------------------------------------------------
@pytest.mark.parametrize("role", ["responder", "initiator", "initiator inside"])
@pytest.mark.parametrize("name", ["X25519-AES256_CTR-SHA256", "MODP2048-AES256_CTR-SHA256"])
def test_two_who_know_each_other_make_a_session(alpha, beta, host, name, role):
    session = shake(beta, alpha, role, suite(name))
    assert session.theirs.identity[:32] == beta.identity.peer
    packet = ethernet(HOST, FAR, ETHERTYPE_LAB, b"\1" * 86)
    host.drain()
    beta.send(blocks.Block(blocks.ETHERNET, packet))
    assert host.collect(lambda one: one[6:12] == FAR, 1) == [packet]


# --- with the shared key, and not with the identity -------------------------------------------
@dataclass(frozen=True)
class Liar(Identity):
    """Shows the key of somebody, whose signature it cannot make."""

    claims: bytes = b""

    @property
    def public(self) -> bytes:
        return self.claims


class Replayer(Identity):
    """Has a signature of the right key, over another transcript."""

    def shown_by_i(self, t2, head):
        return super().shown_by_i(os.urandom(32), head)

    def shown_by_r(self, t3, head):
        return super().shown_by_r(os.urandom(32), head)


class Swapper(Identity):
    """Has a signature of the right key over all this, made in the other role."""

    def shown_by_i(self, t2, head):
        return super().shown_by_r(t2, head)

    def shown_by_r(self, t3, head):
        return super().shown_by_i(t3, head)


class Relay(Identity):
    """Has a signature of the right key over another message of this transcript."""

    def shown_by_i(self, t2, head):
        return super().shown_by_i(t2, head[:-1] + b"x")

    def shown_by_r(self, t3, head):
        return super().shown_by_r(t3, head[:-1] + b"x")


NO_SIGNATURE = "the far side's signature does not hold"
POSERS = {
    "none": (lambda ours: None, "the far side shows no identity"),
    "another": (
        lambda ours: Identity(os.urandom(32), ours.peer),
        "the far side shows another identity than peer_identity",
    ),
    "A's own": (
        lambda ours: Liar(os.urandom(32), ours.peer, claims=ours.peer),
        "the far side shows another identity than peer_identity",
    ),
    "unsigned": (lambda ours: Liar(os.urandom(32), ours.peer, claims=ours.public), NO_SIGNATURE),
    "for another site": (lambda ours: Identity(ours.private, os.urandom(32)), NO_SIGNATURE),
    "replayed": (lambda ours: Replayer(ours.private, ours.peer), NO_SIGNATURE),
    "of the other role": (lambda ours: Swapper(ours.private, ours.peer), NO_SIGNATURE),
    "of another message": (lambda ours: Relay(ours.private, ours.peer), NO_SIGNATURE),
}


def poser(mallory, name):
    make, reason = POSERS[name]
    return make(mallory.identity), reason


def attempt_as(mallory, identity):
    """Up to its message 3."""
    one = Initiator(
        mallory.starts, [SUITE], mallory.next_wishes(), os.urandom, identity=identity
    )
    mallory.letters.clear()
    mallory.send_raw(one.message_1)
    return one, one.receive(answer_to(mallory, one)).message


def answer_to(mallory, one, seconds=20.0):
    """The next message of this handshake, whatever else still comes."""
    starts = (b"\2\1\0\0" + one.h1, b"\4\1\0\0" + one.nonce_i)

    def ours():
        return [letter.message for letter in mallory.letters if letter.message.startswith(starts)]

    mallory.until(ours, "an answer", seconds)
    found = ours()[0]
    mallory.letters.clear()
    return found


@pytest.mark.parametrize("name", POSERS)
def test_a_holder_of_the_key_cannot_pose_as_initiator(alpha, mallory, name):
    identity, reason = poser(mallory, name)
    before = Counted.of(alpha)
    one, message_3 = attempt_as(mallory, identity)
    mallory.send_raw(message_3)
    assert one.receive(answer_to(mallory, one)) == Refused(Reason.IDENTITY)
    after = Counted.of(alpha)
    assert after.refused_since(before) == {"bad_identity": 1}
    assert set(after.sessions) <= set(before.sessions)
    assert after.completed == before.completed
    assert f"refused here: {reason}" in alpha.log()  # at most once a minute


@pytest.mark.parametrize("name", POSERS)
def test_a_holder_of_the_key_cannot_pose_as_responder(alpha, mallory, monkeypatch, name):
    """It agrees to whatever A shows; A does not."""
    identity, reason = poser(mallory, name)
    monkeypatch.setattr("oracle.responder.Responder._wrong_identity", lambda *_: None)
    monkeypatch.setattr(mallory.responder, "identity", identity)
    failed, before = alpha.link()["handshakes_failed"], Counted.of(alpha)
    message_1 = rekey(alpha, mallory, SUITE)
    mallory.send_message(answer(mallory, message_1).message, message_1.route)
    mallory.send_message(answer(mallory, next_letter(mallory, 3)).message, message_1.route)
    link = wait_until(
        lambda: (one := alpha.link())["handshakes_failed"] > failed and one, "A to end it", 20
    )
    assert f"refused here: {reason}" in link["reason"]
    assert set(Counted.of(alpha).sessions) <= set(before.sessions)


def test_an_offer_stripped_with_the_whole_key(alpha, mallory):
    """In the middle, with every MAC made anew: what makes a downgrade without identities."""
    offer = [suite("X25519-AES256_CTR-SHA384"), SUITE]
    one = Initiator(
        mallory.starts, offer, mallory.next_wishes(), os.urandom, identity=mallory.identity
    )
    stripped = with_offer(one.message_1, offer[1:], mallory.starts.k1)
    mallory.send_raw(stripped)
    two = next_message(mallory, 2)
    believed = with_fields_2(two, mallory.starts.k2, h1=keys.sha256(one.message_1))
    three = m.Message3.decode(one.receive(believed).message)
    fitting = replace(three, h1=keys.sha256(stripped), sealed=b"")
    sealed = keys.seal_once(one.nonce_keys.k3, fitting.before_sealed(), one.ours.encode())
    t2 = m.transcript(fitting.h1, two)
    body = replace(fitting, sealed=sealed).body()
    before = Counted.of(alpha)
    mallory.send_raw(m.with_h(one.nonce_keys.dhmac_i, t2, body))
    said = m.Message2.decode(next_message(mallory, 2))
    assert (said.suite, said.reason) == (0, Reason.IDENTITY)
    assert Counted.of(alpha).refused_since(before) == {"bad_identity": 1}
    assert f"refused here: {NO_SIGNATURE}" in alpha.log()


def test_an_identity_that_the_far_side_refuses_is_a_reason(alpha, mallory):
    """A starts; R says in a message 2 that it takes another identity for A's."""
    failed = alpha.link()["handshakes_failed"]
    message_1 = rekey(alpha, mallory, SUITE)
    mallory.send_message(answer(mallory, message_1).message, message_1.route)
    message_3 = next_letter(mallory, 3)
    mallory.responder.identity = Identity(mallory.identity.private, os.urandom(32))
    refusal = answer(mallory, message_3)
    mallory.responder.identity = mallory.identity
    mallory.send_message(refusal.message, message_3.route)
    link = wait_until(
        lambda: (one := alpha.link())["handshakes_failed"] > failed and one, "A to end it", 20
    )
    assert "refused by the far side: the identities do not fit" in link["reason"]


def test_signatures_are_checked_ten_times_a_second(alpha, mallory):
    """More of them are dropped unread, and those with the right identity pass again soon."""
    identity, _ = poser(mallory, "unsigned")
    time.sleep(1.1)  # for what the tests before have spent
    before = Counted.of(alpha)
    _, message_3 = attempt_as(mallory, identity)
    mallory.letters.clear()
    began = time.monotonic()
    sent = 60
    for _ in range(sent):
        mallory.send_raw(message_3)
    counts = wait_until(
        lambda: sum((some := Counted.of(alpha).refused_since(before)).values()) >= sent and some,
        "all to be counted",
    )
    most = 10 + 10 * (time.monotonic() - began)
    assert 10 <= counts["bad_identity"] <= most
    assert counts == {"bad_identity": counts["bad_identity"]} | (
        {"too_many": sent - counts["bad_identity"]} if counts["bad_identity"] < sent else {}
    )
    wait_until(lambda: is_taken(mallory), "a check for the rightful one", 20)


def is_taken(mallory):
    one, message_3 = attempt_as(mallory, mallory.identity)
    mallory.send_raw(message_3)
    try:
        four = answer_to(mallory, one, 1.0)
    except Silence:
        return False  # too many, still
    take_up(mallory, one.receive(four).session)
    return True


# --- two sites ------------------------------------------------------------------------------
@pytest.fixture
def acquainted(fresh):
    """Both sites set up as operations.md says."""
    pair = fresh()
    introduce(pair)
    return pair


def introduce(pair):
    lines = {}
    for site in pair.sites:
        file = str(pair.directory / f"{site.config.name}.identity")
        said = pair.network.wire.run(program("penstock"), "identity", "new", file)
        site.config.site["identity_file"] = file
        lines[site.config.name] = said.splitlines()[-1].removeprefix('peer_identity = "')[:-1]
    for site in pair.sites:
        site.config.link["peer_identity"] = lines[site.config.peer]
        site.write_config()
        checked = pair.network.wire.run(program("penstock"), "check", str(site.config_file))
        assert f"identity  {lines[site.config.name]}" in checked
        assert f"proves to be {lines[site.config.peer]}" in checked


def test_two_sites_and_one_that_lost_its_identity(acquainted):
    acquainted.start().wait_up()
    assert ping(acquainted.network.host_a, HOST_B.v4).loss_percent == 0
    acquainted.b.stop()
    pinned = acquainted.b.config.link.pop("peer_identity")
    acquainted.b.write_config()
    acquainted.b.start()
    for site, why in (
        (acquainted.b, "refused by the far side: the identities do not fit"),
        (acquainted.a, "refused here: the far side shows no identity"),
    ):
        wait_until(lambda: why in site.log(), f"{site.config.name} to say why", 60)
    assert not acquainted.b.session()
    acquainted.b.stop()
    acquainted.b.config.link["peer_identity"] = pinned
    acquainted.b.write_config()
    acquainted.b.start()
    acquainted.wait_up()
    assert ping(acquainted.network.host_a, HOST_B.v4).loss_percent == 0


def traces_of(identity_file):
    """The file's text, its key, and what signing makes of that (RFC 8032 section 5.1.5)."""
    text = Path(identity_file).read_bytes()
    key = serialization.load_pem_private_key(text, None)
    seed = key.private_bytes(
        serialization.Encoding.Raw,
        serialization.PrivateFormat.Raw,
        serialization.NoEncryption(),
    )
    scalar_and_prefix = hashlib.sha512(seed).digest()
    return {
        "text": text.splitlines()[1],
        "seed": seed,
        "scalar": scalar_and_prefix[1:31],  # its ends are changed
        "prefix": scalar_and_prefix[32:],
    }


def test_an_identity_lies_in_guarded_memory_of_penstockd_alone(acquainted):
    acquainted.start().wait_up()
    for site in acquainted.sites:
        wanted = traces_of(site.config.site["identity_file"])
        control = site.pid_of(CONTROL_PLANE)
        hits = memory.find(control, wanted)
        assert {hit.what for hit in hits} == {"seed"}, "the control; and nothing made of it"
        assert all(hit.region.is_locked and hit.region.is_left_out_of_dumps for hit in hits)
        for pid in (site.supervisor, *descendants(site.supervisor)):
            if pid != control:
                assert memory.names_found(pid, wanted) == set(), command_name(pid)


def test_identities_come_by_a_reload_and_traffic_goes_on(fresh):
    """While one site has them and the other not yet, the session before lives on."""
    pair = fresh().start()
    pair.wait_up()
    first = pair.a.session()["id"]
    introduce(pair)
    with BackgroundPing(pair.network.host_a, HOST_B.v4) as pinging:
        reload(pair.a)
        wait_until(
            lambda: "refused" in pair.a.link()["reason"] or pair.a.link()["handshakes_failed"],
            "A to miss B's identity", 20,
        )  # fmt: skip
        assert pair.a.session()["id"] == first
        reload(pair.b)
        wait_until(lambda: pair.b.session().get("id") not in ("", first, None), "the next session")
        wait_until(lambda: pair.a.session()["id"] == pair.b.session()["id"], "A to have it too")
    assert pinging.result.sent > 0 and pinging.lost() == 0


def reload(site):
    site.namespace.run(program("penstock"), "reload", "--socket", str(site.run_dir / "admin.sock"))
