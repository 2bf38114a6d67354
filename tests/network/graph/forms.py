"""Functions of a vector in the forms in which people write them, as graphs."""

import numpy as np

from engine.network.graph import nodes
from engine.network.graph.builder import Builder

RNG = np.random.default_rng(3)


def rand(*shape):
    return RNG.normal(size=shape).astype(np.float32) * 0.5


class Net:
    """Builds graphs as a forward pass would."""

    def __init__(self, **inputs):
        self.b = Builder("net")
        self.x = [self.b.input(key, dims) for key, dims in inputs.items()]

    def dense(self, x, out, bias=True):
        return self.b.add(nodes.Dense, "dense", [x], weights=rand(out, x.dims[-1]), bias=rand(out) if bias else None)

    def act(self, x, name):
        return self.b.add(nodes.Elementwise, name, [x], activation=name)

    def cat(self, *values, axis=-1):
        return self.b.add(nodes.Concat, "cat", values, axis=axis)

    def op(self, kind, *values, **fields):
        values = [v if hasattr(v, "dims") else self.b.constant(np.asarray(v, np.float32)) for v in values]
        return self.b.add(kind, kind.kind, values, **fields)


def _chain(net):
    (x,) = net.x
    return net.dense(net.act(net.dense(net.act(net.dense(x, 8), "relu"), 6), "tanh"), 2)


def _deep_sdf(net):
    latent, point = net.x
    x = net.cat(latent, point)
    h = net.act(net.dense(net.act(net.dense(x, 12), "relu"), 7), "relu")
    h = net.act(net.dense(net.cat(h, x), 12), "relu")
    return net.act(net.dense(h, 1), "tanh")


def _igr(net):
    (x,) = net.x
    h = net.act(net.dense(net.act(net.dense(x, 9), "softplus"), 6), "softplus")
    h = net.op(nodes.Divide, net.cat(h, x), np.sqrt(2.0))
    return net.dense(net.act(net.dense(h, 9), "softplus"), 1)


def _residual(net):
    (x,) = net.x
    h = net.act(net.dense(x, 8), "relu")
    for _ in range(4):
        h = net.op(nodes.Add, h, net.dense(net.act(net.dense(h, 8), "relu"), 8))
    return net.dense(h, 3)


def _pre_residual(net):
    (x,) = net.x
    h = net.dense(x, 6)
    for _ in range(3):
        h = net.op(nodes.Add, h, net.dense(net.act(h, "tanh"), 6))
    return net.dense(net.act(h, "tanh"), 2)


def _features(net):
    (x,) = net.x
    z = net.dense(x, 5, bias=False)
    z = net.cat(net.act(z, "sine(2)"), x, net.act(net.op(nodes.Add, z, np.pi / 2), "sine"))
    return net.dense(net.act(net.dense(z, 8), "relu"), 1)


def _dense_net(net):
    (x,) = net.x
    for _ in range(3):
        x = net.cat(x, net.act(net.dense(x, 4), "relu"))
    return net.dense(x, 2)


def _cut(net):
    (x,) = net.x
    h = net.act(net.dense(x, 8), "tanh")
    a, b = (net.op(nodes.Slice, h, starts=(0, k), counts=(1, 4), steps=(1, 1)) for k in (0, 4))
    h = net.cat(net.op(nodes.Subtract, b, a), net.op(nodes.Reshape, a, dims=(1, 4)))
    return net.op(nodes.Transpose, net.dense(h, 3), axes=(1, 0))


def _shaped(net):
    (x,) = net.x
    h = net.op(nodes.Subtract, net.op(nodes.Reshape, x, dims=(1, 1, 1, 3)), rand(3))
    h = net.op(nodes.Convolution, h, weights=rand(4, 1, 1, 2), padding=(0, 1, 0, 0))
    h = net.op(nodes.Reshape, net.act(h, "relu"), dims=(1, 12))
    return net.op(nodes.Reduce, net.op(nodes.MatMul, h, rand(12, 6)), function="mean", axes=(-1,))


def _bounded(net):
    (x,) = net.x
    a, b = net.dense(x, 4), net.act(net.dense(x, 4), "tanh")
    return net.dense(net.cat(net.op(nodes.Maximum, a, b), net.op(nodes.Minimum, a, b)), 2)


def _sloped(net):
    (x,) = net.x
    return net.dense(net.op(nodes.Prelu, net.dense(x, 4), slopes=rand(4)), 2)


def _gated(net):
    (x,) = net.x
    h = net.op(nodes.Multiply, net.dense(x, 6), net.act(net.dense(x, 6), "sigmoid"))
    return net.dense(net.op(nodes.Multiply, h, net.dense(x, 6)), 2)


def _tied(net):
    (x,) = net.x
    w = rand(3, 3)
    for _ in range(3):
        x = net.act(net.op(nodes.Dense, x, weights=w), "tanh")
    return x


def _normed(net):
    (x,) = net.x
    h = net.dense(x, 6)
    h = net.op(nodes.Normalise, h, gain=rand(6), bias=rand(6), axes=(-1,), epsilon=1e-5)
    h = net.act(h, "relu")
    h = net.op(nodes.Normalise, net.dense(h, 6), gain=rand(6), bias=rand(6), axes=(-1,), epsilon=0.1, centred=False)
    return net.dense(h, 2)


def _quotient(net):
    (x,) = net.x
    length = net.act(net.op(nodes.Reduce, net.act(x, "square"), function="sum", axes=(-1,)), "sqrt")
    return net.dense(net.op(nodes.Divide, x, length), 2)


def _attention(net):
    (x,) = net.x
    a, b = net.op(nodes.Reshape, net.dense(x, 6), dims=(2, 3)), net.op(nodes.Reshape, net.dense(x, 6), dims=(3, 2))
    return net.op(nodes.MatMul, a, b)


def _classes(net):
    (x,) = net.x
    return net.op(nodes.Softmax, net.dense(net.act(net.dense(x, 5), "relu"), 4), axis=1)


FORMS = {
    **{form.__name__[1:]: (form, {"x": (1, 3)}) for form in (
        _chain, _igr, _residual, _pre_residual, _features, _dense_net, _cut, _shaped, _bounded, _sloped, _gated, _tied,
        _normed, _quotient, _attention, _classes,
    )},
    "deep_sdf": (_deep_sdf, {"latent": (1, 4), "point": (1, 3)}),
}  # fmt: skip


def made(form, forms=None):
    """The graph of a form."""
    function, inputs = (forms or FORMS)[form]
    net = Net(**inputs)
    return net.b.graph([function(net)])
