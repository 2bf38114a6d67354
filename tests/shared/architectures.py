"""Known architectures as PyTorch modules: torchvision's layers in torchvision's order, narrower, with random weights.

Batch norms have random statistics, so that one which is not folded right is seen.
"""

import torch
from torch import nn


def _conv(into, out, size=3, stride=1, groups=1, act=nn.ReLU):
    return nn.Sequential(
        nn.Conv2d(into, out, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out),
        *([act()] if act else []),
    )


class Fire(nn.Module):
    def __init__(self, into, squeeze, expand):
        super().__init__()
        self.squeeze, self.squeeze_activation = nn.Conv2d(into, squeeze, 1), nn.ReLU(inplace=True)
        self.expand1x1, self.expand1x1_activation = nn.Conv2d(squeeze, expand, 1), nn.ReLU(inplace=True)
        self.expand3x3, self.expand3x3_activation = nn.Conv2d(squeeze, expand, 3, padding=1), nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.squeeze_activation(self.squeeze(x))
        return torch.cat(
            [self.expand1x1_activation(self.expand1x1(x)), self.expand3x3_activation(self.expand3x3(x))], 1
        )


class SqueezeNet(nn.Module):
    def __init__(self, version, classes=10):
        super().__init__()
        pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)
        if version == "1.0":
            self.features = nn.Sequential(
                nn.Conv2d(3, 24, 7, 2), nn.ReLU(True), pool(), Fire(24, 4, 16), Fire(32, 4, 16), Fire(32, 8, 32),
                pool(), Fire(64, 8, 32), Fire(64, 12, 48), Fire(96, 12, 48), Fire(96, 16, 64), pool(),
                Fire(128, 16, 64),
            )  # fmt: skip
        else:
            self.features = nn.Sequential(
                nn.Conv2d(3, 16, 3, 2), nn.ReLU(True), pool(), Fire(16, 4, 16), Fire(32, 4, 16), pool(),
                Fire(32, 8, 32), Fire(64, 8, 32), pool(), Fire(64, 12, 48), Fire(96, 12, 48), Fire(96, 16, 64),
                Fire(128, 16, 64),
            )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Dropout(0.5), nn.Conv2d(128, classes, 1), nn.ReLU(True), nn.AdaptiveAvgPool2d((1, 1))
        )

    def forward(self, x):
        return torch.flatten(self.classifier(self.features(x)), 1)


class Vgg(nn.Module):
    def __init__(self, norm, classes=10):
        super().__init__()
        layers, into = [], 3
        for out in (8, "M", 16, "M", 24, 24, "M", 32, 32, "M", 32, 32, "M"):
            if out == "M":
                layers.append(nn.MaxPool2d(2, 2))
            else:
                layers += [nn.Conv2d(into, out, 3, padding=1), *([nn.BatchNorm2d(out)] if norm else []), nn.ReLU(True)]
                into = out
        self.features, self.avgpool = nn.Sequential(*layers), nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(
            nn.Linear(32 * 4, 64), nn.ReLU(True), nn.Dropout(), nn.Linear(64, 64), nn.ReLU(True), nn.Dropout(),
            nn.Linear(64, classes),
        )  # fmt: skip

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class AlexNet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 11, 4, 2), nn.ReLU(True), nn.MaxPool2d(3, 2), nn.Conv2d(16, 32, 5, padding=2),
            nn.ReLU(True), nn.MaxPool2d(3, 2), nn.Conv2d(32, 48, 3, padding=1), nn.ReLU(True),
            nn.Conv2d(48, 32, 3, padding=1), nn.ReLU(True), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(True),
            nn.MaxPool2d(3, 2),
        )  # fmt: skip
        self.avgpool = nn.AdaptiveAvgPool2d((3, 3))
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(32 * 9, 64), nn.ReLU(True), nn.Dropout(), nn.Linear(64, 64), nn.ReLU(True),
            nn.Linear(64, classes),
        )  # fmt: skip

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class Block(nn.Module):
    """ResNet's, basic or bottleneck."""

    def __init__(self, into, out, stride, narrow=None):
        super().__init__()
        if narrow:
            self.inner = nn.Sequential(
                *_conv(into, narrow, 1), *_conv(narrow, narrow, 3, stride), *_conv(narrow, out, 1, act=None)
            )
        else:
            self.inner = nn.Sequential(*_conv(into, out, 3, stride), *_conv(out, out, 3, act=None))
        self.downsample = None if stride == 1 and into == out else _conv(into, out, 1, stride, act=None)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        kept = x if self.downsample is None else self.downsample(x)
        y = self.inner(x)
        y += kept
        return self.relu(y)


