"""The small SqueezeNet that comes along, as PyTorch computes it. `make test-peers` installs PyTorch."""

import sys
from importlib.resources import files

import numpy as np
import pytest

from engine.formats.load_convnet import small_squeezenet
from engine.reference.forward import value as forward
from tools.drawn.objects import KINDS, draw

torch = pytest.importorskip("torch", reason="PyTorch is installed by `make test-peers`")
pytestmark = pytest.mark.peers

BYTES = files("scenes").joinpath("data", "small_squeezenet.safetensors").read_bytes()


def layers():
    """torchvision's SqueezeNet in small: its Sequential of features and classifier, built of torch.nn alone."""
    nn = torch.nn

    class Fire(nn.Module):
        def __init__(self, into, squeeze, expand):
            super().__init__()
            self.squeeze = nn.Conv2d(into, squeeze, 1)
            self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
            self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

        def forward(self, x):
            x = self.squeeze(x).relu()
            return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)

    pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)
    features = nn.Sequential(
        nn.Conv2d(3, 32, 5, 2), nn.ReLU(), pool(),
        Fire(32, 16, 32), Fire(64, 16, 32), pool(),
        Fire(64, 24, 64), Fire(128, 24, 64), pool(),
        Fire(128, 48, 96), Fire(192, 48, 96),
    )  # fmt: skip
    classifier = nn.Sequential(nn.Dropout(), nn.Conv2d(192, len(KINDS), 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    return nn.ModuleDict({"features": features, "classifier": classifier}).double().eval()


def test_the_twin_gives_what_pytorch_gives_at_every_block():
    """In float64 on the same float32 weights: 1e-12 of the largest value is sums in another order."""
    from safetensors.torch import load as load_tensors

    model = layers()
    model.load_state_dict({key: array.double() for key, array in load_tensors(BYTES).items()})
    net = small_squeezenet(BYTES)
    fires = [f"fire{k}/concat" for k in range(2, 8)]
    blocks = ["conv1", "relu_conv1", "pool1", *fires[:2], "pool3", *fires[2:4], "pool5", *fires[4:]]
    for seed, kind in enumerate(("cat", "key", "tree")):
        image = net.preprocess(draw(kind, 900 + seed))
        found = forward(net, image)
        x = torch.from_numpy(image.astype(float))[None]
        with torch.no_grad():
            truth = {}
            for name, part in zip(blocks, model["features"], strict=True):
                truth[name] = x = part(x)
            for name, part in zip(("drop", "conv8", "relu_conv8", "pool8"), model["classifier"], strict=True):
                truth[name] = x = part(x)
            truth["prob"] = torch.softmax(x, 1)
        del truth["drop"]
        for name, value in truth.items():
            value = value[0].numpy()
            assert np.abs(found[name] - value).max() <= 1e-12 * np.abs(value).max(), name


def test_the_script_that_trained_it_computes_the_same_network(request):
    """tools/small_squeezenet.py judged the file by `answers`; in float32 that is 1e-4 from the twin at most."""
    sys.path.insert(0, str(request.config.rootpath / "tools"))
    try:
        import small_squeezenet as script
    finally:
        sys.path.pop(0)
    from safetensors.numpy import load as load_arrays

    net = small_squeezenet(BYTES)
    images = np.stack([draw(kind, 77) for kind in KINDS])
    given = script.answers(load_arrays(BYTES), script.seen(torch.from_numpy(images))).numpy()
    for image, row in zip(images, given, strict=True):
        assert np.abs(forward(net, net.preprocess(image))["prob"].ravel() - row).max() < 1e-4
