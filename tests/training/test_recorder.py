"""A training recorded step by step: what is kept, what it costs when nothing is, and what the file says."""

import warnings

import numpy as np
import pytest

import engine
from engine.errors import FileError, NetworkError, NeurosceneError, SettingError, ShapeError
from engine.network.history import flat, following, snapshot_steps
from engine.network.random import random_mlp
from engine.training.recorder import Recorder
from engine.training.samples import TrainingSamples


class Linear:
    """As PyTorch's, of numpy arrays."""

    def __init__(self, rng, into, out):
        self.weight, self.bias = rng.normal(size=(out, into)), rng.normal(size=out)
        self._parameters = {"weight": self.weight, "bias": self.bias}

    def forward(self, x):
        return x @ self.weight.T + self.bias


class ReLU:
    def forward(self, x):
        return np.maximum(x, 0)


class Sequential:
    def __init__(self, *modules):
        self._modules = {str(k): m for k, m in enumerate(modules)}

    def forward(self, x):
        for module in self._modules.values():
            x = module.forward(x)
        return x

    def __call__(self, x):
        return self.forward(x)

    def state_dict(self):
        return {f"{k}.{n}": v for k, m in self._modules.items() for n, v in getattr(m, "_parameters", {}).items()}


class Network(Sequential):
    """A module that computes in its own way, so that only its weights can be taken."""

    def forward(self, x):
        return -super().forward(x)


def a_model(sizes=(2, 5, 2), seed=0, kind=Sequential):
    rng = np.random.default_rng(seed)
    layers = [[Linear(rng, a, b), ReLU()] for a, b in zip(sizes, sizes[1:], strict=False)]
    return kind(*[x for pair in layers for x in pair][:-1])


def moved(model, step):
    """The model, each weight another one at every step."""
    for module in model._modules.values():
        for value in getattr(module, "_parameters", {}).values():
            value += 0.001 * np.cos(step + np.arange(value.size)).reshape(value.shape)
    return model


def recorded(steps, recorder=None, **more):
    """(recorder, {step: flat weights at that call}) of a training of so many steps."""
    recorder, model, seen = recorder or Recorder(), a_model(**more), {}
    for step in range(steps):
        seen[step] = flat(engine.load(model))
        recorder.step(model, 1.0 / (step + 1))
        if step < steps - 1:
            moved(model, step)
    return recorder, seen


def test_the_rule_without_an_end_keeps_what_a_training_s_rule_keeps():
    steps, total = [0], 2_000_000
    while steps[-1] < total:
        steps.append(following(steps[-1]))
    assert np.array_equal(steps, snapshot_steps(total))


def test_snapshots_are_the_model_s_weights_at_the_rule_s_steps():
    recorder, seen = recorded(301)
    history = recorder.history()
    assert np.array_equal(history.steps, snapshot_steps(300))
    for k, step in enumerate(history.steps):
        assert np.array_equal(history.weights[0, k], seen[step])
        assert history.losses[0, k] == 1.0 / (step + 1)
    assert "given" in history.notes["losses"]


def test_the_last_step_is_kept_wherever_it_falls():
    recorder, seen = recorded(67)
    assert recorder.history().steps[-1] == 66
    assert np.array_equal(recorder.history().weights[0, -1], seen[66])


def test_a_look_in_the_middle_leaves_no_trace():
    recorder, model = Recorder(), a_model()
    for step in range(200):
        recorder.step(moved(model, step), 0.0)
        if step in (53, 121):
            assert recorder.history().steps[-1] == step
    assert np.array_equal(recorder.history().steps, snapshot_steps(199))


def test_a_step_that_is_not_kept_reads_neither_weights_nor_loss():
    recorder, model = Recorder(), a_model()

    class Loss:
        """A number that would make a GPU wait."""

        read = 0

        def __float__(self):
            Loss.read += 1
            return 0.5

    for _ in range(301):
        recorder.step(model, Loss())
    assert Loss.read == len(snapshot_steps(300))
    model._modules["0"].weight = None  # read now, it would be refused
    recorder.step(model, Loss())
    with pytest.raises(NetworkError):
        recorder.step(model, Loss(), step=310)


