"""Trains two small convolutional networks and exports them as ONNX, as a person exports their own from PyTorch.

    make test-peers                     installs PyTorch, once, into .venv-peers
    .venv-peers/bin/python tools/example_convnets.py FOLDER [--only residual]

vgg_like.onnx has three blocks of 3 x 3 convolutions, max pools and dense layers; residual.onnx has sums past pairs of
convolutions, batch norms and a global mean. Both learn what the small SqueezeNet learns, the kinds of objects that
tools/drawn/objects.py draws, at 64 x 64, and are judged on pictures of other seeds; the accuracy is printed and
written into the file, with the classes and what is done to a photo. Takes some ten minutes of two cores.
"""

import contextlib
import io
import logging
import sys
import time
import warnings
from pathlib import Path

import onnx
import torch
from small_squeezenet import HELD_OUT, judged, options, pictures, recipe, say, settle, shown, train
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engine.formats.atomic import replacing  # noqa: E402 - the project's folder is put on the path above
from tools.drawn.objects import KINDS  # noqa: E402

SIZE = 64
# What the exporter writes of the module that a node came from.
MODULES = ("pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy")


class Block(nn.Module):
    """He et al. 2015, figure 2: two 3 x 3 convolutions and what came in added; a 1 x 1 where its shape changes."""

    def __init__(self, into, out, stride):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(into, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.norm2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.downsample = nn.Identity()
        if stride > 1:
            self.downsample = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        return (y + self.downsample(x)).relu()


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24)
        self.stage1 = nn.Sequential(Block(24, 24, 1))
        self.stage2 = nn.Sequential(Block(24, 48, 2), Block(48, 48, 1))
        self.stage3 = nn.Sequential(Block(48, 96, 2), Block(96, 96, 1))
        self.pool, self.classifier = nn.AdaptiveAvgPool2d(1), nn.Linear(96, len(KINDS))
        self.prob = nn.Identity()

    def forward(self, x):
        x = self.stage3(self.stage2(self.stage1(self.norm(self.stem(x)).relu())))
        return self.prob(self.classifier(self.pool(x).flatten(1)))


class VggLike(nn.Module):
    """Simonyan and Zisserman 2014, in small: pairs of 3 x 3 convolutions between max pools, then dense layers."""

    def __init__(self):
        super().__init__()
        layers: dict[str, nn.Module] = {}
        into = 3
        for k, out in enumerate((16, 32, 64), start=1):
            layers |= {f"conv{k}_1": nn.Conv2d(into, out, 3, padding=1), f"relu{k}_1": nn.ReLU()}
            layers |= {f"conv{k}_2": nn.Conv2d(out, out, 3, padding=1), f"relu{k}_2": nn.ReLU()}
            layers |= {f"pool{k}": nn.MaxPool2d(2)}
            into = out
        layers |= {"flat": nn.Flatten(), "drop": nn.Dropout(0.2)}
        layers |= {"dense4": nn.Linear(64 * (SIZE // 8) ** 2, 128), "relu4": nn.ReLU()}
        layers |= {"dense5": nn.Linear(128, len(KINDS))}
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.order, self.prob = tuple(layers), nn.Identity()
        # Without batch norms the first steps need responses of one size in all layers: He et al. 2015, equation 10.
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, x):
        for name in self.order:
            x = getattr(self, name)(x)
        return self.prob(x)


# Batch norms bear a higher rate.
NETWORKS = {"vgg_like": (VggLike, 1e-3), "residual": (Residual, 3e-3)}


def exported(model, path, metadata, size=SIZE):
    """Writes an .onnx file of a model's probabilities of a picture of a size, with texts about it."""
    held = io.BytesIO()
    # The exporter tells each of its steps.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(model, (torch.zeros(1, 3, size, size),), dynamo=True, verbose=False)
    program.save(held, external_data=False)
    file = onnx.load_from_string(held.getvalue())
    for node in file.graph.node:
        # Where the exporter stood in which file of this machine is of no use to others.
        remaining = [x for x in node.metadata_props if x.key in MODULES]
        del node.metadata_props[:]
        node.metadata_props.extend(remaining)
    del file.graph.metadata_props[:]
    onnx.helper.set_model_props(file, metadata)
    with replacing(path) as stream:
        stream.write(file.SerializeToString())


def main():
    parser = options(__doc__, 16_000, 5)
    parser.set_defaults(learning_rate=None)
    parser.add_argument("folder", type=Path, help="where the files go")
    parser.add_argument("--only", choices=NETWORKS, help="one of the two")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)

    settle(asked)
    start, rate = time.perf_counter(), asked.learning_rate
    images, kinds = pictures(0, asked.images, asked.threads, SIZE)
    held_images, held_kinds = pictures(HELD_OUT, asked.held_out, asked.threads, SIZE)
    say(f"{len(images) + len(held_images)} pictures drawn in {time.perf_counter() - start:.0f} s")
    for name in [asked.only] if asked.only else NETWORKS:
        make, usual = NETWORKS[name]
        asked.learning_rate = usual if rate is None else rate
        torch.manual_seed(asked.seed)
        model = train(make(), images, kinds, asked)
        print(name)
        # The loss takes logits; what is shown ends in probabilities.
        model.prob = nn.Softmax(1)
        accuracy, _ = judged(model, held_images, held_kinds)
        metadata = {
            **recipe("example_convnets.py", parser, asked),
            **shown(SIZE),
            "held_out_accuracy": f"{accuracy:.4f}",
            "held_out_images": str(asked.held_out),
        }
        path = asked.folder / f"{name}.onnx"
        exported(model.to(memory_format=torch.contiguous_format), path, metadata)
        weights = sum(x.numel() for x in model.parameters())
        print(f"{path.name}: {weights} weights, {path.stat().st_size} bytes")
    say(f"{time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
