"""Every shader file: that it compiles with its imports, reads as a room, and calls only safe functions."""

import itertools
import re
from importlib.resources import files

import pytest
from tree import report

from engine.gpu.compose import IMPORT, compose, source
from engine.gpu.shader import shader_module
from engine.network.activations import ACTIVATIONS

ROOT = files("wgsl")
NAMES = sorted(str(p.relative_to(ROOT))[:-5].replace("\\", "/") for p in ROOT.rglob("*.wgsl"))


def everything(name, seen=None):
    """The text of a file and of all that it imports."""
    seen = {} if seen is None else seen
    if name not in seen and not name.startswith("generated/"):
        seen[name] = source(name)
        for line in seen[name].splitlines():
            if match := IMPORT.match(line):
                everything(match.group(1), seen)
    return "\n".join(seen.values())


def stands_alone(name):
    """Whether a file needs nothing generated, no network and no binding of those that its first lines name."""
    text = everything(name)
    return not ("#import generated/" in text or re.search(r"\bnetwork_\w+\(|\bweights\[", text) or "Needs `" in text)


# Kernels and drawables are compiled by their own tests, with what is generated for them; the rest stands by itself.
ALONE = [n for n in NAMES if n.split("/")[0] in ("lib", "activations", "arithmetic") and stands_alone(n)]


@pytest.mark.parametrize("name", ALONE)
def test_a_file_compiles_by_itself_with_its_imports(name):
    shader_module(compose(name))


def test_a_file_starts_with_a_sentence_and_is_short_enough_to_be_read():
    faults = []
    for name in NAMES:
        lines = source(name).splitlines()
        first = " ".join(x[3:] for x in itertools.takewhile(lambda x: x.startswith("// "), lines))
        if not re.match(r"\w.*[.:;]", first):
            faults.append(f"{name} does not begin with a sentence")
        if len(lines) > 150:
            faults.append(f"{name} has {len(lines)} lines, more than 150")
        if max(map(len, lines)) > 140:
            faults.append(f"{name} has a line of more than 140 letters")
    report(faults)


def test_tanh_and_exp_are_ours():
    faults = []
    for name in NAMES:
        bare = re.findall(r"(?<![\w])(tanh|exp|sinh|cosh|exp2)\(", re.sub(r"//.*", "", source(name)))
        if bare and not name.startswith("lib/"):
            faults.append(f"{name} calls WGSL's {bare[0]}; wgsl/lib has a safe one")
    report(faults)


def test_names_are_written_as_the_style_asks():
    asked = {
        r"\bfn (\w+)": r"[a-z][a-z0-9_]*",
        r"\bstruct (\w+)": r"[A-Z][A-Za-z0-9]*",
        r"^(?:const|override) (\w+)": r"[A-Z][A-Z0-9_]*",
    }
    report(
        f"{name}: {given}"
        for name in NAMES
        for declaration, style in asked.items()
        for given in re.findall(declaration, re.sub(r"//.*", "", source(name)), re.M)
        if not re.fullmatch(style, given)
    )


def test_every_activation_has_its_file():
    assert set(ACTIVATIONS) == {n.split("/")[1] for n in NAMES if n.startswith("activations/")}


DECLARED = re.compile(r"^(?:const|override|fn|struct|alias|var(?:<[^>]*>)?)\s+(\w+)", re.M)


def test_no_shader_declares_a_name_of_the_activations_which_any_network_may_bring_into_it():
    theirs = set().union(*(DECLARED.findall(everything(n)) for n in NAMES if n.startswith("activations/")))
    own = {
        n: theirs & set(DECLARED.findall(source(n))) for n in NAMES if n.split("/")[0] in ("draw", "kernels", "render")
    }
    assert len(theirs) > 60 and not {n: names for n, names in own.items() if names}
