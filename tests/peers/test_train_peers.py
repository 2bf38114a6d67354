"""Training beside PyTorch: same first weights, same minibatches, Adam and CosineAnnealingLR of torch.optim."""

import numpy as np
import pytest

from engine.network.history import flat
from engine.network.recipe import Recipe, first_weights
from engine.reference import train as twin
from engine.training.trainer import Trainer

torch = pytest.importorskip("torch", reason="PyTorch is installed by `make test-peers`")
nn = torch.nn

pytestmark = pytest.mark.peers

MODULES = {
    "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU,
    "sigmoid": nn.Sigmoid, "elu": nn.ELU, "softplus": nn.Softplus,
}  # fmt: skip


def data(recipe, count=2000):
    """Points of the square; their classes are those of a disc, their values a few smooth functions."""
    points = np.random.default_rng(1).random((count, 2)).astype(np.float32)
    if recipe.task == "classes":
        return points, (((points - 0.5) ** 2).sum(axis=1) < 0.1).astype(np.int64)
    return points, np.stack([points.prod(axis=1), points[:, 0] ** 2, 1 - points[:, 1]], axis=1)


def model_of(net, dtype):
    steps = []
    for layer in net.layers:
        linear = nn.Linear(layer.weights.shape[1], len(layer.bias), dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(layer.weights))
            linear.bias.copy_(torch.tensor(layer.bias))
        name = layer.activation.name
        steps += [linear, *([] if name == "identity" else [MODULES[name]()])]
    return nn.Sequential(*steps)


def flat_of(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()]).double().numpy()


def by_torch(recipe, points, targets, dtype=torch.float64, seed=0):
    """PyTorch's weights after the recipe, and its first gradient."""
    model = model_of(first_weights(recipe.shape, seed), dtype)
    adam = torch.optim.Adam(model.parameters(), recipe.rate, (recipe.beta1, recipe.beta2), recipe.epsilon)
    anneal = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=recipe.steps)
    loss_of = nn.CrossEntropyLoss() if recipe.task == "classes" else nn.MSELoss()
    x, y, first = torch.tensor(points, dtype=dtype), torch.tensor(targets), None
    y = y if recipe.task == "classes" else y.to(dtype)
    for step in range(recipe.steps):
        some = torch.tensor(twin.minibatch(seed, step, recipe.batch, len(points)))
        adam.zero_grad()
        loss_of(model(x[some]), y[some]).backward()
        if first is None:
            first = torch.cat([p.grad.flatten() for p in model.parameters()]).double().numpy()
        adam.step()
        anneal.step()
    return flat_of(model), first


def by_us(recipe, points, targets):
    trainer = Trainer(points, targets, recipe, snapshots=[])
    trainer.advance(recipe.steps)
    return trainer.history().weights[0, -1]


@pytest.mark.parametrize("activation", MODULES)
@pytest.mark.parametrize("task", ["classes", "values"])
def test_gradients_are_pytorchs(activation, task):
    recipe = Recipe((2, 16, 16, 2 if task == "classes" else 3), activation, task, steps=1, batch=128)
    points, targets = data(recipe)
    start = first_weights(recipe.shape, 0)
    some = twin.minibatch(0, 0, 128, len(points))
    ours = twin.loss_and_gradient(recipe.shape, flat(start), points[some], targets[some], task)[1]
    _, theirs = by_torch(recipe, points, targets)
    # Both float64; the parameter of leaky_relu is a float32 here.
    assert abs(ours - theirs).max() < 1e-8
    trainer = Trainer(points, targets, recipe)
    trainer.advance(1)
    # The first moment is a tenth of the gradient, whose 128 terms of at most 1 are summed in float32.
    assert abs(10 * trainer._training.moments[0, 0] - theirs).max() < 128 * 2.0**-24


@pytest.mark.parametrize("activation, batch", [("relu", 128), ("tanh", 128), ("gelu", 128), ("tanh", 0)])
def test_a_thousand_steps_are_pytorchs(activation, batch):
    recipe = Recipe((2, 16, 16, 16, 2), activation, steps=1000, batch=batch)
    points, targets = data(recipe, 400)
    exact, _ = by_torch(recipe, points, targets)
    ours = by_us(recipe, points, targets)
    # The rates sum to 0.5; moves are known to 1e-5 of them, and each step rounds a weight below 2.
    bound = 0.5 * 1e-5 + 1000 * 2.0**-23
    if activation == "relu" or batch == 0:
        # At a kink either side is taken for the least rounding, and near a minimum of all data Adam divides noise by
        # noise: there the measure is how far PyTorch's own float32 goes, and two such programs differ a few times.
        single, _ = by_torch(recipe, points, targets, torch.float32)
        bound = max(bound, 8 * abs(single - exact).max())
    assert abs(ours).max() < 2 and abs(exact - flat(first_weights(recipe.shape, 0))).max() > 0.1
    assert abs(ours - exact).max() < bound
