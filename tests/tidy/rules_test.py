#!/usr/bin/env python3
"""Every rule of rules.py passes a good tree and finds what is wrong in a bad one."""

import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import rules  # noqa: E402

FACTORY = "std::unique_ptr<Launcher> MakeRunc(RuntimeOptions options) {\n}\n"

GOOD = {
    "README.md": "# Title\n\n## A part: of it\n\nSee [there](docs/a.md), [part](#a-part-of-it), "
                 "[folder](docs), [web](https://example.org/x) and `--hvbench_good`.\n\n"
                 "benchmarks/  the program\n  kernels/  timed\nfixtures/  guests\n  agent/  a\n"
                 "  protocol/  p\nruntime_launchers/  l\ncmake/  c\ntests/  t\n  fuzz/  f\ndocs/  pages\n",
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- `--hvbench_of_old`\n",
    "docs/a.md": "# A\n",
    "docs/safety.md": "| situation | what happens | held by |\n|---|---|---|\n"
                      "| `a` | nothing | `Pool.Works`, `pool_test.py:test_it` |\n",
    "tests/pool_test.cc": "TEST_F(Pool, Works) {\n",
    "tests/pool_test.py": "    def test_it(self):\n",
    "CMakeLists.txt": "add_executable(x benchmarks/main.cc tests/pool_test.cc)\n",
    "cmake/HvbenchInstall.cmake": "set(_hvbench_public_headers\n  fixtures/agent/kernel.h\n"
                                  "  # And:\n  fixtures/protocol/frame.h)\n",
    "benchmarks/main.cc": '#include "fixtures/pool.h"\n#include <CLI/CLI.hpp>\n',
    "benchmarks/kernels/CMakeLists.txt": "file(GLOB k CONFIGURE_DEPENDS *.cc)\n",
    "benchmarks/kernels/cpu_one.cc":
        '#include <nettle/sha2.h>\n#include <sys/mman.h>\n#include "fixtures/agent/kernel.h"\n',
    "fixtures/pool.h": '#include <vector>\n#include "runtime_launchers/launcher.h"\n'
                       '#include "fixtures/protocol/frame.h"\n',
    "fixtures/agent/kernel.h": '#include <unistd.h>\n#include "fixtures/protocol/frame.h"\n',
    "fixtures/protocol/frame.h": "#include <cstdint>\n",
    "runtime_launchers/CMakeLists.txt": "target_sources(l PRIVATE\n  runc.cc)\n",
    "tests/fuzz/CMakeLists.txt": "hvbench_fuzzer(frame\n  a.cc)\n",
    "tests/fuzz/frame_fuzzer.cc": "\n",
    "runtime_launchers/launcher.h": "#include <string>\n// kill() is not called; process.Kill(9) is\n",
    "runtime_launchers/runc.cc": '#include "runtime_launchers/launcher.h"\n' + FACTORY,
    "runtime_launchers/runtimes.def": '// Names.\nHVBENCH_RUNTIME("runc", MakeRunc)\n',
}

