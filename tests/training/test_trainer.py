"""Trainer and Recipe: what a training gives, however its steps are split, stopped, saved and watched."""

import math

import numpy as np
import pytest

import engine
from engine.errors import FileError, NetworkError, SettingError, ShapeError
from engine.network.history import snapshot_steps, unflat
from engine.network.mlp import Mlp
from engine.network.recipe import first_weights
from engine.reference import train as twin
from engine.reference.train_loss import mean_loss
from engine.training.trainer import Recipe, Trainer

RECIPE = Recipe((2, 8, 2), activation="tanh", steps=60, batch=16, rate=1e-2)


def discs(count=400):
    """Points of the square, class 1 within a disc."""
    points = np.random.default_rng(1).random((count, 2)).astype(np.float32)
    return points, (((points - 0.5) ** 2).sum(axis=1) < 0.1).astype(int)


def trainer(recipe=RECIPE, **more):
    return Trainer(*discs(), recipe, **{"seeds": (0, 1), "snapshots": [5, 20, 40], **more})


def finished(some):
    some.advance(some.recipe.steps)
    return some.history()


@pytest.fixture(scope="module")
def whole():
    return finished(trainer())


def same(a, b):
    return np.array_equal(a.weights, b.weights) and np.array_equal(a.losses, b.losses)


def test_a_history_holds_the_snapshots_of_the_twin(whole):
    assert whole.steps.tolist() == [0, 5, 20, 40, 60] and whole.weights.shape == (2, 5, 42)
    points, classes = discs()
    for run, seed in enumerate((0, 1)):
        start = first_weights(RECIPE.shape, seed)
        assert np.array_equal(whole.at(run, 0).layers[1].weights, start.layers[1].weights)
        exact = twin.train(
            RECIPE.shape, whole.weights[run, 0], points, classes, "classes", RECIPE.rates(0, 60), batch=16, seed=seed
        )
        # As for the kernel: 1e-5 of each step, which is at most the rate, and the weights' roundings.
        assert abs(whole.weights[run] - exact[whole.steps]).max() < 60 * (1e-5 * 1e-2 + 2.0**-23)


def test_losses_are_those_of_the_snapshots_over_all_data(whole):
    points, classes = discs()
    for run in range(2):
        for t in range(5):
            exact = mean_loss(whole.at(run, t)(points), classes, "classes")
            assert abs(whole.losses[run, t] - exact) < 1e-6  # some ulp of outputs near 1
    assert (whole.losses[:, -1] < whole.losses[:, 0]).all()


def test_the_loss_of_values_is_the_mean_square():
    points, _ = discs()
    values = np.stack(
        [points[:, 0] * points[:, 1], points[:, 0], 1 - points[:, 1], points.sum(axis=1), points[:, 0]], 1
    )
    history = finished(Trainer(points, values, Recipe((2, 6, 5), "sine(2)", "values", steps=3, batch=0)))
    exact = mean_loss(history.at(0, 3)(points), values, "values")
    assert abs(history.losses[0, 3] - exact) < 1e-6


def test_however_steps_are_split_the_bytes_are_the_same(whole):
    some = trainer()
    counts = [some.advance(n) for n in (1, 4, 1, 13, 21, 100)]
    assert counts == [1, 4, 1, 13, 21, 20] and some.is_done and some.step == 60
    assert same(some.history(), whole)


def test_work_takes_steps_until_all_are_done(whole):
    some, begun = trainer(), 0
    for _ in range(1000):
        begun += some.work(0.01)
        if some.is_done:
            break
    assert begun == 60 and same(some.history(), whole)
    assert some.work(1.0) == 0


def test_a_history_grows_and_keeps_what_it_had(whole):
    some = trainer()
    first = some.history()
    assert first.steps.tolist() == [0] and np.isfinite(first.losses).all()
    some.advance(30)
    assert some.history().steps.tolist() == [0, 5, 20] and some.losses.shape == (2, 3)
    assert same(finished(some), whole)


def test_a_block_of_snapshots_that_is_full_is_followed_by_another(whole, monkeypatch):
    monkeypatch.setattr("engine.training.trainer._SnapshotBlock.MOST", 2)
    assert same(finished(trainer()), whole)
    some = trainer()
    for _ in range(6):
        some.advance(10)
        some.history()
    assert same(some.history(), whole)


def test_a_restart_goes_the_same_way_again(whole):
    some = trainer()
    some.advance(33)
    some.restart()
    assert some.step == 0 and some.history().steps.tolist() == [0]
    assert same(finished(some), whole)


@pytest.mark.parametrize("done", [0, 20, 33, 60])
def test_a_training_saved_and_loaded_goes_on_to_the_same_bytes(whole, done, tmp_path):
    some = trainer(target=np.zeros((3, 4), np.uint8))
    some.advance(done)
    some.save(tmp_path / "half.safetensors")
    again = Trainer.load(tmp_path / "half.safetensors")
    assert again.step == done and again.recipe == RECIPE and again.seeds == (0, 1)
    assert again.history().target.shape == (3, 4)
    assert same(finished(again), whole)
    again.restart()
    assert same(finished(again), whole)


def test_saving_does_not_disturb_what_goes_on(whole, tmp_path):
    some = trainer()
    for n in (7, 20):
        some.advance(n)
        some.save(tmp_path / "a.safetensors")
    assert same(finished(some), whole)


