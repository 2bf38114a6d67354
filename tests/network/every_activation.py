"""The activations that tests run over, each with parameters that are not its defaults: a shader may ignore none."""

from engine.network.activations import ACTIVATIONS, Activation

WRITTEN = {
    "leaky_relu": "leaky_relu(0.2)",
    "elu": "elu(0.7)",
    "softplus": "softplus(3)",
    "sine": "sine(3)",
    "cos": "cos(3)",
    "swish": "swish(1.702)",
    "hardtanh": "hardtanh(-0.5,0.75)",
    "clipped_relu": "clipped_relu(2.5)",
    "hard_sigmoid": "hard_sigmoid(0.2,0.4)",
    "softshrink": "softshrink(0.25)",
    "hardshrink": "hardshrink(0.25)",
    "shrink": "shrink(0.75,0.75)",
    "threshold": "threshold(0.5,0.5)",
    "thresholded_relu": "thresholded_relu(0.3)",
    "celu": "celu(0.7)",
    "power": "power(3)",
    "rsqrt": "rsqrt(0.001)",
}
EVERY = tuple(Activation.parse(WRITTEN.get(n, n)) for n, rule in ACTIVATIONS.items() if rule.elementwise)
# Those that rays can be cast through.
BOUNDED = tuple(a for a in EVERY if not a.unbounded)
# Those that have bounds beside a gap only.
BESIDE = tuple(a for a in EVERY if a.rule.beside)
# One or two of each kind, where each one costs seconds: the usual ones, kinks apart from 0, growth without limit.
SOME_NAMES = (
    *("relu", "leaky_relu", "elu", "softplus", "gelu", "silu", "tanh", "sigmoid", "sine", "gaussian", "identity"),
    *("hardtanh", "hard_swish", "mish", "softsign", "square"),
)
SOME = tuple(a for a in EVERY if a.name in SOME_NAMES)
