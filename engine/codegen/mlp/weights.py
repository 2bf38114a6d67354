"""A network's weights on the GPU, as its generated code reads them."""

from engine.codegen.mlp.layout import pack, weights_binding
from engine.gpu.array import Array
from engine.network.mlp import Mlp


def upload(net: Mlp, array: Array | None = None) -> Array:
    """An Array with the weights of an Mlp; `array`, an earlier one, is written anew where its size and use fit."""
    data = pack(net)
    usage = "uniform" if weights_binding(net.shape).kind == "uniform" else "storage"
    if array is None or (array.count, array.usage) != (data.size, usage):
        return Array.of(data, usage)
    array.write(data)
    return array
