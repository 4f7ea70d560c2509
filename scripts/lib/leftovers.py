#!/usr/bin/python3
"""What no file of the repository may hold: tabs, trailing blanks, more than 400 lines of
code, somebody's own paths. Prints file:line: sentence; exit code 1 if there is any."""

import re
import sys

import tree

LONGEST = 400  # a file past this does two jobs
TEXT = (".cpp", ".hpp", ".py", ".sh", ".build", ".toml", ".md", ".service", ".yml", ".json",
        ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore")
CODE = (".cpp", ".hpp", ".py", ".sh", ".build")
HOMES = re.compile(r"(?<![\w.])/(home|Users|work|root)/\w")


def is_script(path):
    return path.startswith((".ci/", "scripts/")) and "." not in path.rsplit("/", 1)[1]


def findings(path, text):
    """(line number, sentence) for everything in `text` that must not stay."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            yield number, "a tab"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        if HOMES.search(line):
            yield number, "a path that exists on one developer's machine"
    if text and lines[-1] != "":
        yield len(lines), "no newline at the end of the file"
    if len(lines) > LONGEST + 1 and (path.endswith(CODE) or is_script(path)):
        yield LONGEST + 1, f"{len(lines) - 1} lines; a file past {LONGEST} does two jobs"


def main():
    broken = 0
    paths = [path for path in tree.files() if path.endswith(TEXT) or is_script(path)]
    for path in paths:
        for number, sentence in findings(path, tree.read(path)):
            print(f"{path}:{number}: {sentence}")
            broken += 1
    print(f"leftovers: {len(paths)} files, {broken} findings")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
