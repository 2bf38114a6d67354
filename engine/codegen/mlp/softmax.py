"""Softmax or its logarithm as the last layer, which takes all outputs together: WGSL for each arithmetic."""

from engine.codegen.mlp.arithmetics import Arithmetic
from engine.codegen.mlp.layout import layout
from engine.network.mlp import Shape

SHARED = """\
// 1 for outputs 4 g .. 4 g + 3 that exist, 0 for the fill.
fn network_used(g: u32) -> vec4f {{
    return select(vec4f(0.0), vec4f(1.0), vec4u(4u * g) + vec4u(0u, 1u, 2u, 3u) < vec4u({outputs}u));
}}

fn network_softmax(logits: array<vec4f, {groups}>) -> array<vec4f, {groups}> {{
    var z = logits;
    var largest = z[0].x;
    for (var g = 0u; g < {groups}u; g++) {{
        largest = softmax_largest(z[g], network_used(g), largest);
    }}
    var total = 0.0;
    for (var g = 0u; g < {groups}u; g++) {{
        z[g] = softmax_exponential(z[g], largest, network_used(g));
        total += dot(z[g], vec4f(1.0));
    }}
    for (var g = 0u; g < {groups}u; g++) {{
        z[g] = z[g] / total;
    }}
    return z;
}}
"""

LOG = """\
fn network_log_softmax(logits: array<vec4f, {groups}>) -> array<vec4f, {groups}> {{
    var z = logits;
    var largest = z[0].x;
    for (var g = 0u; g < {groups}u; g++) {{
        largest = softmax_largest(z[g], network_used(g), largest);
    }}
    var total = 0.0;
    for (var g = 0u; g < {groups}u; g++) {{
        total += dot(softmax_exponential(z[g], largest, network_used(g)), vec4f(1.0));
    }}
    for (var g = 0u; g < {groups}u; g++) {{
        z[g] = log_softmax_rest(z[g], largest, total);
    }}
    return z;
}}
"""

PLAIN = """
fn network_plain({arguments}) -> array<vec4f, {groups}> {{
    return network_{last}(network_plain_logits({passed}));
}}
"""

# Of duals and lines: the mean of the logits' derivatives, weighted by the probabilities, is taken from each.
DERIVED = """
fn network_{name}({arguments}) -> array<{element}, {groups}> {{
    var z = network_{name}_logits({passed});
    var values: array<vec4f, {groups}>;
    for (var g = 0u; g < {groups}u; g++) {{
        values[g] = z[g].value;
    }}
    {outputs}values = network_softmax(values);
    var mean = {zero};
    for (var g = 0u; g < {groups}u; g++) {{
        mean += {products};
    }}
    for (var g = 0u; g < {groups}u; g++) {{
        z[g] = {name}_{last}(z[g], {value}[g], mean);
    }}
    return z;
}}
"""
# The mean's start, and what a group adds to it.
MEANS = {
    "dual": ("vec3f(0.0)", "vec3f(dot(values[g], z[g].x), dot(values[g], z[g].y), dot(values[g], z[g].z))"),
    "line": ("0.0", "dot(values[g], z[g].slope)"),
}


def softmax_shared(shape: Shape) -> str:
    """The WGSL functions of outputs alone, which every arithmetic calls."""
    text = SHARED + LOG * (str(shape.activations[-1]) == "log_softmax")
    return text.format(outputs=shape.sizes[-1], groups=layout(shape).blocks[-1].outputs)


def softmax_function(shape: Shape, arithmetic: Arithmetic) -> str:
    """`network_NAME` from `network_NAME_logits`. Raises KeyError for an arithmetic in which softmax has no meaning."""
    name, last = arithmetic.name, str(shape.activations[-1])
    is_log = last == "log_softmax"
    zero, products = ("", "") if name == "plain" else MEANS[name]
    return (PLAIN if name == "plain" else DERIVED).format(
        name=name,
        last=last,
        outputs=f"let logarithms = network_{last}(values);\n    " if is_log else "",
        value="logarithms" if is_log else "values",
        element=arithmetic.element,
        zero=zero,
        products=products,
        groups=layout(shape).blocks[-1].outputs,
        arguments=", ".join(f"{name}: {kind}" for name, kind in arithmetic.arguments),
        passed=", ".join(name for name, _ in arithmetic.arguments),
    )
