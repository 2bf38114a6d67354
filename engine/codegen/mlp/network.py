"""From a network's shape to WGSL: one body, written once for each arithmetic it is wanted in."""

from collections.abc import Sequence

from engine.codegen.mlp.arithmetics import DUAL, PLAIN, Arithmetic
from engine.codegen.mlp.body import body, is_written_out, loop_iterations
from engine.codegen.mlp.layout import layout, weights_binding
from engine.codegen.mlp.softmax import softmax_function, softmax_shared
from engine.codegen.mlp.units import imports, is_bent, kinds
from engine.codegen.text import header
from engine.kept import kept
from engine.network.activations import JOINT
from engine.network.mlp import Shape

POINTS = {1: "f32", 2: "vec2f", 3: "vec3f", 4: "vec4f"}
INPUTS = {1: "vec4f(p, 0.0, 0.0, 0.0)", 2: "vec4f(p, 0.0, 0.0)", 3: "vec4f(p, 0.0)", 4: "p"}


def network_module(shape: Shape, arithmetics: Sequence[Arithmetic] = (PLAIN, DUAL)) -> str:
    """The text of `generated/network` for a Shape: what a kernel gets from `#import generated/network`.

    It reads the binding `weights` (`weights_binding(shape)` declares it, `pack(net)` fills it) and gives, in WGSL:

    NetworkPoint                        f32, vec2f, vec3f or vec4f; for more inputs u32, a point's number: the kernel
                                        defines `network_input(p: u32, k: u32) -> vec4f`, inputs 4 k to 4 k + 3
    NETWORK_INPUTS, NETWORK_OUTPUTS     counts; NETWORK_GROUPS is that of groups of four outputs
    NETWORK_ITERATIONS                  loop iterations of one evaluation, for llvmpipe's budget of 65,535
    network_inputs(p, k)                inputs 4 k .. 4 k + 3 of a point, filled with 0
    network_plain(p)                    all outputs, as array<vec4f, NETWORK_GROUPS>
    network_output(p, k)                output k
    network_dual(p, first)              all outputs with derivatives along inputs first, first + 1, first + 2
    network_sample(p, k)                output k and its gradient along the first three inputs: NetworkSample

    Each is there if its arithmetic is among `arithmetics`; a further one gives `network_NAME`.
    """
    parts = [_head(shape, arithmetics)]
    if shape.activations[-1].is_whole:
        parts.append(softmax_shared(shape))
    for arithmetic in arithmetics:
        parts.append(network_function(shape, arithmetic))
        if arithmetic in ACCESS:
            parts.append(ACCESS[arithmetic])
    return "\n".join(parts)


def points_module(shape: Shape, tangent: bool = False) -> str:
    """The text of `generated/points`: how the network takes rows of the binding `points`.

    shape     of the network
    tangent   False: points is (N, groups of four inputs) vec4f, and network_point(i) is point i.
              True: each group is four vec4f, a value and three derivatives, for network_dual(i) of TANGENT
    """
    inputs, groups = shape.sizes[0], -(-shape.sizes[0] // 4)
    at = f"{4 if tangent else 1}u * (i * {groups}u + k)"
    lines = []
    if inputs > 4:
        lines += ["fn network_input(i: u32, k: u32) -> vec4f {", f"    return points[{at}];", "}", ""]
    if tangent:
        lines += [
            "fn network_dual_input(i: u32, k: u32) -> Dual {",
            f"    let at = {at};",
            "    return Dual(points[at], points[at + 1u], points[at + 2u], points[at + 3u]);",
        ]
    else:
        point = {1: "points[i].x", 2: "points[i].xy", 3: "points[i].xyz", 4: "points[i]"}.get(inputs, "i")
        lines += ["fn network_point(i: u32) -> NetworkPoint {", f"    return {point};"]
    return "\n".join([*lines, "}", ""])


def _head(shape, arithmetics):
    inputs, outputs, binding = shape.sizes[0], shape.sizes[-1], weights_binding(shape)
    top = header(
        f"The network {shape}, in arithmetic {', '.join(a.name for a in arithmetics)}.",
        f"{'every product on a line' if is_written_out(shape) else 'loops over the inputs of each layer'}",
        f"weights: {layout(shape).count} vec4f of {binding.kind} memory, layer by layer blocks of 4 x 4, then the bias",
    )
    names = dict.fromkeys(a.name for a in arithmetics)
    needed = [f"#import arithmetic/{name}" for name in names] + imports(shape.activations)
    lines = [
        *top,
        *needed,
        "",
        f"alias NetworkPoint = {POINTS.get(inputs, 'u32')};",
        f"const NETWORK_INPUTS = {inputs}u;",
        f"const NETWORK_OUTPUTS = {outputs}u;",
        f"const NETWORK_GROUPS = {-(-outputs // 4)}u;",
        f"const NETWORK_ITERATIONS = {loop_iterations(shape)}u;",
        "",
        "fn network_block(at: u32) -> mat4x4f {",
        "    return mat4x4f(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);",
        "}",
        "",
        "fn network_inputs(p: NetworkPoint, k: u32) -> vec4f {",
    ]
    return "\n".join([*lines, f"    return {INPUTS.get(inputs, 'network_input(p, k)')};", "}", ""])


ACCESS = {
    PLAIN: """\
fn network_output(p: NetworkPoint, k: u32) -> f32 {
    var outputs = network_plain(p);
    return outputs[k / 4u][k % 4u];
}
""",
    DUAL: """\
struct NetworkSample {
    value: f32,
    gradient: vec3f,
}

fn network_sample(p: NetworkPoint, k: u32) -> NetworkSample {
    var outputs = network_dual(p, 0u);
    let d = outputs[k / 4u];
    let at = k % 4u;
    return NetworkSample(d.value[at], vec3f(d.x[at], d.y[at], d.z[at]));
}
""",
}


@kept
def network_function(shape: Shape, arithmetic: Arithmetic) -> str:
    """The WGSL function `network_NAME` of a Shape in an Arithmetic: all outputs, as array<ELEMENT, NETWORK_GROUPS>."""
    softmax = shape.activations[-1].is_whole
    name = f"network_{arithmetic.name}" + ("_logits" if softmax else "")
    outputs = f"array<{arithmetic.element}, {layout(shape).blocks[-1].outputs}>"
    parts = _activations(shape, arithmetic)
    arguments = ", ".join(f"{argument}: {kind}" for argument, kind in arithmetic.arguments)
    parts.append(f"fn {name}({arguments}) -> {outputs} {{\n{body(shape, arithmetic)}}}\n")
    if softmax:
        parts.append(softmax_function(shape, arithmetic))
    return "\n".join(parts)


def _activations(shape, arithmetic):
    """One function NAME_ACTIVATION(z, a) for each activation that the body calls."""
    element, functions = arithmetic.element, {}
    for activation in filter(is_bent, kinds(shape.activations)):
        if activation.name not in JOINT:
            name = f"{arithmetic.name}_{activation.name}"
            lift = arithmetic.lift(activation.name, "a")
            functions[name] = (
                f"fn {name}(z: {element}, a: {activation.wgsl_type}) -> {element} {{\n    return {lift};\n}}\n"
            )
    return list(functions.values())
