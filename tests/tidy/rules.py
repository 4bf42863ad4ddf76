#!/usr/bin/env python3
"""The rules of the project that no compiler checks. Each rule yields one line for each fault.

    rules.py --list
    rules.py --root DIR [--program HVBENCH] --rule NAME...
"""

import argparse
import fnmatch
import os
import pathlib
import re
import subprocess
import sys

MAX_FILE_LINES = 500
MAX_HEADER_LINES = 150  # a guide: only reported
# Lines of the runtimes in tests/unit/runtime_launchers/exercises: what a new one may cost.
MAX_RUNTIME_LINES = {"youki.cc": 20, "krun.cc": 30, "cloud_hypervisor.cc": 130}

TOP_LEVEL = {
    "CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE", "CHANGELOG.md",
    ".clang-format", ".clang-tidy", ".gitignore", ".ci", ".github",
    "benchmarks", "fixtures", "runtime_launchers", "cmake", "tests", "scripts", "docs",
}

# A folder, and the folders of this project that it may include. The longest match decides, so that
# fixtures/ does not mean fixtures/agent: the guest's side and the host's share the protocol alone.
LAUNCHERS = {"runtime_launchers", "runtime_launchers/support"}
FIXTURES = {"fixtures", "fixtures/exec_bridge", "fixtures/images", "fixtures/netlab", "fixtures/protocol"}
LAYERS = {
    "fixtures/protocol": {"fixtures/protocol"},
    "fixtures/agent": {"fixtures/agent", "fixtures/protocol"},
    "benchmarks/kernels": {"benchmarks/kernels", "fixtures/agent", "fixtures/protocol"},
    # An agent outside of the guests: it may link what it likes, and shares the kernels' support.
    "benchmarks/load": {"benchmarks/load", "benchmarks/kernels", "fixtures/agent",
                        "fixtures/protocol"},
    "runtime_launchers/support": {"runtime_launchers/support"},
    # On top of this folder lie the interfaces and the runtimes' own files; its rooms have what
    # several of them share.
    "runtime_launchers/oci": {"runtime_launchers/oci", *LAUNCHERS},
    "runtime_launchers/vm": {"runtime_launchers/vm", *LAUNCHERS},
    "runtime_launchers/containerd": {"runtime_launchers/containerd", "runtime_launchers/oci",
                                     *LAUNCHERS},
    "runtime_launchers/docker": {"runtime_launchers/docker", "runtime_launchers/containerd",
                                 "runtime_launchers/oci", *LAUNCHERS},
    "runtime_launchers": {"runtime_launchers/containerd", "runtime_launchers/docker",
                          "runtime_launchers/oci", "runtime_launchers/vm", *LAUNCHERS},
    "fixtures/exec_bridge": {"fixtures/exec_bridge", "fixtures/protocol", *LAUNCHERS},
    "fixtures/images": {"fixtures/images", *LAUNCHERS},
    "fixtures/netlab": {"fixtures/netlab", "fixtures/exec_bridge", *LAUNCHERS},
    "fixtures": {*FIXTURES, "runtime_launchers/vm", *LAUNCHERS},
    # Text and numbers as people and other programs read them; what results are; how they are kept
    # while a run goes on; how they are shown.
    "benchmarks/text": {"benchmarks/text", "runtime_launchers/support"},
    "benchmarks/results": {"benchmarks/results", "benchmarks/text", "fixtures",
                           "runtime_launchers/support"},
    "benchmarks/journal": {"benchmarks/journal", "benchmarks/results", "benchmarks/text", "fixtures",
                           "runtime_launchers/support"},
    "benchmarks/report": {"benchmarks/report", "benchmarks/results", "benchmarks/text", "fixtures",
                          "runtime_launchers/support"},
    "benchmarks/subsystems": {"benchmarks/subsystems", *FIXTURES, *LAUNCHERS},
    "benchmarks": {"benchmarks", "benchmarks/journal", "benchmarks/report", "benchmarks/results",
                   "benchmarks/subsystems", "benchmarks/text", *FIXTURES, "runtime_launchers/vm",
                   *LAUNCHERS},
}
# Folders of the guest's side, and the headers with a '.' or '/' that they may use.
SYSTEM = r"[a-z0-9_]+\.h|(sys|linux|net|netinet|arpa|asm)/[a-z0-9_]+\.h"
GUEST_HEADERS = {
    "fixtures/protocol": r"",
    "fixtures/agent": SYSTEM,
    "benchmarks/kernels": SYSTEM + r"|nettle/[a-z0-9_]+\.h|boost/(align|asio|histogram)(/[a-z0-9_/]+)?\.hpp",
}

