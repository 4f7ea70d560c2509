"""Many links in one penstockd, against a scripted data plane and far sides that are real."""

import json
import subprocess
from pathlib import Path

from lab.programs import program

LINKS = 50


def test_every_link_of_many_comes_up_at_once(tmp_path: Path) -> None:
    result = tmp_path / "links.json"
    measured = subprocess.run(
        [
            program("bench/controlplane/shell/bench-links"), "--links", str(LINKS),
            "--within", "60", "--penstockd", program("penstockd"), "--json", str(result),
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert measured.returncode == 0, measured.stderr
    numbers = json.loads(result.read_text())
    assert numbers["links"] == LINKS
    assert numbers["sessions_installed"] >= LINKS
    # What all of them say at once is no reason to give the data plane up.
    assert numbers["connections"] == 1
