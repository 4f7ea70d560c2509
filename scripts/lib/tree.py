"""The files of this repository, and how C++ files include each other."""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def files(changed=False):
    """Paths from the root, sorted: all that belong to the repository, or what differs from HEAD."""
    if changed:
        listing = _git("diff", "--name-only", "HEAD") + _git(
            "ls-files", "--others", "--exclude-standard")
    else:
        try:
            listing = _git("ls-files", "--cached", "--others", "--exclude-standard")
        except (OSError, subprocess.CalledProcessError):
            listing = _walk()  # an unpacked archive, or a checkout that belongs to someone else
    return sorted({path for path in listing if os.path.isfile(os.path.join(ROOT, path))})


def is_cpp(path):
    return path.endswith((".cpp", ".hpp"))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def includes(text):
    """(line number, '<' or '"', what is included) for each include line."""
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1], match[2]


def resolve(included, folder):
    """The repository's file behind a quoted include of a file in `folder`, or None."""
    for root in (folder, "include", ""):
        path = os.path.normpath(os.path.join(root, included))
        if os.path.isfile(os.path.join(ROOT, path)):
            return path
    return None


def closure(path):
    """The file and every file of the repository that it includes, directly or not."""
    seen, todo = set(), [path]
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        for _, _, name in includes(read(current)):
            found = resolve(name, os.path.dirname(current))
            if found:
                todo.append(found)
    return sorted(seen)


def _git(*arguments):
    answer = subprocess.run(["git", "-C", ROOT, *arguments], check=True, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return answer.stdout.splitlines()


def _walk():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders
                      if not name.startswith((".", "build")) and name != "__pycache__"]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), ROOT)


def main():
    """tree.py --cpp | --shell | --python [--changed]: the files of that kind, one a line."""
    kind = sys.argv[1]
    for path in files("--changed" in sys.argv):
        if KINDS[kind](path):
            print(path)


def _starts_with(path, *interpreters):
    with open(os.path.join(ROOT, path), "rb") as file:
        first = file.readline(100)
    return first.startswith(b"#!") and first.strip().endswith(interpreters)


KINDS = {
    "--cpp": is_cpp,
    "--shell": lambda path: path.endswith(".sh") or _starts_with(path, b"bash", b"/sh"),
    "--python": lambda path: path.endswith(".py") or _starts_with(path, b"python3"),
}

if __name__ == "__main__":
    main()
