"""What an end of a pipe has in its memory: keys in guarded pages and for as long as they are
needed; of the key file, of handshakes that are over and of what went through, nothing."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import key_traces, memory
from lab.errors import wait_until
from lab.pipe_siege import Far, Siege
from lab.pipes import PENSTOCK, Lane
from oracle.keys import pbkdf2, sha256
from oracle.pipe import Role, octets

WORD = 1000  # bytes of text a packet, which nothing else has


@pytest.fixture(params=["-e", "-e -f", "-d", "-d -f"])
def siege(request):
    role, *secrecy = request.param.split()
    with Lane() as lane:
        yield Siege(lane, PENSTOCK, role, *secrecy)


def session_keys(far: Far) -> dict:
    """Of both ways."""
    return {
        name: trace
        for what, way in (("out", far.out), ("back", far.back))
        for name, trace in key_traces.traces(what, way.encrypt, way.mac).items()
    }


def passing(siege: Siege, far: Far) -> dict:
    """What nobody needs once a handshake is over."""
    k = sha256(siege.key)
    nonces = [far.side.nonce, far.side.peer_nonce]
    if far.side.role is Role.SERVER:
        nonces.reverse()
    dhmac = pbkdf2(k, b"".join(nonces), 64)
    found = {"key file": siege.key, "dhmac_C": dhmac[:32], "dhmac_S": dhmac[32:]}
    shared = far.side.shared(far.peer_exchange)
    if shared != 1:
        # Of the middle: free() writes over what a block begins with.
        found["y_SC"] = octets(shared)[64:128]
        found["y_SC, little-endian"] = octets(shared)[64:128][::-1]
    traces = key_traces.hmac_sha256_traces("K as a MAC key", k)
    return found | {name: trace for name, trace in traces.items() if trace != k}


def is_guarded(hit: memory.Hit) -> bool:
    """In locked pages that no core dump has."""
    return hit.region.is_locked and hit.region.is_left_out_of_dumps


def wait_until_gone(pid: int, texts: dict) -> None:
    """An end wipes text before it sleeps, so a little later than whoever waits for it has it."""
    wait_until(lambda: not memory.names_found(pid, texts), "an end to wipe what it has passed on")


def test_keys_live_where_and_while_they_are_needed(siege):
    pid = siege.end.process.pid
    with siege.connection() as (far, near):
        far.shake_hands()
        siege.ask(far, near, os.urandom(WORD))
        keys = session_keys(far) | {"K": sha256(siege.key)}
        hits = memory.find(pid, keys)
        assert {hit.what.split()[0] for hit in hits} == {"out", "back", "K"}, "the control"
        assert [hit for hit in hits if not is_guarded(hit)] == []
        assert memory.names_found(pid, passing(siege, far)) == set()
    siege.end.check_idle()
    assert memory.names_found(pid, keys) == {"K"}


@pytest.mark.parametrize("siege", ["-e"], indirect=True)
def test_of_what_went_through_nothing_is_left(siege):
    """Not even while the connection lives: it has no more to do."""
    pid = siege.end.process.pid
    words = [os.urandom(WORD) for _ in range(40)]
    with siege.connection() as (far, near):
        far.shake_hands()
        siege.ask(far, near, words[0])
        far.send(b"".join(far.out.seal(word) for word in words[1:]))
        left = WORD * (len(words) - 1)
        while left:
            left -= len(near.recv(left))
        starts = {f"start of {number}": word[:64] for number, word in enumerate(words)}
        ends = {f"end of {number}": word[-64:] for number, word in enumerate(words)}
        wait_until_gone(pid, starts | ends)
        assert memory.names_found(pid, {"K": sha256(siege.key)}) == {"K"}, "the control"


@pytest.mark.parametrize("siege", ["-e"], indirect=True)
def test_what_waits_is_left_out_of_dumps(siege):
    """Text that nobody takes; and it is gone with its connection."""
    pid = siege.end.process.pid
    word = os.urandom(WORD)
    with siege.connection() as (far, _):
        far.shake_hands()
        far.end.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                far.end.sendall(far.out.seal(word))
        wait_until(lambda: memory.names_found(pid, {"text": word}), "the end to be stuck with text")
        hits = memory.find(pid, {"text": word})
        assert [hit for hit in hits if not hit.region.is_left_out_of_dumps] == []
    siege.end.check_idle()
    wait_until_gone(pid, {"text": word})
