"""Trains the small SqueezeNet that comes along: scenes/data/small_squeezenet.safetensors.

    make test-peers                     installs PyTorch, once, into .venv-peers
    .venv-peers/bin/python tools/small_squeezenet.py [--output FILE] [--pictures FOLDER]

It learns to tell the kinds of objects that tools/drawn/objects.py draws, from pictures drawn for it, and is judged
on pictures of other seeds; the accuracy is printed and written into the file. The same versions and
threads give the same file. Takes some ten minutes of two cores.
"""

import argparse
import json
import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engine.formats.tensors import container  # noqa: E402
from tools.drawn.objects import KINDS, SIZE, draw  # noqa: E402

OUTPUT = ROOT / "scenes" / "data" / "small_squeezenet.safetensors"
# Seeds of pictures are counted on from the training's; those judged on lie where no training reaches.
HELD_OUT = 1_000_000_000

# Keys are torchvision's, whose numbers count the relu after conv1 as well.
ARCHITECTURE: tuple[dict[str, Any], ...] = (
    {"name": "conv1", "kind": "convolution", "key": "features.0", "filters": 32, "size": 5, "stride": 2},
    {"name": "pool1", "kind": "max pool", "key": "features.2", "size": 3, "stride": 2},
    {"name": "fire2", "kind": "fire", "key": "features.3", "squeeze": 16, "expand": 32},
    {"name": "fire3", "kind": "fire", "key": "features.4", "squeeze": 16, "expand": 32},
    {"name": "pool3", "kind": "max pool", "key": "features.5", "size": 3, "stride": 2},
    {"name": "fire4", "kind": "fire", "key": "features.6", "squeeze": 24, "expand": 64},
    {"name": "fire5", "kind": "fire", "key": "features.7", "squeeze": 24, "expand": 64},
    {"name": "pool5", "kind": "max pool", "key": "features.8", "size": 3, "stride": 2},
    {"name": "fire6", "kind": "fire", "key": "features.9", "squeeze": 48, "expand": 96},
    {"name": "fire7", "kind": "fire", "key": "features.10", "squeeze": 48, "expand": 96},
    {"name": "conv8", "kind": "convolution", "key": "classifier.1", "filters": len(KINDS), "size": 1, "stride": 1},
    {"name": "pool8", "kind": "global average pool"},
    {"name": "prob", "kind": "softmax"},
)
MEAN, STD = 0.5, 0.25
# Options that change the network.
CHANGING = ("images", "epochs", "batch", "learning_rate", "seed", "threads")


def say(text):
    print(text, file=sys.stderr, flush=True)


def convolution(into, out, size, stride=1, padding=0):
    """A convolution whose batch norm is folded into it when the training is over; its relu comes after."""
    return nn.Sequential(nn.Conv2d(into, out, size, stride, padding, bias=False), nn.BatchNorm2d(out))


class Fire(nn.Module):
    """Iandola et al. 2016, figure 2: a squeeze of 1x1, then expands of 1x1 and 3x3 side by side."""

    def __init__(self, into, squeeze, expand):
        super().__init__()
        self.squeeze = convolution(into, squeeze, 1)
        self.expand1x1 = convolution(squeeze, expand, 1)
        self.expand3x3 = convolution(squeeze, expand, 3, padding=1)

    def forward(self, x):
        x = torch.relu(self.squeeze(x))
        return torch.relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], 1))


class SmallSqueezeNet(nn.Module):
    """ARCHITECTURE with batch norms, up to the softmax."""

    def __init__(self):
        super().__init__()
        self.parts, channels = nn.ModuleDict(), 3
        for layer in ARCHITECTURE:
            if layer["kind"] == "convolution":
                self.parts[layer["name"]] = convolution(channels, layer["filters"], layer["size"], layer["stride"])
                channels = layer["filters"]
            elif layer["kind"] == "fire":
                self.parts[layer["name"]] = Fire(channels, layer["squeeze"], layer["expand"])
                channels = 2 * layer["expand"]

    def forward(self, x):
        for layer in ARCHITECTURE:
            if layer["kind"] == "max pool":
                x = nn.functional.max_pool2d(x, layer["size"], layer["stride"])
            elif layer["kind"] == "fire":
                x = self.parts[layer["name"]](x)
            elif layer["kind"] == "convolution":
                x = torch.relu(self.parts[layer["name"]](x))
        return x.mean((2, 3))

    def folded(self):
        """{torchvision's key: float32 array}, batch norms gone into the weights and biases."""
        found: dict[str, np.ndarray] = {}
        for layer in ARCHITECTURE:
            if layer["kind"] == "convolution":
                found |= _fold(layer["key"], self.parts[layer["name"]])
            elif layer["kind"] == "fire":
                for name in ("squeeze", "expand1x1", "expand3x3"):
                    found |= _fold(f"{layer['key']}.{name}", getattr(self.parts[layer["name"]], name))
        return found


