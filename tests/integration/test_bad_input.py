"""What is wrong is refused at the start: exit code 2 and one sentence that says what to do."""

import base64
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from lab.pair import Pair
from lab.programs import program
from lab.site import Site

NOBODY = "65534"


@pytest.fixture(scope="module")
def ground():
    """Network, config and key of two sites, none of them started."""
    with Pair() as pair:
        os.chmod(pair.directory, 0o755)
        yield pair


@pytest.fixture
def site(ground):
    """A config of site A's own to spoil."""
    return Site(
        ground.a.namespace,
        ground.directory / "spoiled",
        type(ground.a.config)(**vars(ground.a.config)),
        ground.a.key_file,
    )


def refusal(done: subprocess.CompletedProcess) -> str:
    """The sentence, or one of each process; nobody should have to search for it."""
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    errors = [line for line in said if line.startswith("penstock: ") or " error " in line]
    assert done.returncode == 2, said
    assert 1 <= len(errors) <= 2, said
    assert len(said) <= 8, said
    assert not any(line.startswith(("EAL:", "terminate called")) for line in said), said
    return " ".join(errors)


def refusal_of(site: Site, config: str | None = None) -> str:
    site.write_config()
    if config is not None:
        site.config_file.write_text(config)
    return refusal(site.attempt())


def run(*argv: str) -> str:
    """What the penstock command prints when all is well."""
    return subprocess.run(
        [program("penstock"), *argv], check=True, capture_output=True, text=True
    ).stdout


# --- the key file ------------------------------------------------------------------------------


def test_a_key_file_that_is_missing(site):
    site.key_file = Path("/nowhere/link.key")
    said = refusal_of(site)
    assert "/nowhere/link.key" in said and "genkey" in said


def test_a_key_file_that_is_too_short(site, tmp_path):
    site.key_file = tmp_path / "short.key"
    site.key_file.write_bytes(bytes(31))
    site.key_file.chmod(0o600)
    said = refusal_of(site)
    assert "31 bytes" in said and "32" in said


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_read(site, tmp_path, mode):
    site.key_file = tmp_path / "open.key"
    site.key_file.write_bytes(os.urandom(32))
    site.key_file.chmod(mode)
    said = refusal_of(site)
    assert str(site.key_file) in said and "chmod 600" in said


def test_genkey_makes_a_private_key_and_overwrites_none(tmp_path):
    key = tmp_path / "new.key"
    subprocess.run([program("penstock"), "genkey", str(key)], check=True, capture_output=True)
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    assert len(before) >= 32
    again = subprocess.run(
        [program("penstock"), "genkey", str(key)], capture_output=True, text=True, check=False
    )
    assert str(key) in refusal(again)
    assert key.read_bytes() == before


# --- the identity file ------------------------------------------------------------------------


def test_an_identity_file_that_is_missing(site):
    site.config.site = {"identity_file": "/nowhere/alpha.identity"}
    said = refusal_of(site)
    assert "/nowhere/alpha.identity" in said and "penstock identity new" in said


def test_an_identity_file_that_others_can_read(site, tmp_path):
    identity = tmp_path / "alpha.identity"
    run("identity", "new", str(identity))
    identity.chmod(0o644)
    site.config.site = {"identity_file": str(identity)}
    said = refusal_of(site)
    assert str(identity) in said and "chmod 600" in said


def test_a_link_that_wants_an_identity_and_has_none_to_give(site, tmp_path):
    identity = tmp_path / "beta.identity"
    line = run("identity", "new", str(identity)).splitlines()[-1]
    config, place = spoiled(site, 'peer = "beta"', f'peer = "beta"\n{line}')
    said = refusal_of(site, config)
    assert "peer_identity" in said and "identity_file" in said


