"""What runs that died without cleaning up have left behind, by the pid in its name."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from .namespaces import NAMES, Namespace, name_prefix


def directory_prefix(owner: int | None = None) -> str:
    """Of a run's temporary directories."""
    return f"{name_prefix()}-lab-{owner or os.getpid()}-"


def remove_stale() -> None:
    for name in sorted(os.listdir(NAMES)) if NAMES.exists() else []:
        owner = re.match(rf"{re.escape(name_prefix())}-(\d+)\.", name)
        if owner and not is_alive(owner[1]):
            Namespace(name).delete()
    for directory in Path(tempfile.gettempdir()).glob(f"{name_prefix()}-lab-*"):
        owner = re.match(rf"{re.escape(name_prefix())}-lab-(\d+)-", directory.name)
        if owner and not is_alive(owner[1]):
            shutil.rmtree(directory, ignore_errors=True)


def is_alive(pid: str) -> bool:
    return Path("/proc", pid).exists()
