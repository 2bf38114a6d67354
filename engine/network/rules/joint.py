"""The activations that take several units together: all of a layer, or pairs of them."""

import numpy as np

from engine.network.rules.rule import Rule


def _softmax(z, a=0.0):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _softmax_tangent(z, dz):
    h = _softmax(z)
    return h * (dz - (h * dz).sum(axis=-1, keepdims=True))


def _log_softmax(z, a=0.0):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def _log_softmax_tangent(z, dz):
    return dz - (_softmax(z) * dz).sum(axis=-1, keepdims=True)


def _paired(z, even):
    """z with its even entries along the last axis replaced."""
    out = np.array(np.broadcast_to(z, (*even.shape[:-1], z.shape[-1])))
    out[..., ::2] = even
    return out


def _product_slope(z, a=0.0):
    return _paired(np.ones_like(z), z[..., 1::2])


def _product_tangent(z, dz):
    return _paired(dz, z[..., ::2] * dz[..., 1::2] + z[..., 1::2] * dz[..., ::2])


# Only as the whole last layer.
WHOLE = {
    "softmax": Rule(
        value=_softmax,
        slope=lambda z, a: _softmax(z) * (1.0 - _softmax(z)),  # the diagonal of its Jacobian
        elementwise=False,
        tangent=_softmax_tangent,
    ),
    "log_softmax": Rule(
        value=_log_softmax,
        slope=lambda z, a: 1.0 - _softmax(z),  # the diagonal of its Jacobian
        elementwise=False,
        tangent=_log_softmax_tangent,
    ),
}

# Over pairs of units, in layers whose units need not be alike (engine.network.units): each even unit becomes its
# product with the next one, which stays as it is.
JOINT = {
    "product": Rule(
        value=lambda z, a: _paired(z, z[..., ::2] * z[..., 1::2]),
        slope=_product_slope,  # the diagonal of its Jacobian
        elementwise=False,
        tangent=_product_tangent,
    ),
}