class ResNet(nn.Module):
    def __init__(self, narrow, classes=10):
        super().__init__()
        self.stem, self.maxpool = _conv(3, 8, 7, 2), nn.MaxPool2d(3, 2, 1)
        widths, layers, into = (16, 24, 32, 48), [], 8
        for k, out in enumerate(widths):
            for i in (0, 1):
                layers.append(Block(into, out, 2 if k and not i else 1, narrow and out // 4))
                into = out
        self.layers, self.avgpool, self.fc = nn.Sequential(*layers), nn.AdaptiveAvgPool2d(1), nn.Linear(into, classes)

    def forward(self, x):
        return self.fc(torch.flatten(self.avgpool(self.layers(self.maxpool(self.stem(x)))), 1))


class InvertedResidual(nn.Module):
    def __init__(self, into, out, stride, expand, act):
        super().__init__()
        wide = into * expand
        self.conv = nn.Sequential(
            *([_conv(into, wide, 1, act=act)] if expand > 1 else []),
            _conv(wide, wide, 3, stride, groups=wide, act=act),
            _conv(wide, out, 1, act=None),
        )
        self.adds = stride == 1 and into == out

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    """With relu6 as published; other activations as its followers have them."""

    def __init__(self, act=nn.ReLU6, classes=10):
        super().__init__()
        layers, into = [_conv(3, 8, 3, 2, act=act)], 8
        for expand, out, count, stride in ((1, 6, 1, 1), (6, 8, 2, 2), (6, 12, 2, 2), (6, 16, 1, 1)):
            for i in range(count):
                layers.append(InvertedResidual(into, out, 1 if i else stride, expand, act))
                into = out
        self.features = nn.Sequential(*layers, _conv(into, 64, 1, act=act))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(64, classes))

    def forward(self, x):
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(torch.flatten(x, 1))


class SqueezeExcitation(nn.Module):
    """torchvision's: two 1 x 1 convolutions of the mean make a factor for each channel."""

    def __init__(self, wide, narrow, act, gate):
        super().__init__()
        self.avgpool, self.activation, self.scale_activation = nn.AdaptiveAvgPool2d(1), act(), gate()
        self.fc1, self.fc2 = nn.Conv2d(wide, narrow, 1), nn.Conv2d(narrow, wide, 1)

    def forward(self, x):
        return self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(x))))) * x


class MeanExcitation(nn.Module):
    """timm's: the mean by itself, the map first."""

    def __init__(self, wide, narrow, act, gate):
        super().__init__()
        self.conv_reduce, self.act1 = nn.Conv2d(wide, narrow, 1), act()
        self.conv_expand, self.gate = nn.Conv2d(narrow, wide, 1), gate()

    def forward(self, x):
        return x * self.gate(self.conv_expand(self.act1(self.conv_reduce(x.mean((2, 3), keepdim=True)))))


class DenseExcitation(nn.Module):
    """As first published: dense layers, whose vector is made a map again and repeated at each place."""

    def __init__(self, wide, narrow, act, gate):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(wide, narrow, bias=False), act(), nn.Linear(narrow, wide, bias=False), gate())

    def forward(self, x):
        batch, channels = x.shape[:2]
        gate = self.fc(nn.functional.adaptive_avg_pool2d(x, 1).view(batch, channels))
        return x * gate.view(batch, channels, 1, 1).expand_as(x)


class Gated(nn.Module):
    """An inverted residual of MobileNetV3 and EfficientNet, which squeezes and excites between its convolutions."""

    def __init__(self, into, wide, out, size, stride, act, excite=None):
        super().__init__()
        self.block = nn.Sequential(
            *([_conv(into, wide, 1, act=act)] if wide != into else []),
            _conv(wide, wide, size, stride, groups=wide, act=act),
            *([excite(wide)] if excite else []),
            _conv(wide, out, 1, act=None),
        )
        self.adds = stride == 1 and into == out

    def forward(self, x):
        return self.block(x) + x if self.adds else self.block(x)


