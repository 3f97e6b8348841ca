#!/usr/bin/env python3
"""Does every #include keep to the ladder?

    check_layers.py [ROOT]

The rule is the table "folder | may include | external libraries" of docs/architecture.md, and
nothing else: this program only knows which header belongs to which library. It follows includes
through other headers, keeps *_internal.h inside its folder, and holds each folder's meson.build
to the same row.
"""

import pathlib
import re
import sys

import check_files

DOCUMENT = "docs/architecture.md"
ANY = "everything"

# Header names by library. What is neither here nor free is refused: a dependency is a decision.
LIBRARIES = {
    "libmd": r"(sha2?|sha1|sha256|sha512|md[245]|rmd160|ripemd)\.h",
    "libfdt": r"(libfdt|fdt|libfdt_env)\.h",
    "libcbor": r"cbor(\.h|/.*)",
    "protobuf-c": r"protobuf-c/.*",
    "libevent": r"(event2/.*|event\.h)",
    "libseccomp": r"seccomp\.h",
    "jansson": r"jansson(_config)?\.h",
    "criterion": r"criterion/.*",
}
FREE = re.compile(
    r"(linux|sys|asm|net|netinet|arpa|sanitizer|valgrind)/.*|(aio|alloca|assert|byteswap|ctype|"
    r"dirent|dlfcn|elf|endian|errno|execinfo|fcntl|fenv|float|fnmatch|getopt|glob|grp|inttypes|"
    r"iso646|langinfo|libgen|limits|link|locale|malloc|math|mqueue|netdb|poll|pthread|pwd|regex|"
    r"sched|search|semaphore|setjmp|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|"
    r"stdio|stdlib|stdnoreturn|string|strings|syslog|termios|tgmath|threads|time|uchar|unistd|"
    r"utime|wchar|wctype|x86intrin|immintrin|arm_neon|cpuid)\.h")

# meson.build names libraries by dependency.
MESON_LIBRARIES = {
    "libmd_dep": "libmd", "libfdt_dep": "libfdt", "libcbor_dep": "libcbor",
    "protobuf_c_dep": "protobuf-c", "libevent_dep": "libevent",
    "libseccomp_dep": "libseccomp", "jansson_dep": "jansson", "criterion_dep": "criterion",
}

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*(?:<([^>]+)>|\"([^\"]+)\")", re.MULTILINE)


class Row:
    """What one folder may do."""

    def __init__(self, folder, includes, libraries):
        self.folder = folder
        self.folders = set()
        self.headers = set()
        self.any_folder = includes == ANY
        self.any_library = libraries == ANY
        self.libraries = {}  # name -> files, empty set: all files of the folder
        if not self.any_folder:
            for name in re.findall(r"`([^`]+)`", includes):
                (self.headers if "/" in name else self.folders).add(name)
        if not self.any_library:
            for item in libraries.split(","):
                match = re.fullmatch(r"\s*([\w-]+)\s*(?:\(([^)]*)\))?\s*", item)
                if match and match.group(1) in LIBRARIES:
                    files = set(re.findall(r"`([^`]+)`", match.group(2) or ""))
                    self.libraries[match.group(1)] = files

    def allows_header(self, header):
        folder = header.split("/")[0]
        return (self.any_folder or folder == self.folder or folder in self.folders
                or header in self.headers)

    def allows_library(self, library, file_name):
        if self.any_library:
            return True
        files = self.libraries.get(library)
        return files is not None and (not files or file_name in files)


def read_rows(root):
    """The rows of the one table whose heading begins with "folder | may include"."""
    rows = {}
    inside = False
    for line in (root / DOCUMENT).read_text().splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if line.startswith("| folder | may include |"):
            inside = True
        elif inside and not line.startswith("|"):
            break
        elif inside and len(cells) >= 3 and cells[0].startswith("`"):
            folder = cells[0].strip("`")
            rows[folder] = Row(folder, cells[1], cells[2])
    if not rows:
        sys.exit(f"{DOCUMENT}: no table 'folder | may include | external libraries'")
    for row in rows.values():
        for name in row.folders | {h.split("/")[0] for h in row.headers}:
            if name not in rows:
                sys.exit(f"{DOCUMENT}: {row.folder} may include '{name}', which has no row")
    return rows


