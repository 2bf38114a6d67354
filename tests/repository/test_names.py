"""What must hold of the names in the code: annotated where they are public, one thing a name, the field's words."""

import ast
import re
from collections import defaultdict

from tree import SHADERS, SOURCES, parsed, place, report, text


def public_functions(body):
    """The functions and methods of a module without an underscore, in classes without one."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def is_annotated(function):
    a = function.args
    named = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    return function.returns is not None and all(x.annotation or x.arg in ("self", "cls") for x in named)


def test_what_is_annotated_is_recognised():
    (whole,) = ast.parse("def f(self, a: int, *b: str, c: int = 1, **d: int) -> None: ...").body
    assert is_annotated(whole)
    for line in ("def f(a) -> None: ...", "def f(a: int): ...", "def f(*a) -> None: ...", "def f(*, a) -> None: ..."):
        assert not is_annotated(ast.parse(line).body[0]), line
    (kind,) = ast.parse("class A:\n def b(self): ...\n def _c(self): ...\n class _D:\n  def e(self): ...").body
    assert [f.name for f in public_functions([kind])] == ["b"]


def test_every_public_function_is_annotated():
    found = defaultdict(list)
    for path in SOURCES:
        for function in public_functions(parsed(path).body):
            if not is_annotated(function):
                found[place(path)].append(f"{function.name} (line {function.lineno})")
    report(found)


def test_no_two_classes_of_the_engine_have_one_name():
    found = defaultdict(list)
    for path in SOURCES:
        if place(path).startswith("engine/"):
            for node in ast.walk(parsed(path)):
                if isinstance(node, ast.ClassDef):
                    found[node.name].append(place(path))
    report({name: where for name, where in found.items() if len(where) > 1})


# Words that the project has given up, and what it says instead.
OLD_WORDS = {
    "doubt": "error_bound",
    "doubts": "error_bounds",
    "bubble": "parabola, remainder",
    "bubbles": "parabola, remainder",
    "cone": "slope bound",
    "desk": "overlay",
    "sight": "picking",
    "ink": "draw",
    "dress": "set_theme",
    "wear": "set_theme",
    "told": "what it is: reported, given, message",
    "several": "batched",
    "carried": "tangent",
    "influence": "attribution",
    "placing": "memory_plan",
    "idle": "dead",
    "copycat": "duplicate",
    "iso": "level",
    "prints": "tiled_picture",
    "walls": "sums, levels, sides",
    "lane": "component, invocation, neuron",
    "lanes": "components, invocations, neurons",
}
# A file that speaks of this may use the word: lanes are those of a subgroup.
UNLESS = {"lane": "subgroup", "lanes": "subgroup"}


def words_of(name):
    return re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)


def identifiers(path):
    if path.suffix == ".wgsl":
        return set(re.findall(r"[A-Za-z_]\w*", re.sub(r"//.*", "", text(path))))
    found = {path.stem}
    for node in ast.walk(parsed(path)):
        for field in ("id", "attr", "arg", "name", "asname"):
            if isinstance(name := getattr(node, field, None), str):
                found.add(name)
    return found


def test_no_name_uses_a_word_that_was_given_up():
    wrong = defaultdict(set)
    for path in [*SOURCES, *SHADERS]:
        for name in identifiers(path):
            for word in {w.lower() for w in words_of(name)} & OLD_WORDS.keys():
                if UNLESS.get(word, "\0") in text(path):
                    continue
                wrong[place(path)].add(f"{name}: say {OLD_WORDS[word]}")
    report(wrong)