def test_steps_may_be_numbered_by_the_training():
    recorder, model = Recorder(), a_model()
    for step in range(1000, 5001, 10):
        recorder.step(model, 0.0, step=step)
    history = recorder.history()
    assert history.steps[0] == 1000 and history.steps[-1] == 5000
    assert set(history.steps[1:]) <= set(snapshot_steps(10_000))
    with pytest.raises(SettingError, match="rise"):
        recorder.step(model, 0.0, step=5000)


def test_a_full_recorder_is_thinned_evenly_in_the_logarithm():
    net = random_mlp([2, 5, 2], "relu", seed=0)
    room = 60
    recorder = Recorder(limit=4 * net.weight_count * room)
    for step in range(30_000):
        recorder.step(net, step)
        assert len(recorder._runs[0].steps) <= room
    history = recorder.history()
    assert history.steps[0] == 0 and history.steps[-1] == 29_999 and history.snapshots > room // 4
    assert np.array_equal(history.losses[0], history.steps)  # each loss is still its own step's
    gaps = np.diff(np.log1p(history.steps))[1:-1]
    # Past the first steps, which are a factor apart by themselves, gaps differ by what two halvings leave.
    late = gaps[history.steps[1:-2] > 20]
    assert late.max() < 5 * late.min()


def test_a_network_too_large_to_be_kept_is_reported():
    with pytest.raises(SettingError, match="limit"):
        Recorder(limit=500).step(a_model(), 0.0)


# Runs.


def test_runs_of_one_shape_lie_side_by_side():
    recorder = Recorder()
    for seed in (1, 2):
        recorder.run(f"seed {seed}")
        recorded(60, recorder, seed=seed)
    history = recorder.history()
    assert history.names == ("seed 1", "seed 2") and history.weights.shape[:2] == (2, len(snapshot_steps(59)))
    assert not np.array_equal(history.weights[0], history.weights[1])


def test_runs_of_different_lengths_are_cut_to_what_they_share_and_it_is_said():
    recorder = Recorder()
    recorded(120, recorder)
    recorder.run()
    recorded(90, recorder, seed=1)
    with pytest.warns(UserWarning, match="cut"):
        history = recorder.history()
    assert np.array_equal(history.steps, snapshot_steps(119)[: history.snapshots]) and history.steps[-1] == 88
    assert "run 1 to step 119" in history.notes["cut"]


def test_a_run_that_was_begun_and_not_used_is_none():
    recorder = Recorder()
    recorder.run("empty").run("full")
    recorded(3, recorder)
    recorder.run("none yet")
    assert recorder.history().names == ("full",)


def test_a_model_of_another_shape_is_reported():
    recorder, _ = recorded(3)
    recorder.run()
    with pytest.raises(ShapeError, match="another Recorder"):
        recorder.step(a_model((2, 6, 2)), 0.0)


def test_a_training_that_diverges_goes_on_and_is_kept_until_then():
    recorder, model = Recorder(), a_model()
    with pytest.warns(UserWarning, match="not finite from step 7"):
        for step in range(20):
            if step == 7:
                model._modules["0"].weight[0, 0] = np.nan
            recorder.step(model, float("nan"))
    assert list(recorder.history().steps) == list(range(7))


# What may be given.


def test_a_mapping_a_function_or_an_mlp_is_a_model_too():
    model = a_model()
    wanted = flat(engine.load(model))
    named = model.state_dict(), model.state_dict, Network(*model._modules.values())
    whole = model, lambda: model, engine.load(model)
    for sources, activations in ((named, "relu"), (whole, None)):
        for source in sources:
            recorder = Recorder(activations=activations)
            recorder.step(source)
            assert np.array_equal(recorder.history().weights[0, 0], wanted)


