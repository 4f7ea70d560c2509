#!/usr/bin/python3
"""Runs clang over our files, two ways:

    clang.py tidy     clang-tidy on every source, with the rules of .clang-tidy
    clang.py headers  every header compiles alone

in parallel, with the flags of build/lint/compile_commands.json. What was clean once is not
looked at again until the file, something of ours that it includes, the rules, the flags or
the tool change: verdicts are kept under their hash in ~/.cache/penstock/lint.
`--changed` looks only at what differs from HEAD.
"""

import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys

import tree

BUILD = os.path.join(tree.ROOT, "build", "lint")
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "penstock", "lint")
COMPILER, TIDY = "clang++-19", "clang-tidy-19"


def compile_commands():
    """Source -> the flags it is compiled with; one for a source that is built many times."""
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    flags = {}
    for entry in entries:
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), tree.ROOT)
        flags.setdefault(path, flags_of(shlex.split(entry["command"])))
    return flags


def flags_of(command):
    """The flags that matter to the parser: no compiler, output, dependency file or input."""
    words = iter(command[command.index(COMPILER) + 1:])
    kept = []
    for word in words:
        if word in ("-o", "-MF", "-MQ", "-MT", "-c"):
            next(words)
        elif word not in ("-MD", "-fcolor-diagnostics") and not word.startswith("-ffile-prefix-map"):
            kept.append(word)  # and no flag names the checkout: all checkouts share verdicts
    return kept


def tidy_job(path, flags):
    return [TIDY, "--quiet", os.path.join(tree.ROOT, path), "--", *flags], None


def header_job(path, flags):
    return [COMPILER, "-fsyntax-only", *flags, "-x", "c++", "-"], f'#include "{os.path.join(tree.ROOT, path)}"\n'


def flags_for_header(path, commands):
    """A header stands by itself with the flags of the sources of its part."""
    part = path.split("/")[0]
    part = "src" if part == "include" else part
    mine = [source for source in sorted(commands) if source.startswith(part + "/")]
    near = [source for source in mine if os.path.dirname(source) == os.path.dirname(path)]
    return commands[(near or mine)[0]] if mine else None


def rules_for(path):
    """The .clang-tidy files that speak about this file."""
    folders = path.split("/")[:-1]
    names = ["/".join(folders[:depth] + [".clang-tidy"]) for depth in range(len(folders) + 1)]
    return [name for name in names if os.path.isfile(os.path.join(tree.ROOT, name))]


def key(kind, version, path, flags):
    """One hash over everything that decides what clang says about a file."""
    digest = hashlib.sha256(json.dumps([kind, version, path, flags]).encode())
    for each in tree.closure(path) + (rules_for(path) if kind == "tidy" else []):
        digest.update(each.encode() + b"\0" + tree.read(each).encode() + b"\0")
    return digest.hexdigest()


def run(job):
    """(path, what clang said); says nothing about a clean file, and remembers it."""
    path, mark, (command, source) = job
    answer = subprocess.run(command, cwd=BUILD, input=source or "", text=True, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if answer.returncode == 0:
        with open(mark, "w", encoding="utf-8"):
            pass
        return path, ""
    return path, answer.stdout or answer.stderr


def jobs(kind, changed):
    commands = compile_commands()
    tool = TIDY if kind == "tidy" else COMPILER
    version = subprocess.run([tool, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    wanted = set(tree.files(changed))
    for path in sorted(wanted):
        if kind == "tidy":
            flags = commands.get(path)
        else:
            flags = flags_for_header(path, commands) if path.endswith(".hpp") else None
        if flags is not None:
            mark = os.path.join(CACHE, key(kind, version, path, flags))
            yield path, mark, (tidy_job if kind == "tidy" else header_job)(path, flags)


def main():
    kind, changed = sys.argv[1], "--changed" in sys.argv[2:]
    os.makedirs(CACHE, exist_ok=True)
    everything = list(jobs(kind, changed))
    todo = [job for job in everything if not os.path.exists(job[1])]
    for job in everything:
        if job not in todo:
            os.utime(job[1])  # in use: so old marks can be told by their date
    failed = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (path, said) in enumerate(pool.map(run, todo), 1):
            if said:
                failed.append(path)
                print(said.rstrip())
            print(f"{kind} {done}/{len(todo)} {path}", flush=True)
    print(f"{kind}: {len(everything)} files, {len(everything) - len(todo)} clean before, "
          f"{len(failed)} with findings")
    for path in failed:
        print(f"  {path}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
