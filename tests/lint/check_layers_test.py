#!/usr/bin/env python3
"""check_layers.py refuses what breaks the ladder, with the reason, and nothing else."""

import unittest

import lint_helpers

TABLE = """# A house

| folder | may include | external libraries | must not know |
|---|---|---|---|
| `low` | – | libmd (`digest.c`) | all |
| `middle` | `low` | libfdt | top |
| `strict` | `low`, `middle/plain.h` | – | middle |
| `top` | `low`, `middle` | libevent, jansson | strict |
| `tests` | everything | everything | – |
| `tools` | everything | jansson | – |

| folder | nouns |
|---|---|
| `low` | `middle` |
"""

GOOD = {
    "docs/architecture.md": TABLE,
    "low/a.h": "#include <stdint.h>\n",
    "low/a.c": '#include "low/a.h"\n#include "low/low_internal.h"\n#include <linux/vm.h>\n',
    "low/low_internal.h": "",
    "low/digest.c": "#include <sha2.h>\n",
    "middle/plain.h": '#include "low/a.h"\n',
    "middle/rich.h": '#include "middle/plain.h"\n#include <libfdt.h>\n',
    "strict/s.c": '#include "middle/plain.h"\n#include "low/a.h"\n',
    "top/t.c": '#include "middle/rich.h"\n#include <event2/event.h>\n/* #include "x/y.h" */\n',
    "tests/low/a_test.c": '#include <criterion/criterion.h>\n#include "low/low_internal.h"\n',
    "tools/golden/golden.h": "#include <jansson.h>\n",
    "tools/golden/main.c": '#include "golden.h"\n#include "top/missing.pb-c.h"\n',
    "low/version.h.in": "",
    "top/v.c": '#include "low/version.h"\n',
    "middle/meson.build": "folder_uses = [low_dep]\nfolder_libraries = [libfdt_dep]\n",
}

# name of the file that is added or replaced, its text, what must be said
BAD = [
    ("low/b.c", '#include "middle/plain.h"\n', "low may not include middle"),
    ("low/b.c", '#include "top/missing.pb-c.h"\n', "low may not include top"),
    ("middle/b.c", '  #  include  "top/t.h"\n', '"top/t.h": no such file'),
    ("middle/b.c", '#include "strict/s.c"\n', "middle may not include strict"),
    ("top/b.c", '#include "strict/s.c"\n', "top may not include strict"),
    ("strict/b.c", '#include "middle/rich.h"\n', "strict may not include middle"),
    ("top/b.c", '#include "low/low_internal.h"\n', "internal to low"),
    ("tests/top/b_test.c", '#include "low/low_internal.h"\n', "internal to low"),
    ("low/b.c", "#include <libfdt.h>\n", "low may not use libfdt"),
    ("low/b.c", "#include <sha2.h>\n", "low may not use libmd here"),
    ("middle/b.c", "#include <event2/event.h>\n", "middle may not use libevent"),
    ("middle/b.c", "#include <protobuf-c/protobuf-c.h>\n", "middle may not use protobuf-c"),
    ("middle/b.c", "#include <seccomp.h>\n", "middle may not use libseccomp"),
    ("middle/b.c", "#include <jansson.h>\n", "middle may not use jansson"),
    ("middle/b.c", "#include <cbor.h>\n", "middle may not use libcbor"),
    ("top/b.c", "#include <criterion/criterion.h>\n", "top may not use criterion"),
    ("top/b.c", "#include <openssl/sha.h>\n", "of no library"),
    ("middle/b.c", '#include "plain.h"\n', "name it from the root"),
    ("other/b.c", "", "has no row"),
    ("b.c", "", "has no row"),
    ("middle/meson.build", "folder_uses = [low_dep, top_dep]\n", "middle may not use top"),
    ("middle/meson.build", "folder_libraries = [jansson_dep]\n", "middle may not use jansson"),
    # A header that is named singly must not lead elsewhere, however far.
    ("middle/plain.h", '#include "middle/more.h"\n', '"middle/plain.h" -> "middle/more.h"'),
    ("middle/plain.h", '#include "low/a.h"\n#include <libfdt.h>\n', "strict may not use libfdt"),
]


class CheckLayers(unittest.TestCase):
    def test_accepts_a_tree_that_keeps_to_the_table(self):
        tree = lint_helpers.Tree(self, GOOD)
        status, text = lint_helpers.run_lint("check_layers.py", tree.root)
        self.assertEqual(status, 0, text)
        self.assertEqual(text, f"{len(GOOD) - 2} passed, 0 failed, 0 skipped\n")

    def test_refuses_each_breach_with_its_reason(self):
        for name, source, reason in BAD:
            with self.subTest(name=name, source=source):
                tree = lint_helpers.Tree(self, GOOD)
                tree.write("middle/more.h", "")
                tree.write(name, source)
                status, text = lint_helpers.run_lint("check_layers.py", tree.root)
                self.assertEqual(status, 1, text)
                self.assertIn(reason, text)
                self.assertRegex(text, r"\n\d+ passed, 1 failed, 0 skipped\n$")

    def test_follows_single_headers_through_single_headers(self):
        table = TABLE.replace("`middle/plain.h`", "`middle/plain.h`, `middle/next.h`")
        tree = lint_helpers.Tree(self, {**GOOD, "docs/architecture.md": table})
        tree.write("middle/plain.h", '#include "middle/next.h"\n')
        tree.write("middle/next.h", '#include "middle/rich.h"\n')
        status, text = lint_helpers.run_lint("check_layers.py", tree.root)
        self.assertEqual(status, 1)
        self.assertIn('"middle/plain.h" -> "middle/next.h" -> "middle/rich.h": strict may not '
                      "know middle", text)

    def test_needs_its_table(self):
        for table in ("# nothing\n", TABLE.replace("`low`, `middle`", "`low`, `nowhere`")):
            tree = lint_helpers.Tree(self, {**GOOD, "docs/architecture.md": table})
            status, text = lint_helpers.run_lint("check_layers.py", tree.root)
            self.assertNotEqual(status, 0)
            self.assertIn("docs/architecture.md", text)

    def test_the_houses_own_table_names_every_folder_of_the_ladder(self):
        import check_layers
        rows = check_layers.read_rows(lint_helpers.ROOT)
        meson = (lint_helpers.ROOT / "meson.build").read_text()
        ladder = meson.split("ladder = [")[1].split("]")[0]
        for folder in ladder.replace("'", " ").replace(",", " ").split():
            self.assertIn(folder, rows)


if __name__ == "__main__":
    lint_helpers.main()