def test_a_site_that_pins_itself(site, tmp_path):
    identity = tmp_path / "alpha.identity"
    line = run("identity", "new", str(identity)).splitlines()[-1]
    site.config.site = {"identity_file": str(identity)}
    site.config.link = {"peer_identity": line.split('"')[1]}
    site.write_config()
    done = subprocess.run(
        [program("penstock"), "check", str(site.config_file)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "own identity" in done.stderr


def test_identity_new_makes_a_private_file_that_openssl_reads_and_overwrites_none(tmp_path):
    identity = tmp_path / "new.identity"
    line = run("identity", "new", str(identity)).splitlines()[-1]
    assert identity.stat().st_mode & 0o777 == 0o600
    before = identity.read_bytes()
    key = serialization.load_pem_private_key(before, None).public_key()
    public = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    assert line == f'peer_identity = "ed25519:{base64.b64encode(public).decode()}"'
    assert run("identity", "show", str(identity)).strip() == line
    again = subprocess.run(
        [program("penstock"), "identity", "new", str(identity)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert str(identity) in refusal(again)
    assert identity.read_bytes() == before


# --- the config file ------------------------------------------------------------------------------


def spoiled(site: Site, old: str, new: str) -> tuple[str, str]:
    """The config with one line changed, and `file:line:` of it."""
    text = site.config.text(site.run_dir, site.key_file)
    assert text.count(old) == 1, text
    number = text[: text.index(old)].count("\n") + 1
    return text.replace(old, new), f"{site.config_file}:{number}:"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('name = "alpha"', "name = 7", "name"),
        ('device = "af_packet:wire"', 'device = "wire"', "device"),
        ('address = "192.0.2.1/24"', 'address = "192.0.2.1"', "address"),
        ('address = "192.0.2.1/24"', 'address = "192.0.2.300/24"', "address"),
        ('endpoint = "192.0.2.2:7670"', 'endpoint = "192.0.2.2:99999"', "endpoint"),
        ('endpoint = "192.0.2.2:7670"', 'endpoint = "be ta"', "endpoint"),
        ('peer = "beta"', 'peer = "alpha"', "peer"),
        ('peer = "beta"', 'peer = "beta"\nframe_size = 100', None),
        ('peer = "beta"', 'colour = "red"', "colour"),
    ],
)
def test_errors_in_the_config_name_file_line_and_key(site, old, new, key):
    config, place = spoiled(site, old, new)
    said = refusal_of(site, config)
    assert str(site.config_file) + ":" in said
    if key is None:
        assert "frame_size" in said
    else:
        assert place in said and key in said
    checked = subprocess.run(
        [program("penstock"), "check", str(site.config_file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert str(site.config_file) + ":" in refusal(checked)


def test_a_config_that_is_no_toml(site):
    said = refusal_of(site, "[site\nname")
    assert f"{site.config_file}:1:" in said


def test_a_config_that_is_missing(site):
    site.config_file.unlink()
    assert str(site.config_file) in refusal(site.attempt())


def test_an_option_nobody_knows():
    done = subprocess.run(
        [program("penstock"), "run", "--faster"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2


# --- what the machine does not have -----------------------------------------------------------------


@pytest.mark.parametrize("port", ["plain", "wire"])
def test_an_interface_that_does_not_exist(site, port):
    setattr(site.config, port, "af_packet:nonesuch")
    assert "nonesuch" in refusal_of(site)


def test_a_dpdk_device_that_does_not_exist(site):
    site.config.wire = "ethdev:net_nonesuch0"
    assert "net_nonesuch0" in refusal_of(site)


def test_no_permission(site, tmp_path):
    """As nobody, who owns the key and may write where the sockets go."""
    site.key_file = site.config_file.parent / "nobody.key"
    site.key_file.write_bytes(os.urandom(32))
    site.key_file.chmod(0o600)
    os.chown(site.key_file, int(NOBODY), int(NOBODY))
    site.run_dir.mkdir(exist_ok=True)
    os.chown(site.run_dir, int(NOBODY), int(NOBODY))
    site.write_config()
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    done = site.namespace.attempt(*as_nobody, program("penstock"), "run", str(site.config_file))
    said = refusal(done)
    assert "root" in said or "permission" in said.lower() or "CAP_" in said


@pytest.mark.parametrize("port", ["plain", "wire"])
def test_an_address_on_a_port(site, port):
    site.namespace.run("ip", "address", "add", "10.99.0.1/24", "dev", port)
    try:
        said = refusal_of(site)
    finally:
        site.namespace.run("ip", "address", "flush", "dev", port)
    assert port in said and "ip addr" in said  # the command that clears it


# --- somebody was here first --------------------------------------------------------------------------


def test_a_second_site_on_the_same_interface(pair):
    config = type(pair.a.config)(**vars(pair.a.config))
    second = Site(pair.a.namespace, pair.directory / "second", config, pair.a.key_file)
    said = refusal_of(second)
    assert "plain" in said or "wire" in said
    assert pair.a.session(), "the first site suffered"


def test_a_second_site_on_the_same_sockets(pair):
    namespace = pair.a.namespace
    namespace.run("ip", "link", "add", "plain2", "type", "veth", "peer", "name", "wire2")
    try:
        config = type(pair.a.config)(**vars(pair.a.config))
        config.plain, config.wire = "af_packet:plain2", "af_packet:wire2"
        second = Site(namespace, pair.directory / "third", config, pair.a.key_file)
        second.run_dir = pair.a.run_dir
        said = refusal_of(second)
    finally:
        namespace.run("ip", "link", "delete", "plain2")
    assert str(pair.a.run_dir) in said
    assert pair.a.session(), "the first site suffered"
