"""Where the programs under test are."""

import os
from pathlib import Path

from .errors import LabError

REPOSITORY = Path(__file__).resolve().parents[3]


def build_directory() -> Path:
    return Path(os.environ.get("PENSTOCK_BUILD", REPOSITORY / "build"))


def program(name: str) -> str:
    path = build_directory() / name
    if not path.exists():
        raise LabError(f"{path} is not there: run scripts/build first")
    return str(path)
