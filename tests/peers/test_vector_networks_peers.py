"""Functions of a vector as people write them in PyTorch: values and gradients within float32 of PyTorch's own."""

import numpy as np
import pytest

import engine
from engine.kernels.field import evaluate

torch = pytest.importorskip("torch", reason="PyTorch is not installed; `make test-peers` installs it")
nn, F = torch.nn, torch.nn.functional
pytestmark = pytest.mark.peers


class DeepSdf(nn.Module):
    """Park et al. 2019: weight norm, the input again at the fourth layer, tanh at the end."""

    def __init__(self, width=512, latent=64, depth=8, skip=4):
        super().__init__()
        norm, self.skip = nn.utils.parametrizations.weight_norm, skip
        sizes = [latent + 3] + [width - (latent + 3 if i == skip - 1 else 0) for i in range(depth)]
        pairs = zip([*sizes[:skip], width, *sizes[skip + 1 :]], sizes[1:], strict=False)
        self.layers = nn.ModuleList(norm(nn.Linear(n, m)) for n, m in pairs)
        self.last = nn.Linear(width, 1)

    def forward(self, x):
        h = x
        for i, layer in enumerate(self.layers):
            h = F.relu(layer(torch.cat([h, x], 1) if i == self.skip else h))
        return torch.tanh(self.last(h))


class Igr(nn.Module):
    """Gropp et al. 2020: softplus(100), skip divided by sqrt 2, geometric initialisation."""

    def __init__(self, width=64, depth=8):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Linear(3 if i == 0 else width, width - 3 if i == 3 else width) for i in range(depth)
        )
        self.last, self.softplus = nn.Linear(width, 1), nn.Softplus(beta=100)

    def forward(self, x):
        h = x
        for i, layer in enumerate(self.layers):
            h = torch.cat([h, x], 1) / np.sqrt(2) if i == 4 else h
            h = self.softplus(layer(h))
        return self.last(h)


class Nerf(nn.Module):
    """Mildenhall et al. 2020: sin and cos of doubled frequencies beside the point, a skip, two heads."""

    def __init__(self, width=64, frequencies=6):
        super().__init__()
        self.register_buffer("scales", 2.0 ** torch.arange(frequencies))
        n = 3 + 6 * frequencies
        self.a, self.b = nn.Linear(n, width), nn.Linear(width, width)
        self.c, self.density, self.colour = nn.Linear(width + n, width), nn.Linear(width, 1), nn.Linear(width, 3)

    def forward(self, x):
        z = (x[..., None, :] * self.scales[:, None] * np.pi).flatten(-2)
        z = torch.cat([x, z.sin(), z.cos()], -1)
        h = F.relu(self.b(F.relu(self.a(z))))
        h = F.relu(self.c(torch.cat([h, z], -1)))
        return torch.cat([F.softplus(self.density(h)), torch.sigmoid(self.colour(h))], -1)


class Residual(nn.Module):
    """Blocks h + W relu(V h), and of layer norms before them."""

    def __init__(self, width=48, blocks=3, norm=False):
        super().__init__()
        self.enter, self.leave = nn.Linear(3, width), nn.Linear(width, 2)
        first = nn.LayerNorm if norm else nn.Identity
        self.blocks = nn.ModuleList(
            nn.Sequential(first(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
            for _ in range(blocks)
        )

    def forward(self, x):
        h = self.enter(x)
        for block in self.blocks:
            h = h + block(h)
        return self.leave(h)


class Gated(nn.Module):
    """A gate beside each layer (SwiGLU), and the length of the input."""

    def __init__(self, width=24):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, width), nn.Linear(4, width), nn.Linear(width, 1)

    def forward(self, x):
        x = torch.cat([x, x.norm(dim=-1, keepdim=True)], -1)
        return self.c(F.silu(self.a(x)) * self.b(x))


def _normed():
    return nn.Sequential(
        nn.Linear(3, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, 32), nn.LayerNorm(32), nn.Tanh(), nn.Linear(32, 2)
    )


FORMS = {
    "deep_sdf": (DeepSdf, 67),
    "igr": (Igr, 3),
    "nerf": (Nerf, 3),
    "residual": (Residual, 3),
    "residual_norm": (lambda: Residual(norm=True), 3),
    "residual_wide": (lambda: Residual(width=200, blocks=2), 3),
    "layer_norm": (_normed, 3),
    "gated": (Gated, 3),
}


@pytest.fixture(scope="module", params=FORMS)
def model(request):
    torch.manual_seed(0)
    make, inputs = FORMS[request.param]
    return make().eval(), inputs


@pytest.fixture(scope="module")
def net(model):
    module, inputs = model
    return engine.load(module, example=torch.zeros(1, inputs))


def _points(inputs, count=300):
    return np.random.default_rng(0).uniform(-1, 1, (count, inputs)).astype(np.float32)


def _exact(module, points):
    module.double()
    try:
        x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
        y = module(x)
        (slope,) = torch.autograd.grad(y[:, 0].sum(), x)
        return y.detach().numpy(), slope.numpy()
    finally:
        module.float()


def test_values_are_pytorchs_in_float64_and_on_the_gpu(model, net):
    module, inputs = model
    points = _points(inputs)
    exact, _ = _exact(module, points)
    with torch.no_grad():
        own = abs(module(torch.tensor(points)).numpy() - exact).max()
    largest = abs(exact).max()
    assert abs(net(points) - exact).max() <= 1e-5 * largest
    assert abs(evaluate(net, points) - exact).max() <= max(4 * own, 1e-5 * largest)


def test_gradients_are_pytorchs(model, net):
    module, inputs = model
    points = _points(inputs, 100)
    part = engine.parts.sliced(net, np.zeros(inputs), np.eye(inputs)[-3:])
    at = np.zeros((len(points), inputs), np.float32)
    at[:, -3:] = points[:, -3:]
    _, exact = _exact(module, at)
    found = evaluate(part, at[:, -3:], gradient=True)[1][:, 0]
    # At a kink both one-sided slopes are right.
    wrong = abs(found - exact[:, -3:]).max(1) > 1e-3 * max(1.0, abs(exact).max())
    assert wrong.mean() < 0.01
