"""What a guest said: facts between markers, and the lines of its kernel."""

import re

BEGIN = re.compile(r"^@@BEGIN ([a-z-]+)$")
STAMP = re.compile(r"^\[ *\d+\.\d+\] ")


class Console:
    def __init__(self, text):
        lines = [line.rstrip("\r") for line in text.split("\n")]
        self.text = text
        self.done = "@@DONE" in lines
        self.facts = {}
        self.kernel = []  # its lines outside of facts, without time
        fact = None
        for line in lines:
            begin = BEGIN.match(line)
            if begin:
                fact = self.facts[begin.group(1)] = []
            elif line == "@@END":
                fact = None
            elif fact is not None:
                fact.append(line)
            elif STAMP.match(line):
                self.kernel.append(STAMP.sub("", line))

    def fact(self, name):
        return self.facts.get(name, [])

    def find(self, pattern):
        """All matches in the kernel's lines, as tuples of groups."""
        expression = re.compile(pattern)
        return [match.groups() for line in self.kernel for match in [expression.search(line)]
                if match]

    def has(self, pattern):
        return any(re.search(pattern, line) for line in self.kernel)

    def tail(self, count=6):
        lines = [line for line in self.text.split("\n") if line.strip()]
        return "\n".join("    | " + line.rstrip() for line in lines[-count:])
