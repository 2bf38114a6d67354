"""Every elementwise function of PyTorch and ONNX against ours: values and slopes, for arguments of every size.

Our float64 rule is compared in float64; parameters are float32 with us, which the tolerances have. What the GPU
computes of the rules is tested in tests/shaders. `make test-peers` installs PyTorch and ONNX Runtime.
"""

import inspect

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from engine.network.activations import ACTIVATIONS, Activation

torch = pytest.importorskip("torch", reason="PyTorch is installed by `make test-peers`")
onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is installed by `make test-peers`")
nn = torch.nn

pytestmark = pytest.mark.peers

# {class: (its arguments, ours)}
MODULES = {
    "Threshold": ((0.5, 20.0), "threshold(0.5,20)"),
    "ReLU": ((), "ReLU"),
    "RReLU": ((), "RReLU"),
    "Hardtanh": ((-2.0, 0.75), "Hardtanh(-2,0.75)"),
    "ReLU6": ((), "ReLU6"),
    "Sigmoid": ((), "Sigmoid"),
    "Hardsigmoid": ((), "Hardsigmoid"),
    "Tanh": ((), "Tanh"),
    "SiLU": ((), "SiLU"),
    "Mish": ((), "Mish"),
    "Hardswish": ((), "Hardswish"),
    "ELU": ((0.75,), "ELU(0.75)"),
    "CELU": ((0.75,), "CELU(0.75)"),
    "SELU": ((), "SELU"),
    "GELU": ((), "GELU"),
    "Hardshrink": ((0.25,), "Hardshrink(0.25)"),
    "LeakyReLU": ((0.25,), "LeakyReLU(0.25)"),
    "LogSigmoid": ((), "LogSigmoid"),
    "Softplus": ((2.0,), "Softplus(2)"),
    "Softshrink": ((0.25,), "Softshrink(0.25)"),
    "PReLU": ((), "leaky_relu(0.25)"),
    "Softsign": ((), "Softsign"),
    "Tanhshrink": ((), "Tanhshrink"),
}
# Why the others are no elementwise function of one number.
OTHERS = {
    "GLU": "halves multiplied",
    "MultiheadAttention": "of tokens",
    "Softmax": "of a whole layer",
    "Softmax2d": "of all channels",
    "Softmin": "of a whole layer",
    "LogSoftmax": "of a whole layer",
}
FUNCTIONS = {
    "abs": torch.abs, "acos": torch.acos, "acosh": torch.acosh, "asin": torch.asin, "asinh": torch.asinh,
    "atan": torch.atan, "atanh": torch.atanh, "ceil": torch.ceil, "cos(2)": lambda z: torch.cos(2 * z),
    "cosh": torch.cosh, "erf": torch.erf, "exp": torch.exp, "floor": torch.floor, "log": torch.log,
    "power(3)": lambda z: z**3, "power(1.5)": lambda z: z**1.5, "reciprocal": torch.reciprocal,
    "round": torch.round, "rsqrt": torch.rsqrt, "rsqrt(0.5)": lambda z: torch.rsqrt(z + 0.5), "sign": torch.sign,
    "sin(2)": lambda z: torch.sin(2 * z), "sinh": torch.sinh, "sqrt": torch.sqrt, "square": torch.square,
    "swish(2)": lambda z: z * torch.sigmoid(2 * z), "quick_gelu": lambda z: z * torch.sigmoid(1.702 * z),
    "tan": torch.tan, "gelu(tanh)": nn.GELU("tanh"), "gaussian": lambda z: torch.exp(-z * z),
}  # fmt: skip

# {operator: (its attributes, ours)}
OPERATORS = {
    **{name.capitalize(): ({}, name) for name in ("abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil")},
    **{name.capitalize(): ({}, name) for name in ("cos", "cosh", "erf", "exp", "floor", "identity", "log", "mish")},
    **{name.capitalize(): ({}, name) for name in ("reciprocal", "relu", "round", "sigmoid", "sign", "sinh", "sqrt")},
    **{name.capitalize(): ({}, name) for name in ("softplus", "softsign", "tan", "tanh", "sin", "selu")},
    "Celu": ({"alpha": 0.75}, "celu(0.75)"),
    "Elu": ({"alpha": 0.75}, "elu(0.75)"),
    "Gelu": ({}, "gelu"),
    "Gelu tanh": ({"approximate": "tanh"}, "gelu_tanh"),
    "HardSigmoid": ({}, "hard_sigmoid(0.2,0.5)"),
    "HardSwish": ({}, "hard_swish"),
    "LeakyRelu": ({"alpha": 0.25}, "leaky_relu(0.25)"),
    "Shrink": ({"bias": 0.25, "lambd": 0.75}, "shrink(0.25,0.75)"),
    "Swish": ({"alpha": 2.0}, "swish(2)"),
    "ThresholdedRelu": ({"alpha": 0.75}, "thresholded_relu(0.75)"),
}

# Attributes of operators that look at places; and others that are no function of one number. Neg is affine.
WHERE = {"axis", "axes", "kernel_shape", "perm", "seed", "blocksize", "size", "pooled_shape"}
NOT_ELEMENTWISE = {"Det", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "Identity", "Neg"}
EPS32 = 2.0**-23