# Rule, file, its bad text (None: the file is removed), and a part of what the rule must say.
BAD = [
    ("include_direction", "runtime_launchers/launcher.h", '#include "fixtures/pool.h"\n', "pool.h"),
    ("include_direction", "runtime_launchers/launcher.h",
     '#include "fixtures/protocol/frame.h"\n', "frame.h"),
    ("include_direction", "fixtures/pool.h", '#include "benchmarks/suite.h"\n', "suite.h"),
    ("include_direction", "fixtures/pool.h", '#include "fixtures/agent/kernel.h"\n', "kernel.h"),
    ("include_direction", "benchmarks/main.cc", '#include "benchmarks/kernels/a.h"\n', "a.h"),
    ("include_direction", "fixtures/protocol/frame.h", '#include "fixtures/pool.h"\n', "pool.h"),
    ("include_direction", "fixtures/agent/kernel.h",
     '#include "runtime_launchers/launcher.h"\n', "launcher.h"),
    ("include_direction", "benchmarks/kernels/cpu_one.cc", '#include "fixtures/pool.h"\n', "pool.h"),
    ("include_direction", "benchmarks/kernels/cpu_one.cc",
     '#include "benchmarks/load/load.h"\n', "load.h"),
    ("include_direction", "benchmarks/load/load.h", '#include "fixtures/pool.h"\n', "pool.h"),
    ("guest_includes", "fixtures/protocol/frame.h", "#include <unistd.h>\n", "unistd.h"),
    ("guest_includes", "fixtures/agent/kernel.h", "#include <boost/asio.hpp>\n", "boost"),
    ("guest_includes", "fixtures/agent/kernel.h", "#include <nettle/sha2.h>\n", "nettle"),
    ("guest_includes", "benchmarks/kernels/cpu_one.cc",
     "#include <benchmark/benchmark.h>\n", "benchmark.h"),
    ("quoted_includes", "benchmarks/main.cc", '#include "pool.h"\n', "pool.h"),
    ("registered_launchers", "runtime_launchers/runtimes.def", "\n", "MakeRunc"),
    ("registered_launchers", "runtime_launchers/runc.cc", "\n", "no file defines"),
    ("registered_launchers", "runtime_launchers/runtimes.def",
     2 * 'HVBENCH_RUNTIME("runc", MakeRunc)\n', "twice"),
    ("registered_launchers", "runtime_launchers/runtimes.def", None, "missing"),
    ("proved_actions", "runtime_launchers/runc.cc", "  kill(pid, SIGKILL);\n", "runc.cc:1"),
    ("proved_actions", "runtime_launchers/runc.cc", "  ::kill(-pid, SIGKILL);\n", "runc.cc:1"),
    ("proved_actions", "runtime_launchers/runc.cc", "  syscall(SYS_pidfd_open, pid, 0);\n", "runc.cc"),
    ("proved_actions", "fixtures/pool.h", 'Write(dir / "cgroup.kill", "1");\n', "pool.h"),
    ("proved_actions", "benchmarks/main.cc", 'Write(dir / "freezer.state", "FROZEN");\n', "main.cc"),
    ("dead_files", "benchmarks/other.cc", "\n", "other.cc"),
    ("dead_files", "runtime_launchers/crun.cc", "\n", "crun.cc"),
    ("dead_files", "tests/fuzz/other_fuzzer.cc", "\n", "other_fuzzer.cc"),
    ("dead_files", "fixtures/unused.h", "\n", "unused.h"),
    ("listed_sources", "tests/fuzz/CMakeLists.txt",
     "hvbench_fuzzer(good ${PROJECT_SOURCE_DIR}/fixtures/gone.cc)\n", "no fixtures/gone.cc"),
    ("public_headers", "cmake/HvbenchInstall.cmake", None, "no list"),
    ("public_headers", "cmake/HvbenchInstall.cmake",
     "set(_hvbench_public_headers\n  fixtures/agent/kernel.h)\n", "frame.h is not installed"),
    ("public_headers", "fixtures/protocol/frame.h", None, "there is no fixtures/protocol/frame.h"),
    ("public_headers", "docs/a.md", "# A\n\n#include <fixtures/pool.h>\n", "pool.h is not installed"),
    ("public_headers", "tests/integration/consumer/example/main.cc",
     "#include <fixtures/pool.h>\n", "pool.h is not installed"),
    ("file_length", "benchmarks/main.cc", 501 * "\n", "501"),
    ("runtime_length", "tests/fuzz/youki.cc", 21 * "\n", "more than 20"),
    ("rooms", "benchmarks/report/a.h", "\n", "lacks benchmarks/report/"),
    ("rooms", "fixtures/agent/kernel.h", None, "there is no fixtures/agent/"),
    ("unfinished", "benchmarks/main.cc", "// TO" + "DO(me): later\n", "later"),
    ("machine_traces", "README.md", "in /ro" + "ot/src\n", "src"),
    ("machine_traces", "docs/a.md", "from deb.deb" + "ian.org\n", "from"),
    ("top_level", "notes.txt", "\n", "notes.txt"),
    ("changelog", "CHANGELOG.md", "# Changelog\n", "Unreleased"),
    ("changelog", "CHANGELOG.md", "## [Unreleased]\n### News\n", "News"),
    ("changelog", "CHANGELOG.md", None, "missing"),
    ("links", "docs/a.md", "[b](b.md)\n", "b.md"),
    ("links", "docs/a.md", "[b](../README.md#none)\n", "#none"),
    ("held_situations", "docs/safety.md", "| one | two | by hand |\n", "no test"),
    ("held_situations", "docs/safety.md", "| one | `Pool.Works` | `Pool.Fails` |\n", "Pool.Fails"),
    ("held_situations", "docs/safety.md", None, "missing"),
    ("documented_flags", "docs/a.md", "--hvbench_bad\n", "hvbench_bad"),
    ("documented_flags", "README.md", "# Nothing\n", "hvbench_good"),
]


class RulesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name, "tree")
        for name, text in GOOD.items():
            self.write(name, text)
        subprocess.run(["git", "init", "--quiet", str(self.root)], check=True)
        self.program = pathlib.Path(folder.name, "program")
        self.program.write_text("#!/bin/sh\necho '  --hvbench_good TEXT  a flag'\n")
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)

    def write(self, name, text):
        path = self.root / name
        if text is None:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def faults(self, rule):
        return list(rules.RULES[rule](rules.Tree(self.root, str(self.program))))

    def test_good_tree_has_no_faults(self):
        for rule in rules.RULES:
            with self.subTest(rule):
                self.assertEqual(self.faults(rule), [])

    def test_each_fault_is_found(self):
        for rule, name, text, expected in BAD:
            with self.subTest(rule, file=name, text=text):
                self.write(name, text)
                faults = self.faults(rule)
                self.assertTrue(any(expected in fault for fault in faults), faults)
                self.write(name, GOOD.get(name, None))

    def test_each_rule_is_tested(self):
        self.assertEqual({rule for rule, *_ in BAD}, set(rules.RULES))

    def test_status_says_whether_there_are_faults(self):
        script = pathlib.Path(rules.__file__)
        command = [sys.executable, str(script), "--root", str(self.root), "--rule", "changelog"]
        self.assertEqual(subprocess.run(command, check=False).returncode, 0)
        self.write("CHANGELOG.md", "\n")
        self.assertEqual(
            subprocess.run(command, check=False, capture_output=True).returncode, 1)


if __name__ == "__main__":
    unittest.main()