EXAMPLE = "tests/integration/consumer/example/"  # a project that uses the installed package

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FLAG = re.compile(r"--hvbench_[a-z_]+")


class Tree:
    """The files that belong to the project: those that git knows, or would if they were added."""

    def __init__(self, root, program=None):
        self.root = pathlib.Path(root)
        self.program = program
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", str(self.root), "ls-files", "-z", "--cached",
             "--others", "--exclude-standard"],
            check=True, capture_output=True, text=True).stdout
        self.files = sorted(f for f in set(listed.split("\0")) if f and (self.root / f).is_file())

    def read(self, name):
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    def lines(self, name):
        return self.read(name).splitlines()

    def named(self, *suffixes, under=""):
        return [f for f in self.files if f.endswith(suffixes) and f.startswith(under)]

    def sources(self):
        return [f for f in self.named(".cc", ".h", ".def") if not f.startswith("tests/")]


def includes(tree, name):
    for number, line in enumerate(tree.lines(name), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def layer_of(name):
    return max((l for l in LAYERS if name.startswith(l + "/")), key=len, default=None)


def include_direction(tree):
    """Includes point one way."""
    for name in tree.sources():
        layer = layer_of(name)
        for number, quoted, target in includes(tree, name):
            wanted = layer_of(target)
            if quoted and layer and wanted and wanted not in LAYERS[layer]:
                yield f"{name}:{number}: {layer}/ must not include {target}"


def guest_includes(tree):
    """The agent needs the standard library and Linux alone, besides what the kernels measure."""
    for name in tree.sources():
        layer = layer_of(name)
        for number, quoted, target in includes(tree, name):
            if quoted or layer not in GUEST_HEADERS or re.fullmatch(r"[a-z_0-9]+", target):
                continue
            if not re.fullmatch(GUEST_HEADERS[layer], target):
                yield f"{name}:{number}: {layer}/ must not include <{target}>"


def quoted_includes(tree):
    """Ours in quotes, by the path from the root; and they exist."""
    known = set(tree.files)
    for name in tree.sources():
        for number, quoted, target in includes(tree, name):
            if quoted and target not in known:
                yield f"{name}:{number}: there is no {target} (paths start at the root)"


def registered_launchers(tree):
    """A factory in a launcher's file and a line in runtimes.def go together."""
    table = "runtime_launchers/runtimes.def"
    if table not in tree.files:
        yield f"{table} is missing"
        return
    registered = re.findall(r'^HVBENCH_RUNTIME\("[^"]+",\s*(\w+)\)', tree.read(table), re.M)
    defined = {}
    for name in tree.named(".cc", under="runtime_launchers/"):
        for factory in re.findall(
                r"^std::unique_ptr<Launcher> (\w+)\(RuntimeOptions \w+\) \{", tree.read(name), re.M):
            defined[factory] = name
    for factory, name in sorted(defined.items()):
        if factory not in registered:
            yield f"{name}: {factory} is not in {table}"
    for factory in registered:
        if factory not in defined:
            yield f"{table}: no file defines {factory}"
        if registered.count(factory) > 1:
            yield f"{table}: {factory} stands there twice"


# What acts on processes and control groups, and the only files that may: they ask for a proof.
RAW_ACTION = re.compile(
    r"(?<![\w.>])(?:::)?(?:kill|killpg|tgkill)\(|SYS_(?:pidfd_\w+|t?kill|tgkill)\b|"
    r"\bcgroup\.(?:kill|freeze|procs)\b|\bfreezer\.state\b")
RAW_ACTION_FILES = {f"runtime_launchers/support/{name}.cc" for name in
                    ("identity", "process", "cgroup", "cgroup_base")}


def proved_actions(tree):
    """Signals, freezes, moves and removals on the host's side go through support/identity.h."""
    for name in tree.sources():
        if name in RAW_ACTION_FILES or name.startswith(("fixtures/agent/", "benchmarks/kernels/")):
            continue
        for number, line in enumerate(tree.lines(name), 1):
            code = line.split("//")[0]
            if RAW_ACTION.search(code):
                yield f"{name}:{number}: only {', '.join(sorted(RAW_ACTION_FILES))} may do this"


def dead_files(tree):
    """Every source is in a CMakeLists.txt (by name, or by a glob of its folder), every header used."""
    lists = {f: tree.read(f) for f in tree.named("CMakeLists.txt", ".cmake")}
    included = {target for f in tree.named(".cc", ".h", ".def") for _, _, target in includes(tree, f)}
    for name in tree.named(".cc"):
        if not any(mentions(where, text, name) for where, text in lists.items()):
            yield f"{name} is in no CMakeLists.txt"
    for name in tree.named(".h"):
        if name not in included and os.path.basename(name) not in included:
            yield f"{name} is included nowhere"


def mentions(cmake_file, text, source):
    folder = os.path.dirname(cmake_file)
    if folder and not source.startswith(folder + "/"):
        return False
    inside = source[len(folder) + 1:] if folder else source
    if re.search(rf"\bhvbench_fuzzer\({re.escape(inside.removesuffix('_fuzzer.cc'))}\b", text):
        return True  # tests/fuzz/CMakeLists.txt adds the end of the name
    for word in re.findall(r"[^\s()\"]+", text):
        word = re.sub(r"^\$\{(CMAKE_CURRENT_SOURCE_DIR|PROJECT_SOURCE_DIR)\}/", "", word)
        if word.count("/") == inside.count("/") and fnmatch.fnmatchcase(inside, word):
            return True
    return False


def listed_sources(tree):
    """A CMakeLists.txt names no source that is gone, also where it is not configured every day."""
    for cmake_file in tree.named("CMakeLists.txt", ".cmake"):
        code = re.sub(r"#.*", "", tree.read(cmake_file))
        for path in re.findall(r"\$\{PROJECT_SOURCE_DIR\}/([\w/.-]+\.(?:cc|h|def))\b", code):
            if path not in tree.files:
                yield f"{cmake_file}: there is no {path}"


def public_headers(tree):
    """What is installed is complete: it includes nothing that is not, and examples no more than it."""
    install = "cmake/HvbenchInstall.cmake"
    text = tree.read(install) if install in tree.files else ""
    listed = re.search(r"^set\(_hvbench_public_headers\n(.*?)\)$", text, re.M | re.S)
    if not listed:
        yield f"{install} has no list _hvbench_public_headers"
        return
    public = set(re.findall(r"^\s+([\w/.]+)$", listed.group(1), re.M))
    for name in sorted(public - set(tree.files)):
        yield f"{install}: there is no {name}"
    for name in sorted(public & set(tree.files)):
        for number, quoted, target in includes(tree, name):
            if quoted and target not in public:
                yield f"{name}:{number}: {target} is not installed ({install})"
    for name in tree.named(".md") + tree.named(".h", ".cc", under=EXAMPLE):
        for number, quoted, target in includes(tree, name):
            if not quoted and layer_of(target) and target not in public:
                yield f"{name}:{number}: {target} is not installed ({install})"


def file_length(tree):
    """A file can be read in one go."""
    for name in tree.named(".cc", ".h", ".def", ".py", ".sh", ".cmake", "CMakeLists.txt"):
        count = len(tree.lines(name))
        if count > MAX_FILE_LINES:
            yield f"{name} has {count} lines, more than {MAX_FILE_LINES}"
        elif name.endswith(".h") and count > MAX_HEADER_LINES:
            print(f"warning: {name} has {count} lines; a header should have {MAX_HEADER_LINES}")


def runtime_length(tree):
    """A runtime of a kind that is known costs a few lines (docs/contributing.md)."""
    for name in tree.named(".cc"):
        limit = MAX_RUNTIME_LINES.get(os.path.basename(name))
        if limit and len(tree.lines(name)) > limit:
            yield f"{name} has {len(tree.lines(name))} lines, more than {limit}"


def unfinished(tree):
    """Nothing is left for later: that is what issues are for."""
    word = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    for name in code_and_text(tree):
        for number, line in enumerate(tree.lines(name), 1):
            if word.search(line):
                yield f"{name}:{number}: {line.strip()}"


def machine_traces(tree):
    """No path of somebody's machine and no host of a package registry."""
    trace = re.compile(
        r"(?<![\w)}])/(?:(?:home|work|Users)/[a-z]|root/)|"
        r"\b(?:deb\.debian|archive\.ubuntu|security\.debian|pypi|registry\.npmjs|crates|"
        r"proxy\.golang|repo1?\.maven)\.(?:org|com|io)\b")
    for name in code_and_text(tree):
        if name.startswith("tests/tidy/"):
            continue  # the rule's own words
        for number, line in enumerate(tree.lines(name), 1):
            if trace.search(line):
                yield f"{name}:{number}: {line.strip()}"


def code_and_text(tree):
    return [f for f in tree.files if f != "LICENSE" and b"\0" not in
            (tree.root / f).read_bytes()[:4096]]


def top_level(tree):
    """The layout is small and fixed."""
    for entry in sorted({f.split("/")[0] for f in tree.files} - TOP_LEVEL):
        yield f"{entry}: not a part of the layout (tests/tidy/rules.py, TOP_LEVEL)"


def changelog(tree):
    """There is a place for the next change, and every part of it has a known title."""
    if "CHANGELOG.md" not in tree.files:
        yield "CHANGELOG.md is missing"
        return
    text = tree.read("CHANGELOG.md")
    if not re.search(r"^## \[Unreleased\]$", text, re.M):
        yield "CHANGELOG.md has no section [Unreleased]"
    for title in re.findall(r"^### (.*)$", text, re.M):
        if title not in ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"):
            yield f"CHANGELOG.md: unknown title '{title}'"


def links(tree):
    """A link inside the project leads somewhere, also its #part."""
    for name in tree.named(".md"):
        for number, line in enumerate(tree.lines(name), 1):
            for target in LINK.findall(line):
                if not re.match(r"[a-z]+:", target) and not link_resolves(tree, name, target):
                    yield f"{name}:{number}: {target} leads nowhere"


def link_resolves(tree, name, target):
    path, _, part = target.partition("#")
    found = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
    if found not in tree.files:
        return not part and any(f.startswith(found + "/") for f in tree.files)
    titles = re.findall(r"^#+ (.*)$", tree.read(found), re.M)
    return not part or part in {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}


def rooms(tree):
    """The tree in README.md has each room of the project, and no other."""
    lines = tree.lines("README.md")
    begin = next((i for i, line in enumerate(lines) if line.startswith("benchmarks/ ")), len(lines))
    listed, top = set(), ""
    for line in lines[begin:]:
        match = re.match(r"( *)([a-z_]+)/ +\S", line)
        if not match:
            break
        top = top if match[1] else match[2]
        listed.add(f"{top}/{match[2]}" if match[1] else top)
    real = {d for f in tree.files for d in (os.path.dirname(f).split("/")[0],
                                            "/".join(os.path.dirname(f).split("/")[:2]))}
    real = {d for d in real if d and not d.startswith(".") and d != "scripts/lib"}
    for room in sorted(real - listed):
        yield f"README.md: the tree lacks {room}/"
    for room in sorted(listed - real):
        yield f"README.md: there is no {room}/"


def documented_flags(tree):
    """A flag that is documented exists, and a flag that exists is documented."""
    if not tree.program:
        yield "needs --program"
        return
    shown = subprocess.run([tree.program, "--help"], capture_output=True, text=True, check=False)
    real = set(FLAG.findall(shown.stdout))
    documented = set()
    for name in tree.named(".md"):
        if name == "CHANGELOG.md":
            continue  # old versions had other flags
        for number, line in enumerate(tree.lines(name), 1):
            for flag in FLAG.findall(line):
                documented.add(flag)
                if flag not in real:
                    yield f"{name}:{number}: {flag} is not in --help"
    for flag in sorted(real - documented):
        yield f"{flag} is in --help, but in no document"


def held_situations(tree):
    """Each row of docs/safety.md ends with the tests that hold it, and those exist."""
    name = "docs/safety.md"
    if name not in tree.files:
        yield f"{name} is missing"
        return
    tests = set()
    for file in tree.named(".cc", under="tests/"):
        for suite, test in re.findall(r"^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)", tree.read(file), re.M):
            tests.add(f"{suite}.{test}")
    for file in tree.named(".py", ".sh", under="tests/"):
        script = os.path.basename(file)
        tests.update(f"{script}:{test}" for test in
                     re.findall(r"^\s*(?:def )?(test_\w+)\(", tree.read(file), re.M))
    counts = False  # the table of random faults
    for number, line in enumerate(tree.lines(name), 1):
        counts = line.startswith("|") and (counts or line.startswith("| fault "))
        if counts or not line.startswith("|") or re.match(r"\|[-| :]+\|$|\| situation ", line):
            continue
        named = re.findall(r"`([^`]+)`", line.rstrip("| ").rpartition("|")[2])
        if not named:
            yield f"{name}:{number}: no test holds it"
        for test in named:
            if test not in tests:
                yield f"{name}:{number}: there is no test {test}"


RULES = {rule.__name__: rule for rule in (
    include_direction, guest_includes, quoted_includes, registered_launchers, proved_actions,
    dead_files, listed_sources, public_headers, file_length, runtime_length, unfinished,
    machine_traces, top_level, changelog, links, rooms, documented_flags, held_situations)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--root", default=".")
    parser.add_argument("--program")
    parser.add_argument("--rule", action="append", choices=RULES, default=[])
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(RULES))
        return 0
    tree = Tree(arguments.root, arguments.program)
    faults = [f"{name}: {fault}" for name in arguments.rule or RULES for fault in RULES[name](tree)]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