class Tree:
    def __init__(self, root):
        self.root = root
        self.rows = read_rows(root)
        self.includes = {}

    def includes_of(self, name):
        """[(external, own)] of one file, one of them empty; names as stated."""
        if name not in self.includes:
            path = self.root / name
            text = COMMENT.sub("", path.read_text(errors="replace")) if path.is_file() else ""
            self.includes[name] = INCLUDE.findall(text)
        return self.includes[name]

    def resolve(self, file, stated):
        """A quoted include as a path of the tree, or None if there is no such file."""
        beside = pathlib.PurePosixPath(file).parent / stated
        for name in (pathlib.PurePosixPath(stated), beside,
                     pathlib.PurePosixPath("tests") / stated):
            if (self.root / name).is_file():
                return name.as_posix()
        # Made while building: by protoc-c, or from a template beside it.
        if stated.endswith(".pb-c.h") or (self.root / (stated + ".in")).is_file():
            return stated
        return None

    def check_file(self, file):
        folder = file.split("/")[0]
        row = self.rows.get(folder)
        if "/" not in file or row is None:
            return [f"the table of {DOCUMENT} has no row for its folder"]
        texts = []
        for external, own in self.includes_of(file):
            if external:
                texts += self.check_external(row, file, external)
            else:
                texts += self.check_own(row, file, own)
        return texts

    def check_external(self, row, file, header):
        if FREE.fullmatch(header):
            return []
        for library, pattern in LIBRARIES.items():
            if re.fullmatch(pattern, header):
                if row.allows_library(library, file.split("/", 1)[1]):
                    return []
                return [f"<{header}>: {row.folder} may not use {library} here"]
        return [f"<{header}>: of no library that this tree uses"]

    def check_own(self, row, file, stated):
        header = self.resolve(file, stated)
        if header is None:
            return [f'"{stated}": no such file']
        if not row.any_folder and "/" not in stated:
            return [f'"{stated}": name it from the root, "{header}"']
        folder = header.split("/")[0]
        if header.endswith("_internal.h") and folder != row.folder and \
                not file.startswith(f"tests/{folder}/"):
            return [f'"{stated}": internal to {folder}']
        if not row.allows_header(header):
            return [f'"{stated}": {row.folder} may not include {folder}']
        if header in row.headers and folder not in row.folders:
            return self.check_single(row, header)
        return []

    def check_single(self, row, first):
        """A header named singly leads nowhere else: say by which way it does."""
        texts = []
        way = {first: None}
        open_list = [first]
        while open_list:
            header = open_list.pop()
            for external, own in self.includes_of(header):
                if external:
                    for text in self.check_external(row, header, external):
                        texts.append(f"{self.chain(way, header)}: {text}")
                    continue
                found = self.resolve(header, own)
                if found is None or found in way:
                    continue
                way[found] = header
                if not row.allows_header(found):
                    texts.append(f"{self.chain(way, found)}: {row.folder} may not know "
                                 f"{found.split('/')[0]}")
                elif found in row.headers and found.split("/")[0] not in row.folders:
                    open_list.append(found)
        return texts

    @staticmethod
    def chain(way, header):
        names = []
        while header:
            names.append(f'"{header}"')
            header = way[header]
        return " -> ".join(reversed(names))

    def check_meson(self, folder):
        """folder_uses and folder_libraries stay inside the row."""
        row = self.rows[folder]
        text = (self.root / folder / "meson.build").read_text()
        texts = []
        for variable in ("folder_uses", "folder_libraries"):
            for found in re.findall(rf"{variable}\s*\+?=\s*\[([^\]]*)\]", text):
                for name in re.findall(r"\w+_dep\b", found):
                    texts += self.check_dependency(row, variable, name)
        return texts

    def check_dependency(self, row, variable, name):
        if name in MESON_LIBRARIES:
            library = MESON_LIBRARIES[name]
            if row.any_library or library in row.libraries:
                return []
            return [f"{variable}: {row.folder} may not use {library}"]
        folder = name.removesuffix("_dep")
        named = row.folders | {h.split("/")[0] for h in row.headers}
        if folder in self.rows and not row.any_folder and folder not in named:
            return [f"{variable}: {row.folder} may not use {folder}"]
        return []


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    tree = Tree(root)
    failures = {}
    checked = 0
    for file in check_files.c_files(root):
        texts = tree.check_file(file.as_posix())
        checked += 1
        if texts:
            failures[file.as_posix()] = texts
    for folder in tree.rows:
        if (root / folder / "meson.build").is_file():
            texts = tree.check_meson(folder)
            checked += 1
            if texts:
                failures[f"{folder}/meson.build"] = texts
    return check_files.finish(checked, failures)


if __name__ == "__main__":
    sys.exit(main())
