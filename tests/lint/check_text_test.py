#!/usr/bin/env python3
"""check_text.py and check_elf.py refuse what they should, and nothing else."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

import lint_helpers

ROWS = """/* A table */
DIAGNOSTIC(ONE, 0001, LIMIT, ERROR, "a", "b")
DIAGNOSTIC(ONE, 0002, LIMIT, ERROR, "a",
	"b")
DIAGNOSTIC(TWO, 0001, LIMIT, ERROR, "a", "b")
"""
GOOD = {
    "support/diagnostics.def": ROWS,
    "support/a.c": "int a;\t/* PVW_ONE_0001 */\n",
    "tests/a_test.c": "/* PVW_ONE_0001 */\n",
    "blob.bin": b"\0\xff \n",
    "README.md": "A network/path and a/wor" + "k/of art are fine.\n",
}
BAD = [
    ("a.c", "int a; \n", "line 1: blanks"),
    ("a.c", "int a;\n\t\n", "line 2: blanks"),
    ("a.c", "int a;\r\n", "carriage return"),
    ("a.c", "int a;", "no newline"),
    ("a.c", "\t" * 12 + "int a;\n", "102 columns"),
    ("a.c", b"\xff\n", "not UTF-8"),
    ("notes", "see /wor" + "k/main\n", "a path of one machine"),
    ("meson.build", "'/tm" + "p/b-x'\n", "a path of one machine"),
    ("scripts/run", "x \n", "blanks"),
    ("support/diagnostics.def", ROWS.replace("0002", "0003"), "PVW-ONE-0003: expected number 0002"),
    ("support/diagnostics.def", ROWS.replace("0002", "0001"), "PVW-ONE-0001: expected number 0002"),
    ("support/diagnostics.def", ROWS.replace("0002", "2"), "expected four digits"),
    ("support/diagnostics.def", ROWS + ROWS.splitlines()[1].replace("0001", "0003") + "\n",
     "PVW-ONE-0003: apart"),
    ("support/diagnostics.def", ROWS + "DIAGNOSTIC(odd\n", "cannot be read"),
]


class CheckText(unittest.TestCase):
    def test_accepts_clean_files(self):
        tree = lint_helpers.Tree(self, GOOD)
        status, text = lint_helpers.run_lint("check_text.py", tree.root)
        self.assertEqual(status, 0, text)
        self.assertEqual(text, f"{len(GOOD) + 3} passed, 0 failed, 0 skipped\n")

    def test_refuses_each_fault_with_its_reason(self):
        for name, source, reason in BAD:
            with self.subTest(name=name, reason=reason):
                tree = lint_helpers.Tree(self, GOOD)
                tree.write(name, source)
                status, text = lint_helpers.run_lint("check_text.py", tree.root)
                self.assertEqual(status, 1, text)
                self.assertIn(reason, text)

    def test_shows_diagnostics_that_no_test_provokes(self):
        tree = lint_helpers.Tree(self, GOOD)
        tree.write("support/b.c", "/* PVW_TWO_0001 PVW_ONE_0002 */\n")
        tree.write("tests/golden/deviations.md", "`PVW-ONE-0002`\n")
        status, text = lint_helpers.run_lint("check_text.py", tree.root)
        self.assertEqual(status, 0, text)
        self.assertIn("PVW-TWO-0001: no test names it\n", text)
        self.assertNotIn("PVW-ONE-0002", text)
        self.assertRegex(text, r"1 skipped\n$")


HARD = ["-fstack-protector-all", "-fPIE", "-pie", "-Wl,-z,relro,-z,now,-z,noexecstack"]
SOFT = [
    (["-fPIE", "-no-pie"], "position independent"),
    (["-Wl,-z,lazy"], "bound at start"),
    (["-Wl,-z,norelro"], "read-only relocations"),
    (["-Wl,-z,execstack"], "no executable stack"),
    (["-Wl,-rpath,/x"], "no search path of its own"),
    (["-fno-stack-protector"], "stack protector in use"),
]


@unittest.skipUnless(shutil.which("gcc"), "gcc is not installed")
class CheckElf(unittest.TestCase):
    def build(self, flags):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        program = pathlib.Path(folder.name) / "program"
        subprocess.run(["gcc", "-x", "c", "-", "-o", str(program), *flags], check=True,
                       input=b"int main(void) { char a[16]; a[0] = 0; return a[0]; }\n")
        return program

    def test_accepts_a_hardened_program(self):
        status, text = lint_helpers.run_lint("check_elf.py", self.build(HARD))
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"^\d+ passed, 0 failed, 0 skipped\n$")

    def test_names_each_protection_that_is_missing(self):
        for flags, reason in SOFT:
            with self.subTest(flags=flags):
                status, text = lint_helpers.run_lint("check_elf.py", self.build(HARD + flags))
                self.assertEqual(status, 1, text)
                self.assertIn(reason, text)

    def test_skips_what_was_not_built(self):
        status, text = lint_helpers.run_lint("check_elf.py", "nowhere/pvw")
        self.assertEqual(status, 77)
        self.assertIn("not built", text)

    def test_refuses_what_is_no_program(self):
        tree = lint_helpers.Tree(self, {"a": b"#!/bin/sh\n", "b": b"\x7fELF\x02\x01"})
        for name in ("a", "b"):
            status, text = lint_helpers.run_lint("check_elf.py", tree.root / name)
            self.assertEqual(status, 1, text)


if __name__ == "__main__":
    lint_helpers.main()