def test_a_module_of_its_own_kind_says_what_is_missing():
    with pytest.raises(NetworkError, match="activations='relu'"):
        Recorder().step(a_model(kind=Network))


def test_a_sequential_keeps_its_own_activations():
    with pytest.raises(NetworkError, match="Leave them out"):
        Recorder(activations="tanh").step(a_model())


@pytest.mark.parametrize("last", ["identity", "sigmoid"])
def test_one_output_of_a_classifier_is_two_logits(last):
    net = engine.load(random_mlp([2, 4, 1], "relu", seed=1), activations=f"relu,{last}")
    points = np.random.default_rng(0).normal(size=(50, 2))
    recorder = Recorder(task="classes")
    recorder.step(net, 0.0)
    logits = recorder.history().at(0, 0)(points)
    z = net(points)[:, 0]
    chance = z if last == "sigmoid" else 1 / (1 + np.exp(-z))
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.abs(softmax[:, 1] - chance).max() < 1e-12


def test_the_task_is_found_by_outputs_and_targets():
    data = np.random.default_rng(0).normal(size=(10, 2))
    for sizes, targets, task in [
        ([2, 4, 3], None, "classes"),
        ([2, 4, 3], np.arange(10) % 3, "classes"),
        ([2, 4, 3], np.zeros((10, 3)), "values"),
        ([2, 4, 1], None, "values"),
        ([2, 4, 1], (np.arange(10) % 2).astype(float), "classes"),
        ([2, 4, 1], np.linspace(0, 1, 10), "values"),
    ]:
        recorder = Recorder(data=data, targets=targets)
        recorder.step(random_mlp(sizes, "relu", seed=0), 0.0)
        assert recorder.history().task == task, (sizes, targets)


def test_outputs_that_are_no_logits_are_values():
    net = engine.load(random_mlp([2, 4, 3], "relu", seed=1), activations="relu,sigmoid")
    recorder = Recorder()
    recorder.step(net)
    assert recorder.history().task == "values"
    with pytest.raises(NetworkError, match="ends in identity, softmax or log_softmax, not sigmoid"):
        Recorder(task="classes").step(net)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"x": 0, "y": 0}, "same input"),
        ({"y": 5}, "from 0 to 2"),
        ({"x": "a"}, "input from 0"),
        ({"low": 1, "high": 0}, "greater high"),
        ({"low": "a"}, "low=a"),
        ({"low": [1, 2, 3]}, "a number, or two"),
        ({"rest": [0, 0]}, "each of the 3 inputs"),
        ({"data": np.zeros((4, 2))}, "data has 2 inputs"),
        ({"data": np.zeros((4, 3)), "targets": [0, 1, 2, 0]}, "from 0 to 2"),
        ({"data": np.zeros((4, 3)), "targets": [0, 1]}, "4 samples"),
        ({"data": np.full((4, 3), np.nan)}, "finite"),
        ({"data": "text"}, "numbers"),
        ({"targets": [0]}, "without data"),
        ({"task": "poetry"}, "classes or values"),
        ({"path": "run.npz"}, "must end in"),
        ({"path": "nowhere/run.safetensors"}, "there is no folder .*nowhere"),
    ],
)
def test_a_mistake_is_one_line(options, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NeurosceneError, match=says) as caught:
        Recorder(**options).step(a_model((3, 4, 2)), 0.0)
    assert str(caught.value).isprintable()


def test_a_loss_of_many_numbers_is_reported():
    with pytest.raises(ShapeError, match="no single number"):
        Recorder().step(a_model(), np.zeros(3))


def test_nothing_recorded_is_reported():
    with pytest.raises(NetworkError, match="Nothing was recorded"):
        Recorder().history()


# The plane and the samples.