class MobileNetV3(nn.Module):
    """The small one: relu, later hard swish; hard sigmoids are the gates."""

    def __init__(self, classes=10):
        super().__init__()
        relu, swish = nn.ReLU, nn.Hardswish
        excite = lambda wide: SqueezeExcitation(wide, max(wide // 4, 4), nn.ReLU, nn.Hardsigmoid)
        layers, into = [_conv(3, 8, 3, 2, act=swish)], 8
        for wide, out, size, stride, act, excited in (
            (8, 8, 3, 2, relu, True), (20, 12, 3, 2, relu, False), (26, 12, 3, 1, relu, False),
            (28, 16, 5, 2, swish, True), (48, 16, 5, 1, swish, True), (34, 18, 5, 1, swish, True),
        ):  # fmt: skip
            layers.append(Gated(into, wide, out, size, stride, act, excite if excited else None))
            into = out
        self.features, self.avgpool = nn.Sequential(*layers, _conv(into, 72, 1, act=swish)), nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Linear(72, 96), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(96, classes))

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class EfficientNet(nn.Module):
    """B0: silu, every block gated by sigmoids; the vector is a quarter of the block's input, as published."""

    def __init__(self, excitation=SqueezeExcitation, classes=10):
        super().__init__()
        layers, into = [_conv(3, 8, 3, 2, act=nn.SiLU)], 8
        for expand, out, count, stride, size in (
            (1, 6, 1, 1, 3), (6, 8, 2, 2, 3), (6, 10, 2, 2, 5), (6, 14, 2, 2, 3), (6, 16, 2, 1, 5), (6, 20, 2, 2, 5),
            (6, 24, 1, 1, 3),
        ):  # fmt: skip
            for i in range(count):
                narrow = max(1, into // 4)
                excite = lambda wide, narrow=narrow: excitation(wide, narrow, nn.SiLU, nn.Sigmoid)
                layers.append(Gated(into, into * expand, out, size, 1 if i else stride, nn.SiLU, excite))
                into = out
        self.features, self.avgpool = nn.Sequential(*layers, _conv(into, 96, 1, act=nn.SiLU)), nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(96, classes))

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class DenseLayer(nn.Module):
    def __init__(self, into, grow=6):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(into), nn.Conv2d(into, 4 * grow, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4 * grow), nn.Conv2d(4 * grow, grow, 3, padding=1, bias=False)

    def forward(self, maps):
        x = self.conv1(self.norm1(torch.cat(maps, 1)).relu())
        return self.conv2(self.norm2(x).relu())


class DenseNet(nn.Module):
    """Batch norms before convolutions; each layer takes the maps of all before it."""

    def __init__(self, classes=10):
        super().__init__()
        self.stem, into = _conv(3, 8, 3, 2), 8
        self.blocks, self.between = nn.ModuleList(), nn.ModuleList()
        for k in range(2):
            self.blocks.append(nn.ModuleList(DenseLayer(into + 6 * i) for i in range(3)))
            into += 18
            if k == 0:
                norm = nn.BatchNorm2d(into)
                self.between.append(nn.Sequential(norm, nn.ReLU(), nn.Conv2d(into, 12, 1, bias=False), nn.AvgPool2d(2)))
                into = 12
        self.norm, self.classifier = nn.BatchNorm2d(into), nn.Linear(into, classes)

    def forward(self, x):
        x = self.stem(x)
        for k, block in enumerate(self.blocks):
            maps = [x]
            for layer in block:
                maps.append(layer(maps))
            x = torch.cat(maps, 1)
            x = self.between[k](x) if k == 0 else x
        return self.classifier(self.norm(x).relu().mean((2, 3)))


class Mixed(nn.Module):
    """What the others lack: one channel in, rectangles, asymmetric padding, dilation, groups, other pools, view."""

    def __init__(self, classes=7):
        super().__init__()
        self.a = nn.Conv2d(1, 12, (3, 5), (1, 2), padding=(2, 0), dilation=(2, 1))
        self.b = nn.Conv2d(12, 12, 3, groups=3, padding="same")
        self.c = nn.Conv2d(24, 8, 1)
        self.pad = nn.ZeroPad2d((1, 0, 2, 1))
        self.inside, self.outside = (
            nn.AvgPool2d(3, 2, 1),
            nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
        )
        self.norm, self.dense = nn.BatchNorm2d(12), nn.LazyLinear(classes)
        self.slopes = nn.PReLU()

    def forward(self, x):
        x = nn.functional.leaky_relu(self.a(x), 0.1)
        x = torch.cat([nn.functional.silu(self.norm(x)), nn.functional.elu(self.b(x))], 1)
        x = self.slopes(self.c(self.pad(x)) * 0.5 + 0.25)
        x = self.outside(nn.functional.gelu(self.inside(x)))
        return torch.log_softmax(self.dense(x.view(x.size(0), -1)), 1)


# name: (module, size of its input)
ARCHITECTURES = {
    "squeezenet 1.0": (lambda: SqueezeNet("1.0"), (3, 75, 75)),
    "squeezenet 1.1": (lambda: SqueezeNet("1.1"), (3, 64, 80)),
    "vgg": (lambda: Vgg(False), (3, 64, 64)),
    "vgg, batch norms": (lambda: Vgg(True), (3, 64, 64)),
    "alexnet": (AlexNet, (3, 127, 127)),
    "resnet": (lambda: ResNet(False), (3, 64, 64)),
    "resnet, bottlenecks": (lambda: ResNet(True), (3, 64, 64)),
    "mobilenet v2": (MobileNetV2, (3, 64, 64)),
    "mobilenet, hard swish": (lambda: MobileNetV2(nn.Hardswish), (3, 48, 48)),
    "mobilenet, silu": (lambda: MobileNetV2(nn.SiLU), (3, 48, 48)),
    "mobilenet v3": (MobileNetV3, (3, 64, 64)),
    "efficientnet": (EfficientNet, (3, 64, 64)),
    "efficientnet, gates of means": (lambda: EfficientNet(MeanExcitation), (3, 40, 56)),
    "efficientnet, gates of dense layers": (lambda: EfficientNet(DenseExcitation), (3, 48, 48)),
    "efficientnet, maps of one pixel": (EfficientNet, (3, 32, 32)),
    "densenet": (DenseNet, (3, 32, 32)),
    "mixed": (Mixed, (1, 30, 41)),
}


def made(name):
    """(the module in eval() with random weights, the size of its input)."""
    torch.manual_seed(7)
    make, size = ARCHITECTURES[name]
    model = make()
    model.eval()(torch.zeros(1, *size))
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.normal_(layer.bias, std=0.1)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.3)
            nn.init.normal_(layer.running_mean, std=0.3)
            nn.init.uniform_(layer.running_var, 0.5, 2.0)
    return model, size
