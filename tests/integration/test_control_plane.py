"""penstockd between a scripted data plane and another penstockd."""

import os
import signal

import pytest
import scripted_dataplane as scripted
from lab.errors import wait_until
from scripted_control import ADDRESS, PEER


# --- sessions --------------------------------------------------------------------------------


def test_two_sites_agree_on_a_session(up):
    alpha, beta = (control.dataplane.current() for control in up)
    assert alpha.id == beta.id
    assert {alpha.role, beta.role} == {0, 1}
    assert alpha.out_keys == beta.in_keys
    assert alpha.in_keys == beta.out_keys
    assert alpha.out_keys != alpha.in_keys
    assert (alpha.local_spi, alpha.remote_spi) == (beta.remote_spi, beta.local_spi)
    assert alpha.local_spi != 0
    assert alpha.frame_size == beta.frame_size == 1472
    assert alpha.suite == beta.suite == 0x0101
    assert alpha.tag == beta.tag == 16
    assert alpha.max_age_ns == 3600 * 10**9


KEY_LENGTHS = {  # encryption key, MAC key, and the tag where 48 bytes are asked for
    "AES256_CTR-SHA256": (32, 32, 32),
    "AES128_CTR-SHA256": (16, 32, 32),
    "AES256_CTR-SHA384": (32, 48, 48),
    "AES256_GCM": (32, 0, 16),
    "CHACHA20_POLY1305": (32, 0, 16),
    "NULL": (0, 0, 0),
}


@pytest.mark.parametrize("protection", KEY_LENGTHS)
def test_a_suite_brings_the_keys_and_the_tag_that_it_has(controls, protection):
    # The second entry lets `tag` be 48; both sites prefer the first.
    suites = f'suites = ["X25519-{protection}", "MODP2048-AES256_CTR-SHA384"]\ntag = 48'
    for control in controls:
        control.write_config(suites, "lab = true\n")
        control.start()
    alpha, beta = controls
    mine, theirs = scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    encrypt_length, mac_length, tag = KEY_LENGTHS[protection]
    assert (mine.tag, theirs.tag) == (tag, tag)
    assert mine.out_keys == theirs.in_keys
    assert mine.in_keys == theirs.out_keys
    for encrypt, mac in mine.out_keys + mine.in_keys:
        assert bytes(8) not in encrypt[:encrypt_length] + mac[:mac_length]
        assert not any(encrypt[encrypt_length:] + mac[mac_length:])
    session = alpha.wait_link("up")["session"]
    assert session["suite"] == f"X25519-{protection}"
    assert session["is_protected"] is (protection != "NULL")
    assert ("NOTHING is encrypted or authenticated" in alpha.log()) is (protection == "NULL")


def test_rekey_makes_a_new_session_beside_the_old(up):
    alpha, beta = up
    old = alpha.dataplane.current()
    done = alpha.command("rekey", "beta", str(alpha.config_file))
    assert done.returncode == 0, done.stderr
    new, _ = scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    assert new.id != old.id
    assert new.out_keys != old.out_keys
    link = wait_until(
        lambda: (link := alpha.link())["session"]["id"] == new.id[:8].hex() and link,
        "the new session in alpha's status",
    )
    assert {one["state"] for one in link["sessions"]} == {"current", "retiring"}
    assert link["handshakes_completed"] == 2


def test_sessions_are_renewed_by_the_clock(controls):
    for control in controls:
        control.write_config('rekey_after = "200ms"')
        control.start()
    alpha, beta = controls
    seen = {scripted.confirm_common_session(alpha.dataplane, beta.dataplane)[0].id for _ in range(4)}
    assert len(seen) == 4


def test_a_dataplane_that_dies_is_waited_for_and_gets_a_new_session(up):
    alpha, beta = up
    old = alpha.dataplane.current()
    alpha.dataplane.die()
    wait_until(lambda: alpha.status().get("data_plane", {}).get("state") == "down", "down")
    link = alpha.link()
    assert link["state"] == "down" and link["session"] is None and link["sessions"] == []
    assert "data plane" in link["reason"]
    assert alpha.status()["data_plane"]["reason"]
    alpha.dataplane.start()
    new, _ = scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    assert new.id != old.id
    alpha.wait_link("up")