def test_a_file_that_is_no_whole_training_is_refused_in_one_line(tmp_path):
    path = tmp_path / "a.safetensors"
    some = trainer()
    some.save(path)
    data = path.read_bytes()
    broken = {
        "cut": data[:-8],
        "other recipe": data.replace(b'\\"sizes\\": [2, 8, 2]', b'\\"sizes\\": [2, 9, 2]'),
        "more steps than its snapshots": data.replace(b'\\"step\\": 0', b'\\"step\\": 9'),
        "a rate of text": data.replace(b'\\"rate\\": 0.01', b'\\"rate\\": "12"'),
        "another kind": data.replace(b"neuroscene training", b"neuroscene history!"),
    }
    for what, changed in broken.items():
        assert changed != data, what
        path.write_bytes(changed)
        with pytest.raises(FileError) as reported:
            Trainer.load(path)
        assert "\n" not in str(reported.value) and "a.safetensors" in str(reported.value)
    with pytest.raises(FileError, match="no file"):
        Trainer.load(tmp_path / "missing.safetensors")


def test_no_device_is_needed_to_describe_a_training(monkeypatch):
    monkeypatch.setattr("engine.training.trainer.Training", None)
    some = trainer()
    assert some.step == 0 and not some.is_done and some.runs == 2


def test_rates_fall_as_given():
    rates = Recipe((2, 2), steps=4, rate=1.0).rates(0, 4)
    assert np.allclose(rates, [(1 + math.cos(math.pi * k / 4)) / 2 for k in range(4)], rtol=1e-15)
    assert Recipe((2, 2), steps=4, rate=1.0, anneal="linear").rates(1, 2).tolist() == [0.75, 0.5]
    assert Recipe((2, 2), steps=4, rate=0.5, anneal="none").rates(0, 2).tolist() == [0.5, 0.5]


def test_first_weights_lie_within_one_over_the_root_of_the_inputs():
    net = first_weights(Recipe((4, 100, 100, 2)).shape, 3)
    for layer, inputs in zip(net.layers, (4, 100, 100), strict=True):
        numbers = np.concatenate([layer.weights.ravel(), layer.bias])
        assert abs(numbers).max() <= inputs**-0.5
        # A uniform's deviation is its half width over root 3; of hundreds of numbers it is off by less than a tenth.
        assert abs(numbers.std() * (3 * inputs) ** 0.5 - 1) < 0.1


def test_seeds_are_runs_that_stand_for_themselves(whole):
    alone = finished(trainer(seeds=(1,)))
    assert np.array_equal(alone.weights[0], whole.weights[1])
    assert not np.array_equal(whole.weights[0, 0], whole.weights[1, 0])
    assert whole.names == ("seed 0", "seed 1")


def test_given_starts_are_where_runs_begin():
    start = Mlp([np.eye(2)], [[0.25, 0.5]], ["identity"])
    history = finished(Trainer(*discs(), Recipe((2, 2), steps=2), starts=[start]))
    assert np.array_equal(history.at(0, 0).layers[0].weights, np.eye(2))
    with pytest.raises(ShapeError, match="Starts"):
        Trainer(*discs(), RECIPE, starts=[start])


def test_snapshots_are_the_schedules_unless_given():
    some = Trainer(*discs(), Recipe((2, 2), steps=300))
    assert np.array_equal(some.snapshot_steps, snapshot_steps(300))
    assert np.array_equal(some.domain.low, discs()[0].min(axis=0))
    assert unflat(some.recipe.shape, some._starts[0]).shape == some.recipe.shape


@pytest.mark.parametrize(
    "changed, error, words",
    [
        ({"sizes": (2,)}, NetworkError, "Sizes"),
        ({"activation": "rely"}, NetworkError, "relu"),
        ({"activation": "softmax"}, NetworkError, "no activation to train with"),
        ({"activation": "sign"}, NetworkError, "slope 0 everywhere"),
        ({"activation": "log"}, NetworkError, "log ends at 0"),
        ({"activation": "reciprocal"}, NetworkError, "has a pole at 0"),
        ({"task": "class"}, SettingError, "Near: classes"),
        ({"anneal": "cosin"}, SettingError, "Near: cosine"),
        ({"steps": 0}, SettingError, "steps must be"),
        ({"batch": -1}, SettingError, "batch must be"),
        ({"rate": float("nan")}, SettingError, "rate cannot be nan"),
        ({"beta2": 1.0}, SettingError, "usual is 0.999"),
        ({"last": "sigmoid"}, NetworkError, "logits"),
    ],
)
def test_a_recipe_that_makes_no_training_is_refused(changed, error, words):
    with pytest.raises(error, match=words):
        Recipe(**{"sizes": (2, 8, 2), **changed})


def test_data_that_do_not_fit_are_refused():
    points, classes = discs()
    for wrong, words in (
        ((points[:, :1], classes), r"\(N, 2\)"),
        ((points, classes[:-1]), "400 points"),
        ((points, classes + 1), "1 to 2"),
        ((points, classes * 0.5), "classes"),
        ((points * np.nan, classes), "not finite"),
    ):
        with pytest.raises(ShapeError, match=words):
            Trainer(*wrong, RECIPE)
    with pytest.raises(ShapeError, match="finite values"):
        Trainer(points, points[:, :1], Recipe((2, 4, 2), task="values"))
    with pytest.raises(SettingError, match="Seeds"):
        Trainer(points, classes, RECIPE, seeds=(-1,))
    with pytest.raises(SettingError, match="Snapshots"):
        Trainer(points, classes, RECIPE, snapshots=[100])


def test_the_names_are_public():
    assert engine.Trainer is Trainer and engine.Recipe is Recipe