def test_the_plane_holds_all_samples_and_the_rest_is_their_mean():
    data = np.random.default_rng(2).normal(size=(100, 4)) * [1, 2, 3, 4] + 5
    recorder = Recorder(data=data, x=3, y=1)
    recorder.step(a_model((4, 5, 2)), 0.0)
    domain = recorder.history().domain
    world = domain.world(data)
    assert np.allclose(world, data[:, [3, 1]]) and (world > domain.low).all() and (world < domain.high).all()
    inputs = domain.inputs(world)
    assert np.allclose(inputs[:, [3, 1]], data[:, [3, 1]]) and np.allclose(inputs[:, [0, 2]], data[:, [0, 2]].mean(0))


def test_low_and_high_may_be_numbers_or_pairs():
    recorder = Recorder(low=-2, high=(3, 4))
    recorder.step(a_model(), 0.0)
    domain = recorder.history().domain
    assert list(domain.low) == [-2, -2] and list(domain.high) == [3, 4]


def test_a_network_of_one_input_is_recorded_along_it():
    recorder = Recorder(data=np.linspace(0, 1, 9))
    recorder.step(a_model((1, 5, 2)), 0.0)
    assert recorder.history().domain.inputs([[0.25, 7.0]]) == [[0.25]]


def test_a_loss_not_given_is_computed_over_the_samples():
    rng = np.random.default_rng(3)
    data, net = rng.normal(size=(40, 2)), random_mlp([2, 6, 3], "relu", seed=2)
    classes, values = rng.integers(0, 3, 40), rng.normal(size=(40, 3))
    p = np.exp(net(data))
    exact = {
        "classes": (classes, -np.log((p / p.sum(axis=1, keepdims=True))[np.arange(40), classes]).mean()),
        "values": (values, ((net(data) - values) ** 2).mean()),
    }
    for task, (targets, loss) in exact.items():
        recorder = Recorder(data=data, targets=targets)
        recorder.step(net)
        assert recorder.task in (None, task) and abs(recorder.history().losses[0, 0] - loss) < 1e-12
    softmax = engine.load(net, activations="relu,softmax")
    assert abs(TrainingSamples(data, classes).loss(softmax, "classes") - exact["classes"][1]) < 1e-9


def test_samples_are_seen_where_they_lie():
    recorder = Recorder(data=[[0.0, 0.0], [1.0, 2.0]], targets=[0, 1], low=-1, high=3)
    recorder.step(a_model(), 0.0)
    history = recorder.history()
    side = len(history.target)
    for point, grey in (((0, 0), 0), ((1, 2), 255), ((2.5, 0), 128)):
        column, row = (point[0] + 1) / 4 * side, (3 - point[1]) / 4 * side
        assert history.target[int(row), int(column)] == grey
    assert history.notes["target"] == "samples"


def test_a_target_given_is_the_one_shown():
    target = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    recorder = Recorder(target=target, notes={"by": "me"})
    recorder.step(a_model(), 0.0)
    assert np.array_equal(recorder.history().target, target) and recorder.history().notes["by"] == "me"


# Saving.


@pytest.mark.parametrize("stop", [None, KeyboardInterrupt, ValueError])
def test_a_with_block_saves_however_it_ends(tmp_path, stop):
    path = tmp_path / "run.safetensors"
    try:
        with Recorder(path) as recorder:
            recorded(30, recorder)
            if stop:
                raise stop
    except (KeyboardInterrupt, ValueError):
        pass
    assert np.array_equal(engine.load_history(path).steps, snapshot_steps(29))


def test_a_block_that_fails_before_its_first_step_fails_as_it_did(tmp_path):
    with pytest.raises(ZeroDivisionError), Recorder(tmp_path / "run.safetensors"):
        raise ZeroDivisionError
    assert not (tmp_path / "run.safetensors").exists()


def test_saving_by_hand_takes_a_path(tmp_path):
    recorder, _ = recorded(3)
    with pytest.raises(SettingError, match="give a path"):
        recorder.save()
    path = tmp_path / "run.safetensors"
    assert recorder.save(path) == path and engine.load_history(path).snapshots == 3
    with pytest.raises(FileError):
        recorder.save(tmp_path / "no" / "run.safetensors")


def test_recording_warns_of_nothing_when_nothing_is_wrong():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recorded(70)[0].history()
