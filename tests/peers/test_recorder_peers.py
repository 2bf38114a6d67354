"""PyTorch trainings recorded, saved and loaded: every snapshot is the model as it was then."""

import copy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.network.history import snapshot_steps

pytestmark = pytest.mark.peers
torch = pytest.importorskip("torch", reason="`make test-peers` installs PyTorch")
EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"


@pytest.fixture
def moons(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import two_moons

    yield two_moons
    sys.modules.pop("two_moons", None)


def outputs(model, points):
    with torch.no_grad():
        return model.double()(torch.from_numpy(points)).numpy()


class Watching(engine.Recorder):
    """Keeps a copy of the model at every step."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.seen, self.given = [], []

    def step(self, model, loss=None, **more):
        self.seen.append(copy.deepcopy(model))
        self.given.append(float(loss.detach()))
        super().step(model, loss, **more)


def test_two_moons_are_recorded_saved_and_loaded_as_they_were(moons, tmp_path):
    path, steps = tmp_path / "moons.safetensors", 330
    points, moon = moons.two_moons(moons.SAMPLES)
    with Watching(path, data=points, targets=moon) as recorder:
        model = moons.train(recorder, 1, steps)
    history = engine.load_history(path)
    # Called before the optimizer's step: after the last call the model has moved once more, and that is kept too.
    assert np.array_equal(history.steps, snapshot_steps(steps))
    grid = np.random.default_rng(0).uniform(-2, 3, (200, 2))
    for k, step in enumerate(history.steps):
        then = (recorder.seen[step] if step < steps else model).eval()
        # Both in float64 from the same float32 weights: only the order of sums may differ.
        assert np.abs(history.at(0, k)(grid) - outputs(copy.deepcopy(then), grid)).max() < 1e-12
        if step < steps:
            assert history.losses[0, k] == recorder.given[step]
    # The last one's loss nobody gave: it is over all samples.
    exact = torch.nn.functional.cross_entropy(
        torch.from_numpy(outputs(copy.deepcopy(model), points.astype(float))), torch.from_numpy(moon)
    )
    assert abs(history.losses[0, -1] - exact) < 1e-12
    assert history.task == "classes" and exact < 0.5 < history.losses[0, 0]


def test_a_recorded_training_is_the_one_that_was_not_recorded(moons):
    class Nothing:
        def step(self, model, loss):
            pass

    watched, alone = moons.train(engine.Recorder(), 3, 60), moons.train(Nothing(), 3, 60)
    for a, b in zip(watched.parameters(), alone.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("place", ["before", "after"])
def test_the_last_snapshot_is_the_model_at_the_end_wherever_step_is_called(place):
    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    optimizer, recorder = torch.optim.SGD(model.parameters(), lr=0.1), engine.Recorder()
    for _ in range(58):
        loss = (model(torch.ones(8, 2)) ** 2).mean()
        if place == "before":
            recorder.step(model, loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if place == "after":
            recorder.step(model, loss)
    history = recorder.history()
    assert history.at(0, -1).equals(engine.load(model))
    assert history.steps[-1] == (58 if place == "before" else 57)


def test_a_module_with_a_forward_of_its_own_is_recorded():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.out = torch.nn.Linear(2, 6), torch.nn.Linear(6, 3)

        def forward(self, x):
            return self.out(torch.relu(self.hidden(x)))

    model, points = Net(), np.random.default_rng(1).normal(size=(20, 2))
    recorder = engine.Recorder(activations="relu")
    recorder.step(torch.nn.DataParallel(model), torch.tensor(0.5))
    # As above: float64 from the same weights.
    assert np.abs(recorder.history().at(0, 0)(points) - outputs(model, points)).max() < 1e-12


def test_a_logit_trained_with_bce_is_a_classifier():
    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    data = np.random.default_rng(2).normal(size=(30, 2))
    targets = (data[:, 0] > 0).astype(np.float32)[:, None]
    recorder = engine.Recorder(data=data, targets=targets)
    recorder.step(model)
    exact = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.from_numpy(outputs(copy.deepcopy(model), data)), torch.from_numpy(targets).double()
    )
    assert recorder.history().task == "classes" and abs(recorder.history().losses[0, 0] - exact) < 1e-12


def test_the_example_runs_and_says_what_to_do_next(tmp_path):
    path = tmp_path / "moons.safetensors"
    words = [sys.executable, str(EXAMPLES / "two_moons.py"), str(path), "60"]
    done = subprocess.run(words, cwd=EXAMPLES.parent, capture_output=True, text=True, check=True)
    assert done.stdout == f"neuroscene run boundaries --history {path}\n"
    assert engine.load_history(path).names == ("seed 1", "seed 2")


def test_batch_norms_are_recorded_as_they_compute():
    torch.manual_seed(0)
    points = torch.rand(60, 2) * 2 - 1
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 8), torch.nn.BatchNorm1d(8),
        torch.nn.Tanh(), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1),
    )  # fmt: skip
    model[6].p = 0.0
    optimiser, seen = torch.optim.Adam(model.parameters(), 0.05), []
    recorder = engine.Recorder(data=points, task="values")
    for k in range(6):
        model.train(k != 3)
        before = {key: x.clone() for key, x in model.state_dict().items()}
        recorder.step(model)
        assert all(torch.equal(x, before[key]) for key, x in model.state_dict().items())
        assert all(part.momentum == 0.1 for part in model.modules() if hasattr(part, "momentum"))
        seen.append(model(points).detach().numpy())
        optimiser.zero_grad()
        model(points).square().sum().backward()
        optimiser.step()
    history = recorder.history()
    for k in range(6):
        assert np.abs(history.at(0, k)(points.numpy()) - seen[k]).max() < 1e-5 * max(1, abs(seen[k]).max())


def test_a_step_between_forward_and_backward_leaves_the_backward_pass_what_it_needs():
    torch.manual_seed(0)
    points = torch.rand(60, 2) * 2 - 1
    model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    alone = copy.deepcopy(model)
    recorder = engine.Recorder(data=points, task="values")
    loss = model(points).square().sum()
    recorder.step(model, loss)
    loss.backward()
    alone(points).square().sum().backward()
    for mine, other in zip(model.parameters(), alone.parameters(), strict=True):
        assert torch.equal(mine.grad, other.grad)
