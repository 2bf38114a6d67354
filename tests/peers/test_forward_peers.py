"""SqueezeNet on the GPU beside PyTorch, layer by layer: the real weights where they are, random ones everywhere."""

from pathlib import Path

import numpy as np
import pytest

from engine.formats.load_convnet import load_convnet
from engine.gpu.kernel import subgroup_size
from engine.kernels.convolve import LANES
from engine.kernels.forward import evaluate
from tools.drawn.objects import KINDS, draw

torch = pytest.importorskip("torch", reason="PyTorch is installed by `make test-peers`")
nn = torch.nn
pytestmark = pytest.mark.peers

VARIANTS = ["slabs", *(["lanes"] if subgroup_size() in LANES else [])]
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "squeezenet" / "squeezenet1_0.safetensors"


class Fire(nn.Module):
    def __init__(self, into, squeeze, expand):
        super().__init__()
        self.squeeze, self.expand1x1 = nn.Conv2d(into, squeeze, 1), nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x):
        x = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)


def squeezenet(version, padding=0):
    """torchvision's modules of SqueezeNet under torchvision's keys; padding of the classifier's convolution."""
    pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)
    if version == "1_0":
        features = [
            nn.Conv2d(3, 96, 7, 2), nn.ReLU(), pool(),
            Fire(96, 16, 64), Fire(128, 16, 64), Fire(128, 32, 128), pool(),
            Fire(256, 32, 128), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), pool(), Fire(512, 64, 256),
        ]  # fmt: skip
    else:
        features = [
            nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(), Fire(64, 16, 64), Fire(128, 16, 64), pool(),
            Fire(128, 32, 128), Fire(256, 32, 128), pool(),
            Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256),
        ]  # fmt: skip
    classifier = [nn.Dropout(), nn.Conv2d(512, 1000, 1, padding=padding), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
    return nn.ModuleDict({"features": nn.Sequential(*features), "classifier": nn.Sequential(*classifier)}).eval()


def layers(model, x):
    """What every step of features and classifier gives, in order, and the probabilities."""
    found, at = [], torch.tensor(x)[None]
    with torch.no_grad():
        for step in [*model["features"], *model["classifier"]]:
            at = step(at)
            found.append(at[0].numpy())
    return [*found, torch.softmax(at, 1)[0].numpy()]


# The nodes whose outputs those are: sums before an activation and dropout (which gives its input) among them.
NODES = {
    "1_0": "conv1 relu_conv1 pool1 fire2/concat fire3/concat fire4/concat pool4 fire5/concat fire6/concat fire7/concat "
    "fire8/concat pool8 fire9/concat fire9/concat conv10 relu_conv10 pool10 prob",
    "1_1": "conv1 relu_conv1 pool1 fire2/concat fire3/concat pool3 fire4/concat fire5/concat pool5 fire6/concat "
    "fire7/concat fire8/concat fire9/concat fire9/concat conv10 relu_conv10 pool10 prob",
}


def compare(net, version, model, x, variant):
    found = evaluate(net, x, keep="all", variant=variant)
    exact = layers(model, x)
    names = NODES[version].split()
    assert len(names) == len(exact)
    for name, values in zip(names, exact, strict=True):
        assert found[name].shape == values.shape
        assert abs(found[name] - values).max() <= 1e-5 * abs(values).max(), name


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("version", NODES)
def test_every_layer_of_random_weights_is_pytorchs(version, variant, tmp_path):
    from safetensors.torch import save_file

    torch.manual_seed(3)
    model = squeezenet(version)
    path = tmp_path / f"squeezenet{version}.safetensors"
    save_file(model.state_dict(), path)
    net = load_convnet(path, size=(97, 83))
    compare(net, version, model, np.random.default_rng(1).normal(size=(3, 97, 83)).astype(np.float32), variant)


@pytest.mark.skipif(not REAL.is_file(), reason=f"{REAL.name} is not beside this project, in shared/squeezenet")
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_layer_of_the_real_weights_is_pytorchs(variant):
    from safetensors.torch import load_file

    net, model = load_convnet(REAL), squeezenet("1_0", padding=1)
    model.load_state_dict(load_file(REAL))
    picture = draw(KINDS[0], 0, net.preprocess.size[0])
    compare(net, "1_0", model, net.preprocess(picture), variant)
