"""WGSL from files: each imported file replaces its first `#import` line, with a map back to file and line.

A composed module with an entry point holds only the functions, types and constants that its entry points use.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from engine.errors import ShaderError
from engine.kept import kept

IMPORT = re.compile(r"^\s*#import\s+([\w/]+)\s*$")
# wgpu's messages point at `wgsl:line:column`, whatever the label.
PLACE = re.compile(r"\bwgsl:(\d+):(\d+)")
# Declarations that are left out if nothing uses them. Overrides and bindings stay: Python sets them by name.
DECLARATION = re.compile(r"(?:fn|const|alias|struct|var<private>|var<workgroup>)\s+(\w+)")
WORD = re.compile(r"[A-Za-z_]\w*")
ENTRY = re.compile(r"^@(?:compute|vertex|fragment)\b", re.MULTILINE)


SUBGROUPS = re.compile(r"\bsubgroup\w+\(|@builtin\(subgroup_")


def standard(code: str) -> str:
    """WGSL text for other compilers than naga, as browsers have: they need `enable subgroups`, which naga has not.

    A loop that all lanes leave by `subgroupAny` is uniform, which these compilers do not see: there they are told.
    """
    if not SUBGROUPS.search(code):
        return code
    given = "diagnostic(off, subgroup_uniformity);\n" if "subgroupAny(" in code else ""
    return f"enable subgroups;\n{given}{code}"


@dataclass(frozen=True)
class Module:
    """Composed WGSL.

    name     of the file it began with; the shader module's label
    code     the text given to the compiler
    places   for each line of code, the (file, line) it came from; lines count from 1
    """

    name: str
    code: str
    places: tuple[tuple[str, int], ...]

    def explain(self, message: object) -> str:
        """A compiler's message with every line of the composed text replaced by its source file and line."""

        def replace(match):
            line = int(match.group(1))
            if not 1 <= line <= len(self.places):
                return match.group(0)
            file, at = self.places[line - 1]
            return f"{file}:{at}:{match.group(2)}"

        return PLACE.sub(replace, str(message))


@cache
def source(name: str) -> str:
    """The text of `wgsl/<name>.wgsl`. Raises ShaderError when there is no such file."""
    path = files("wgsl").joinpath(*f"{name}.wgsl".split("/"))
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise ShaderError(f"There is no shader file wgsl/{name}.wgsl.") from None


@dataclass(frozen=True)
class Piece:
    """Lines that are kept or left out together: a declaration with the comment above it, or text between two.

    name    the name it declares; None if it is always kept
    lines   (text, line number) pairs; an import is a piece of its own
    words   identifiers in the lines, without those in comments
    """

    name: str | None
    lines: tuple[tuple[str, int], ...]
    words: frozenset[str]


@kept
def pieces(text: str) -> tuple[Piece, ...]:
    """The Pieces of a WGSL text. Only a declaration that begins at the start of a line can be left out."""
    found: list[Piece] = []
    comments: list[tuple[str, int]] = []
    lines: list[tuple[str, int]] = []
    name, depth = None, 0

    def end():
        words = {word for line, _ in lines for word in WORD.findall(line.partition("//")[0])}
        if lines:
            found.append(Piece(name, tuple(comments + lines), frozenset(words)))
            comments.clear()
            lines.clear()

    for number, line in enumerate(text.splitlines(), 1):
        code = line.partition("//")[0].strip()
        if not lines and line.startswith("//"):
            comments.append((line, number))
            continue
        if not lines:
            match = DECLARATION.match(line)
            name = match.group(1) if match else None
        lines.append((line, number))
        depth += sum(code.count(c) for c in "({[") - sum(code.count(c) for c in ")}]")
        # An attribute has a line of its own, before the declaration that it belongs to.
        if depth <= 0 and not (code.startswith("@") and not code.endswith((";", "}"))):
            end()
    end()
    if comments:
        found.append(Piece(None, tuple(comments), frozenset()))
    return tuple(found)


def reached(found: list[tuple[str, Piece]]) -> set[str]:
    """The names that Pieces without a name use, directly or through other Pieces; of (file, Piece) pairs."""
    users: dict[str, set[str]] = {}
    todo: set[str] = set()
    for _, piece in found:
        if piece.name is None:
            todo |= piece.words
        else:
            # WGSL has no overloads: the compiler reports a name that is declared twice.
            users[piece.name] = users.get(piece.name, set()) | piece.words
    names: set[str] = set()
    while todo:
        name = todo.pop()
        if name in users and name not in names:
            names.add(name)
            todo |= users[name]
    return names


def compose(name: str, generated: dict[str, str] | None = None) -> Module:
    """The file `wgsl/<name>.wgsl` with its imports, under a comment that lists them.

    name        a path under wgsl/ without its ending, `kernels/rays`
    generated   texts by name, for `#import generated/<name>`: bindings, structs, network bodies

    A text without an entry point is kept whole. Raises ShaderError, with the line, for an import that does not exist.
    """
    generated = generated or {}
    found: list[tuple[str, Piece]] = []
    seen: list[str] = []

    def add(name, asked_by):
        if name in seen:
            return
        seen.append(name)
        if name.startswith("generated/"):
            key = name.removeprefix("generated/")
            if key not in generated:
                raise ShaderError(f"{asked_by} imports {name}, but only {sorted(generated)} were generated.")
            text, file = generated[key], name
        else:
            try:
                text, file = source(name), f"wgsl/{name}.wgsl"
            except ShaderError as error:
                raise ShaderError(f"{asked_by}: {error}") from None
        for piece in pieces(text):
            match = IMPORT.match(piece.lines[-1][0])
            found.append((file, Piece(None, piece.lines[:-1], frozenset()) if match else piece))
            if match:
                add(match.group(1), f"{file}:{piece.lines[-1][1]}")

    add(name, "compose")
    if any(ENTRY.match(line) for _, piece in found for line, _ in piece.lines):
        names = reached(found)
        found = [(file, piece) for file, piece in found if piece.name is None or piece.name in names]
    lines, places = [], []
    for start in range(0, len(seen), 6):
        lines.append(f"// {'with' if start else 'made from'} {', '.join(seen[start : start + 6])}")
        places.append(("compose", len(lines)))
    for file, piece in found:
        for line, number in piece.lines:
            # Pieces that were left out leave several blank lines: keep one.
            if line or lines[-1]:
                lines.append(line)
                places.append((file, number))
    return Module(f"{name}.wgsl", "\n".join(lines) + "\n", tuple(places))
