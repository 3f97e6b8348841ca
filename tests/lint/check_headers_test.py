#!/usr/bin/env python3
"""check_headers.py refuses headers that lean on their includer, and nothing else."""

import json
import shutil
import unittest

import lint_helpers

GUARD = "#ifndef SUPPORT_{0}_H\n#define SUPPORT_{0}_H\n{1}\n#endif\n"
BAD = [
    ("support/b.h", GUARD.format("B", "uint8_t b(void);"), "uint8_t"),
    ("support/b.h", GUARD.format("B", "static int b(void) { return 0; }"), "b"),
    ("support/b.h", "int b(void);\n", "expected SUPPORT_B_H"),
    ("support/b.h", GUARD.format("OTHER", ""), "expected SUPPORT_B_H"),
    ("support/b.h", "typedef struct B { int b; } B;\n", "redefinition"),
    ("support/b.h", GUARD.format("B", "static inline int b(long a) { int c = a; return c; }"),
     "conversion"),
]


@unittest.skipUnless(shutil.which("gcc"), "gcc is not installed")
class CheckHeaders(unittest.TestCase):
    def run_on(self, files, *compilers):
        tree = lint_helpers.Tree(self, {
            "support/a.h": GUARD.format("A", "#include <stdint.h>\nuint8_t a(void);"),
            "build/compile_commands.json": json.dumps([{
                "file": "support/a.c",
                "command": "cc -Wall -Wextra -Wshadow -Wconversion -std=gnu17 -Wno-such -c a.c",
            }]), **files})
        return lint_helpers.run_lint("check_headers.py", tree.root, tree.root / "build",
                                     *compilers)

    def test_accepts_headers_that_stand_alone(self):
        status, text = self.run_on({}, "gcc")
        self.assertEqual(status, 0, text)
        self.assertEqual(text, "2 passed, 0 failed, 0 skipped\n")

    def test_refuses_each_fault(self):
        for name, source, reason in BAD:
            with self.subTest(source=source):
                status, text = self.run_on({name: source}, "gcc")
                self.assertEqual(status, 1, text)
                self.assertIn(reason, text)

    def test_shows_a_compiler_that_is_missing(self):
        status, text = self.run_on({}, "no-such-compiler", "gcc")
        self.assertEqual(status, 0, text)
        self.assertIn("no-such-compiler is not installed", text)
        self.assertRegex(text, r"1 skipped\n$")


if __name__ == "__main__":
    lint_helpers.main()