def _fold(key, pair):
    conv, norm = pair
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    weights = conv.weight.double() * scale[:, None, None, None]
    bias = norm.bias.double() - norm.running_mean.double() * scale
    return {f"{key}.{what}": x.detach().float().numpy() for what, x in (("weight", weights), ("bias", bias))}


def answers(arrays, x):
    """The shipped network's probabilities (N, classes) by PyTorch, from the arrays as they stand in the file."""
    weights = {key: torch.from_numpy(np.array(array)) for key, array in arrays.items()}

    def conv(key, x, stride=1, padding=0):
        return torch.relu(nn.functional.conv2d(x, weights[f"{key}.weight"], weights[f"{key}.bias"], stride, padding))

    for layer in ARCHITECTURE:
        if layer["kind"] == "convolution":
            x = conv(layer["key"], x, layer["stride"])
        elif layer["kind"] == "max pool":
            x = nn.functional.max_pool2d(x, layer["size"], layer["stride"])
        elif layer["kind"] == "fire":
            x = conv(f"{layer['key']}.squeeze", x)
            key = layer["key"]
            x = torch.cat([conv(f"{key}.expand1x1", x), conv(f"{key}.expand3x3", x, padding=1)], 1)
    return torch.softmax(x.mean((2, 3)), 1)


