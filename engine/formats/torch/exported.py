"""Graphs of PyTorch modules with any forward, from torch.export: its operators after decomposition, a row for each."""

from __future__ import annotations

import importlib
import io
import logging
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from engine.errors import NetworkError
from engine.formats.files import short
from engine.formats.torch.aten import arithmetic, layers, layout
from engine.formats.torch.aten.call import Call, Row
from engine.formats.torch.running import check_state, evaluating, tensors
from engine.network.graph.builder import Builder, Value
from engine.network.graph.graph import Graph

ROWS: Mapping[str, Row] = arithmetic.ROWS | layers.ROWS | layout.ROWS
# Operators that take of their input its shape alone.
OF_A_SHAPE = re.compile(r"(full|zeros|ones|empty)_like$|new_(full|zeros|ones|empty)$")
RANDOM = re.compile("rand|bernoulli|multinomial|normal_|poisson|exponential_")


class Exported:
    """The operators of a module, exported once; its graph for whatever its parameters are now.

    module    of any forward, unwrapped
    example   a tensor or array of inputs, or a tuple of several; its first axis, if it has two, is the batch, of which
              one is taken

    Raises NetworkError for a module that cannot be exported, saying why. The module and random numbers stay as they
    were.
    """

    def __init__(self, module: Any, example: Any):
        self.module, self.name = module, f"the {short(type(module).__name__)}"
        check_state(module, self.name)
        with evaluating(module) as torch:
            one = tuple(x[:1] if x.ndim > 1 else x for x in tensors(module, example, torch))
            try:
                with _quiet():
                    self._program = _program(torch, module, one)
            except Exception as error:  # whatever a person's forward does
                raise NetworkError(f"torch.export cannot read {self.name}: {short(_reason(error), 300)}") from None

    def graph(self) -> Graph:
        """The Graph with the module's parameters as they are now."""
        with evaluating(self.module) as torch:
            return _Reader(torch, self._program, self.module, self.name).read()


def _program(torch, module, example):
    if isinstance(module, torch.jit.ScriptModule):
        converter = importlib.import_module("torch._export.converter")
        program = converter.TS2EPConverter(module, example).convert()
    else:
        program = torch.export.export(module, example, strict=False)
    # What there is a row for is not taken apart further.
    table = torch.export.default_decompositions()
    for key in list(table.keys()):
        if key.namespace == "aten" and key._schema.name.partition("::")[2] in ROWS:
            table.pop(key)
    return program.run_decompositions(table)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what PyTorch prints and logs while it exports; errors say the same."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def _reason(error):
    """The line of a message that says most: not the trace that PyTorch puts around it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


class _Reader:
    """One reading of an exported program."""

    def __init__(self, torch: Any, program: Any, module: Any, name: str):
        self.torch, self.program = torch, program
        self.builder = Builder(name)
        self.state = dict(program.constants)
        self.state |= dict(module.named_parameters(remove_duplicate=False))
        self.state |= dict(module.named_buffers(remove_duplicate=False))
        self.values: dict[Any, Any] = {}

    def read(self) -> Graph:
        specs = {spec.arg.name: spec for spec in self.program.graph_signature.input_specs}
        labels = _labels(self.program.graph.nodes)
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                self.values[node] = self._placeholder(node, specs[node.name])
            elif node.op == "call_function":
                self.values[node] = self._called(node, labels.get(node, node.name))
            elif node.op == "output":
                return self.builder.graph(self._outputs(node))
        raise NetworkError(f"{self.builder.name} has no output.")

    def _placeholder(self, node, spec):
        if spec.target is not None:
            return self.state[spec.target]
        value = node.meta.get("val")
        if not hasattr(value, "shape"):
            return value
        if not value.is_floating_point():
            raise NetworkError(
                f"The input `{node.name}` of {self.builder.name} has {value.dtype} numbers; networks of real ones are "
                "shown. Give an example of floats."
            )
        return self.builder.input(node.name, tuple(value.shape))

    def _called(self, node, label):
        made, given = node.meta.get("val"), [self.values.get(n) for n in node.all_input_nodes]
        if hasattr(made, "is_complex") and made.is_complex() and any(isinstance(x, Value) for x in given):
            raise NetworkError(
                f"{self.builder.name} computes with complex numbers (`{node.name}`); real ones are shown."
            )

        def found(x):
            return self.values[x]

        map_arg = self.torch.fx.node.map_arg
        args, kwargs = map_arg(node.args, found), map_arg(node.kwargs, found)
        if node.target is operator.getitem:
            return args[0][args[1]]
        schema = getattr(node.target, "_schema", None)
        name = schema.name.replace("::", ".") if schema is not None else str(node.target)
        if "_assert" in name:
            return None
        if RANDOM.search(name):
            raise NetworkError(f"`{short(label)}` ({name}) of {self.builder.name} draws random numbers in eval() mode.")
        if OF_A_SHAPE.search(name):
            args = (self.torch.zeros(args[0].dims) if isinstance(args[0], Value) else args[0], *args[1:])
        if not any(isinstance(x, Value) for x in _all(args)) and not any(isinstance(x, Value) for x in _all(kwargs)):
            return self._constant(node.target, args, kwargs)
        key = name.removeprefix("aten.")
        row = ROWS.get(key) or ROWS.get(key.removesuffix("_copy"))
        given = dict(zip((a.name for a in schema.arguments), args, strict=False)) | kwargs if schema is not None else {}
        if row is None or schema is None:
            raise NetworkError(
                f"`{short(label)}` of {self.builder.name} is {name}, which is none of the {len(ROWS)} operators shown."
            )
        for a in schema.arguments:
            if a.name not in given:
                given[a.name] = a.default_value if a.has_default_value() else None
        return row(Call(self.builder, label, name, given, node.target))

    def _constant(self, target, args, kwargs):
        """What an operator makes of constants, in float64."""
        tree = self.torch.utils._pytree.tree_map

        def run(dtype):
            given = lambda x: x.to(dtype) if hasattr(x, "detach") and x.dtype.is_floating_point else x
            return target(*tree(given, args), **tree(given, kwargs))

        try:
            return run(self.torch.float64)
        except RuntimeError:  # a forward that states a type of numbers
            return run(self.torch.float32)

    def _outputs(self, node) -> Sequence[Value]:
        kinds = [spec.kind.name for spec in self.program.graph_signature.output_specs]
        given = [self.values.get(x, x) if x is not None else None for x in node.args[0]]
        found = [value for value, kind in zip(given, kinds, strict=True) if kind == "USER_OUTPUT"]
        values = [value for value in found if isinstance(value, Value) and not value.is_constant]
        if not values:
            raise NetworkError(f"The output of {self.builder.name} does not depend on its input.")
        return list(dict.fromkeys(values))


def _all(tree) -> Iterator[Any]:
    if isinstance(tree, list | tuple):
        for each in tree:
            yield from _all(each)
    elif isinstance(tree, dict):
        yield from _all(tuple(tree.values()))
    else:
        yield tree


def _labels(graph_nodes) -> dict[Any, str]:
    """Names for people: the path of the module that computes a node, with the operator where it computes more."""
    paths: dict[str, list[Any]] = {}
    for node in graph_nodes:
        stack = list((node.meta.get("nn_module_stack") or {}).values())
        if node.op == "call_function" and node.target is not operator.getitem and stack:
            paths.setdefault(re.sub(r"L\['self'\]\.?|\['?|'?\]", "", str(stack[-1][0])), []).append(node)
    found = {}
    for path, of in paths.items():
        for node in of:
            found[node] = path if path and len(of) == 1 else f"{path}.{node.name}" if path else node.name
    return found
