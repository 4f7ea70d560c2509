"""Both sites of a link keep the same mode of shape, or there is no session."""

import struct
import subprocess

import pytest
import scripted_dataplane as scripted
from lab.errors import wait_until
from scripted_control import Control

BURST = 'shape = { mode = "burst" }\n'
CONSTANT = 'shape = { mode = "constant", rate = "2000fps" }\n'
OTHER_CONSTANT = 'shape = { mode = "constant", rate = "10Mbit" }\n'
QUANTIZED = 'shape = { mode = "quantized", steps = ["100fps", "2000fps"] }\n'


def reload(control: Control) -> subprocess.CompletedProcess[str]:
    return control.command("reload", "--socket", str(control.run_dir / "admin.sock"))


def start(control: Control, link: str) -> None:
    control.write_config(link=link)
    control.start()


def refusal(control: Control) -> str | None:
    reason = control.link().get("reason", "")
    return reason if "shaping differs" in reason else None


@pytest.mark.parametrize(
    ("here", "there"), [(CONSTANT, BURST), (QUANTIZED, CONSTANT)], ids=["burst", "quantized"]
)
def test_different_modes_have_no_session_and_both_say_why(controls, here, there):
    alpha, beta = controls
    start(alpha, here)
    start(beta, there)
    said = [wait_until(lambda c=c: refusal(c), f"{c.name} to say why:\n{c.log()}") for c in controls]
    for control, reason, mode in zip(controls, said, (here, there), strict=True):
        name = mode.split('"')[1]
        assert "write the same mode in `shape` on both sides" in reason
        assert reason.endswith(f'(here: mode = "{name}")')
        assert control.link()["session"] is None
        assert control.dataplane.sessions == [] and control.dataplane.installs == 0
        page = control.command("status", str(control.config_file))
        assert "the shaping differs" in page.stdout
    # The far side's config is all that was wrong.
    beta.write_config(link=here)
    assert reload(beta).returncode == 0
    scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    for control in controls:
        control.wait_link("up")
        assert control.link()["reason"] == ""


def test_rates_may_differ(controls):
    alpha, beta = controls
    start(alpha, CONSTANT)
    start(beta, OTHER_CONSTANT)
    scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    for control in controls:
        link = control.wait_link("up")
        assert link["shaping"]["mode"] == "constant"
    rates = [struct.unpack_from("=Q", c.dataplane.current().shaping)[0] for c in controls]
    size = alpha.link()["session"]["frame_size"]
    assert rates == [2_000_000, 10_000_000_000 // (8 * (size + 42))]