def places(activation):
    """Arguments of every size, both signs and kinks among them."""
    kinks = [z for z, _ in activation.rule.kinks(activation.argument)]
    small = np.geomspace(1e-6, 100, 300)
    z = np.concatenate([np.linspace(-5, 5, 401), small, -small, [1e4, -1e4], [0.5, -0.5, 1.0, -1.0], kinks])
    # A tan at 1e4, an exponential of it: the one is rounding, the other no number.
    wild = activation.name in ("tan", "exp", "sinh", "cosh", "square", "power")
    return z[abs(z) < 80] if wild else z


def agree(ours, theirs, eps):
    """Both have no value, or an infinite one, or are alike to rounding: of what is subtracted, which is at most 1."""
    finite = np.isfinite(theirs)
    assert (np.isfinite(ours) == finite).all() and (np.isnan(ours) == np.isnan(theirs)).all()
    assert (abs(ours - theirs)[finite] <= eps * (1 + abs(theirs[finite]))).all()


def differentiated(function, z, dtype):
    """PyTorch's value and slope at float64 numbers, computed in a type."""
    x = torch.tensor(z, dtype=dtype, requires_grad=True)
    y = function(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    return y.detach().double().numpy(), slope.double().numpy()


CASES = [
    *((lambda n=name, a=arguments: getattr(nn, n)(*a).eval(), ours) for name, (arguments, ours) in MODULES.items()),
    *((lambda f=function: f, ours) for ours, function in FUNCTIONS.items()),
]


def test_every_module_of_pytorch_is_one_of_ours_or_no_function_of_one_number():
    classes = inspect.getmembers(nn.modules.activation, inspect.isclass)
    there = {name for name, made in classes if made.__module__ == nn.modules.activation.__name__}
    assert there == {*MODULES, *OTHERS}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("make, text", CASES, ids=[text for _, text in CASES])
def test_values_and_slopes_are_pytorchs(make, text, dtype):
    activation = Activation.parse(text)
    z = places(activation).astype(np.float32).astype(float)
    value, slope = differentiated(make().to(dtype) if isinstance(make(), nn.Module) else make(), z, dtype)
    with np.errstate(all="ignore"):
        ours, ours_slope = activation.value(z), activation.slope(z)
    if dtype == torch.float64:
        # Softplus is z from 20 on with PyTorch, which is off by exp(-20) / beta; parameters are float32 with us: 1.702
        # and 1 / 6 times z, 6e-8 off.
        loose = {"softplus": 3e-9, "hard_sigmoid": 1e-7, "swish": 1e-7, "leaky_relu": 1e-7}
        eps = loose.get(activation.name, 2e-14)
    else:
        eps = 64 * EPS32
    agree(ours, value, eps)
    # A slope is as steep beside a pole as its argument is far from it; where it is infinite, of either sign.
    ok = ~(np.isinf(slope) | np.isinf(ours_slope))
    if activation.unbounded:
        # Outside of where it has a value PyTorch gives a slope to some; the value there says that there is none.
        ok &= np.isfinite(value)
    size = 1 + abs(slope)
    if activation.name in ("acosh", "asin", "acos", "atanh", "tan"):
        size = size**3
    assert (abs(ours_slope - slope)[ok] <= eps * size[ok]).all()


def through_onnx(operator, attributes, z, element):
    node = helper.make_node(operator, ["x"], ["y"], **attributes)
    ends = [helper.make_tensor_value_info(n, element, [len(z)]) for n in "xy"]
    graph = helper.make_graph([node], "one", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 24)], ir_version=10)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": z.astype(helper.tensor_dtype_to_np_dtype(element))})[0].astype(float)


@pytest.mark.parametrize("name", OPERATORS)
def test_values_are_onnx_runtimes(name):
    attributes, text = OPERATORS[name]
    activation = Activation.parse(text)
    z = places(activation).astype(np.float32).astype(float)
    with np.errstate(all="ignore"):
        agree(activation.value(z), through_onnx(name.split()[0], attributes, z, TensorProto.FLOAT), 64 * EPS32)


def test_every_elementwise_operator_of_onnx_is_one_of_ours():
    # One tensor of numbers in, one of the same type out, and no attribute that says where: found in ONNX's own schemas.
    found = set()
    for schema in onnx.defs.get_all_schemas():
        ends = [*schema.inputs, *schema.outputs]
        single = len(ends) == 2 and all(end.option == onnx.defs.OpSchema.FormalParameterOption.Single for end in ends)
        types = {kind for some in schema.type_constraints for kind in some.allowed_type_strs}
        alike = single and ends[0].type_str == ends[1].type_str and "tensor(float)" in types
        if alike and schema.domain == "" and not schema.deprecated and not WHERE & set(schema.attributes):
            found.add(schema.name)
    assert found - NOT_ELEMENTWISE == {name.split()[0] for name in OPERATORS} - {"Identity"}


def test_no_activation_is_without_a_peer():
    tried = {Activation.parse(text).name for _, text in CASES} | {
        Activation.parse(t).name for _, t in OPERATORS.values()
    }
    assert {n for n, rule in ACTIVATIONS.items() if rule.elementwise} == tried