def _drawn(seeds, size):
    """Pictures (N, size, size, 3) uint8; picture i is of kind i modulo their number."""
    return np.stack([draw(KINDS[seed % len(KINDS)], seed // len(KINDS), size) for seed in seeds])


def pictures(first, count, workers, size=SIZE):
    """`count` pictures from seed `first` on, as many of each kind, and their kinds' numbers."""
    seeds = range(first * len(KINDS), first * len(KINDS) + count)
    pieces = [seeds[k : k + 512] for k in range(0, count, 512)]
    with ProcessPoolExecutor(workers) as crew:
        drawn = list(crew.map(_drawn, pieces, [size] * len(pieces)))
    return torch.from_numpy(np.concatenate(drawn)), torch.tensor([seed % len(KINDS) for seed in seeds])


def seen(images):
    """What the network sees of uint8 pictures (N, H, W, 3): (N, 3, H, W) float32, channels last in memory."""
    return ((images.float() / 255.0 - MEAN) / STD).permute(0, 3, 1, 2)


def varied(x, rng):
    """A batch mirrored at random, its colours' channels changed round: more pictures from the same."""
    mirrored = torch.from_numpy(rng.random(len(x)) < 0.5)
    x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    order = torch.from_numpy(rng.permuted(np.tile(np.arange(3), (len(x), 1)), axis=1))
    return x[torch.arange(len(x))[:, None], order].contiguous(memory_format=torch.channels_last)


def train(model, images, kinds, asked):
    """The model after the epochs asked for, in eval(); it gives logits."""
    rng = np.random.default_rng(asked.seed)
    model = model.to(memory_format=torch.channels_last)
    steps = asked.epochs * (len(images) // asked.batch)
    adam = torch.optim.Adam(model.parameters(), lr=asked.learning_rate, weight_decay=1e-5)
    # One warm step in twenty, then a cosine down to nothing.
    rate = torch.optim.lr_scheduler.LambdaLR(
        adam, lambda k: min(1.0, (k + 1) / (0.05 * steps)) * 0.5 * (1.0 + math.cos(math.pi * k / steps))
    )
    start = time.perf_counter()
    for epoch in range(asked.epochs):
        total, right, count = 0.0, 0, 0
        for batch in np.split(
            rng.permutation(len(images))[: steps // asked.epochs * asked.batch], steps // asked.epochs
        ):
            chosen = torch.from_numpy(batch)
            logits, truth = model(varied(seen(images[chosen]), rng)), kinds[chosen]
            loss = nn.functional.cross_entropy(logits, truth, label_smoothing=0.02)
            adam.zero_grad()
            loss.backward()
            adam.step()
            rate.step()
            total += float(loss.detach()) * len(batch)
            right += int((logits.argmax(1) == truth).sum())
            count += len(batch)
        spent = time.perf_counter() - start
        say(f"epoch {epoch + 1} of {asked.epochs}: loss {total / count:.3f}, right {right / count:.1%}, {spent:.0f} s")
    return model.eval()


@torch.no_grad()
def judged(answer, images, kinds):
    """Prints how many are right, all and kind by kind; gives the accuracy and the probabilities.

    answer   probabilities of what the network sees
    """
    found = torch.cat([answer(seen(batch)) for batch in images.split(256)])
    right = found.argmax(1) == kinds
    for k, kind in enumerate(KINDS):
        said = found.argmax(1)[(kinds == k) & ~right]
        wrong = ", ".join(f"{KINDS[j]} {int(n)}" for j, n in enumerate(torch.bincount(said)) if n)
        print(f"{kind:10} {float(right[kinds == k].float().mean()):6.1%}  {'taken for ' + wrong if wrong else ''}")
    accuracy = float(right.double().mean())
    print(f"held-out accuracy {accuracy:.2%} of {len(kinds)} pictures")
    return accuracy, found


def sheet(images, columns):
    """Pictures (N, H, W, 3) side by side, a dark line between."""
    framed = np.pad(images, ((0, -len(images) % columns), (1, 1), (1, 1), (0, 0)))
    rows = framed.reshape(-1, columns, *framed.shape[1:]).swapaxes(1, 2)
    return rows.reshape(rows.shape[0] * rows.shape[1], -1, 3)


def save_pictures(folder, images, kinds, found):
    """objects.png: a row of held-out pictures for each kind; failures.png: the first ones taken for something else."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    rows = np.concatenate([images[kinds == k][:12].numpy() for k in range(len(KINDS))])
    Image.fromarray(sheet(rows, 12)).save(folder / "objects.png")
    wrong = (found.argmax(1) != kinds).nonzero()[:, 0][:72]
    if len(wrong):
        Image.fromarray(sheet(images[wrong].numpy(), 12)).save(folder / "failures.png")
    for i, at in enumerate(wrong.tolist()):
        k, p = int(found[at].argmax()), float(found[at].max())
        say(f"failures.png row {i // 12 + 1}, {i % 12 + 1}: {KINDS[int(kinds[at])]} taken for {KINDS[k]} ({p:.0%})")


def options(about, images, epochs):
    """A parser of what both scripts that train on drawn pictures ask."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=images, help="drawn for the training")
    parser.add_argument("--held-out", type=int, default=3200, help="drawn to judge by")
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    return parser


def settle(asked):
    """Makes PyTorch give the same again."""
    torch.set_num_threads(asked.threads)
    torch.use_deterministic_algorithms(True)


def recipe(script, parser, asked):
    """What files say of how their network was trained, but the accuracy."""
    # Where files went is of no use to others; what changes the network is.
    changed = {key: getattr(asked, key) for key in CHANGING if getattr(asked, key) != parser.get_default(key)}
    options = "".join(f" --{key.replace('_', '-')} {value}" for key, value in changed.items())
    return {
        "command": f"python tools/{script}{options}",
        "numpy": np.__version__,
        "seed": str(asked.seed),
        "torch": torch.__version__,
        "training": f"{asked.images} pictures, {asked.epochs} epochs, batches of {asked.batch}, Adam, rate "
        f"{asked.learning_rate:g} falling along a cosine",
    }


def shown(size):
    """What files say of what the network sees: `seen`."""
    about = {"size": [size, size], "mean": [MEAN] * 3, "std": [STD] * 3, "scale": 1.0, "order": "rgb", "resize": "crop"}
    return {"classes": json.dumps(KINDS), "preprocess": json.dumps(about)}


def main():
    parser = options(__doc__, 16_000, 6)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the .safetensors file")
    parser.add_argument("--pictures", type=Path, help="a folder for sheets of the drawn objects and of the failures")
    asked = parser.parse_args()

    settle(asked)
    start = time.perf_counter()
    images, kinds = pictures(0, asked.images, asked.threads)
    say(f"{len(images)} pictures drawn in {time.perf_counter() - start:.0f} s")
    torch.manual_seed(asked.seed)
    arrays = train(SmallSqueezeNet(), images, kinds, asked).folded()
    images, kinds = pictures(HELD_OUT, asked.held_out, asked.threads)
    accuracy, found = judged(lambda x: answers(arrays, x), images, kinds)
    metadata = {
        **recipe("small_squeezenet.py", parser, asked),
        **shown(SIZE),
        "architecture": json.dumps(ARCHITECTURE),
        "held_out_accuracy": f"{accuracy:.4f}",
        "held_out_images": str(asked.held_out),
        "name": "small SqueezeNet",
    }
    container.write(asked.output, container.chunks(dict(sorted(metadata.items())), arrays), "Make the network smaller.")
    weights = sum(array.size for array in arrays.values())
    print(f"{asked.output.name}: {weights} weights, {asked.output.stat().st_size} bytes")
    say(f"{time.perf_counter() - start:.0f} s in all")
    if asked.pictures:
        save_pictures(asked.pictures, images, kinds, found)


if __name__ == "__main__":
    main()