def test_a_dataplane_that_comes_late_is_waited_for(controls):
    alpha, beta = controls
    alpha.dataplane.die()
    alpha.start()
    beta.start()
    wait_until(lambda: "does not run" in alpha.log(), "a line that says what is missing")
    assert alpha.wait_link("down")["reason"]
    alpha.dataplane.start()
    scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    alpha.wait_link("up")
    assert alpha.log().count("does not run") == 1, "one line, not one a retry"


def test_penstockd_that_is_killed_takes_over_the_living_session(up):
    alpha, _ = up
    session = alpha.dataplane.current()
    installs = alpha.dataplane.installs
    assert alpha.stop(signal.SIGKILL) == -signal.SIGKILL
    alpha.start()
    link = alpha.wait_link("up")
    assert link["session"]["id"] == session.id[:8].hex()
    assert alpha.dataplane.installs == installs
    assert alpha.dataplane.current() is session


def test_an_expired_session_is_replaced(up):
    alpha, beta = up
    old = alpha.dataplane.current()
    for control in up:
        control.dataplane.remove(old.id, scripted.MAX_AGE)
    new, _ = scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    assert new.id != old.id
    alpha.wait_link("up")


def test_an_install_that_is_refused_is_said_and_retried(controls):
    alpha, beta = controls
    alpha.dataplane.refuse_installs_with = 5  # no_memory
    alpha.start()
    beta.start()
    wait_until(lambda: alpha.dataplane.installs > 0, "an install")
    wait_until(lambda: alpha.link().get("handshakes_failed", 0) > 0, "a failed handshake")
    wait_until(lambda: "memory" in alpha.log(), "the reason in the log")
    alpha.dataplane.refuse_installs_with = 0
    installs = alpha.dataplane.installs
    wait_until(lambda: alpha.dataplane.installs > installs, "another attempt")


# --- a wrong key ------------------------------------------------------------------------------


def test_a_wrong_key_makes_no_session_and_says_why(controls, tmp_path):
    alpha, beta = controls
    beta.key_file = tmp_path / "other.key"
    assert beta.command("genkey", str(beta.key_file)).returncode == 0
    beta.write_config()
    alpha.start()
    beta.start()
    for control in controls:
        endpoint = ADDRESS[PEER[control.name]] + ":7670"
        wait_until(
            lambda c=control: "does not hold the same key" in c.link().get("reason", ""),
            f"the reason in {control.name}'s status",
        )
        said = [line for line in control.log().splitlines() if "does not hold the same key" in line]
        audited = [line for line in said if "audit: " in line]
        assert len(said) == 2 and endpoint in said[0], said
        assert len(audited) == 1 and "peer_refused" in audited[0], said
        assert control.dataplane.installs == 0
        assert control.process.poll() is None


# --- a data plane that misbehaves -------------------------------------------------------------------


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x01",
        b"\xff" * 64,
        scripted.REPLY.pack(scripted.INSTALL_REPLY_TYPE, 0, 4_000_000_000, 0, 0),
        scripted.HEADER.pack(scripted.STATS_TYPE, 0, 0),
        scripted.DATAGRAM.pack(scripted.PUNT_TYPE, 0, 0, bytes(20), 1025, 0, b""),
        scripted.DATAGRAM.pack(scripted.PUNT_TYPE, 0, 0, bytes(20), 65535, 0, b""),
        b"\xaa" * 20000,
    ],
    ids=["short", "garbage", "unasked reply", "unasked stats", "length", "long length", "too long"],
)
def test_nonsense_ends_the_connection_not_the_process(up, nonsense):
    alpha, _ = up
    session = alpha.dataplane.current()
    connections = alpha.dataplane.connections
    alpha.dataplane.send(nonsense)
    wait_until(lambda: alpha.dataplane.connections > connections, "a new connection")
    link = alpha.wait_link("up")
    assert link["session"]["id"] == session.id[:8].hex(), "it took the living session over"


def test_events_and_datagrams_that_mean_nothing_are_ignored(up):
    alpha, _ = up
    connections = alpha.dataplane.connections
    strange = scripted.EVENT.pack(scripted.EVENT_TYPE, 0, 0, 77, 0, 99, os.urandom(32), b"", 0)
    alpha.dataplane.send(strange)
    for length in (0, 1, 16, 1023, 1024):
        alpha.dataplane.punt(ADDRESS["beta"], os.urandom(length))
    for kind in range(1, 5):
        alpha.dataplane.punt(ADDRESS["beta"], bytes([kind, 1, 0, 0]) + os.urandom(1020))
    assert alpha.status()["links"][0]["state"] == "up"
    assert alpha.dataplane.connections == connections
