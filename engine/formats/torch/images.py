"""Networks of an image from PyTorch's modules of any forward, by torch.export, compared with what they compute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.errors import NetworkError
from engine.formats.files import short
from engine.formats.torch.exported import Exported
from engine.formats.torch.running import compare, is_module, unwrapped
from engine.network.convnet import ConvNet, channels_first
from engine.network.graph.passes.simplify import simplified
from engine.network.preprocess import Preprocess


def from_module(
    module: Any,
    example: Any = None,
    *,
    size: tuple[int, int] | None = None,
    classes: Sequence[str] = (),
    preprocess: Preprocess | None = None,
) -> ConvNet:
    """The ConvNet that a module computes in eval().

    example      an array or tensor that it takes, as (1, C, H, W), of which the first image is meant; None: noise of
                 `size` with the channels of its first convolution

    Raises NetworkError for a module that cannot be shown.
    """
    module = unwrapped(module)
    name = f"the {short(type(module).__name__)}"
    if not is_module(module):
        raise NetworkError(f"{name} is no file and no module of PyTorch. Give a path, or a torch.nn.Module.")
    if example is None:
        channels = next((part.in_channels for part in module.modules() if hasattr(part, "in_channels")), None)
        if channels is None or size is None:
            raise NetworkError(
                f"{name} does not say what it takes. Give an example of its input: "
                "load_convnet(model, example=torch.zeros(1, 3, 224, 224))."
            )
        example = np.random.default_rng(0).normal(size=(1, channels, *size))
    example = example[:1]
    graph = simplified(channels_first(Exported(module, example).graph()))
    net = ConvNet(graph, name=short(type(module).__name__), classes=classes, preprocess=preprocess)

    def found(given: np.ndarray) -> np.ndarray:
        turned = graph.dims[net.input.name] != given.shape and given.ndim == 4
        return graph(given.transpose(0, 3, 1, 2) if turned else given)

    compare(found, module, example, name)
    return net
