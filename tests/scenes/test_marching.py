"""The scene marching: its classic look against an independent rendering, and its laws."""

import numpy as np
import pytest
from original import picture, rays, value

from engine.draw.surfaces.level_surfaces import Region
from engine.errors import SettingError
from engine.kept import store
from engine.kernels.rays import cast
from engine.network.mlp import Mlp
from engine.network.random import random_mlp
from engine.render.renderer import Renderer
from engine.scene.view_data import Clock
from engine.view.camera import Camera
from scenes.marching import Marching


@pytest.fixture(scope="module")
def renderer():
    return Renderer()


def draw(renderer, *, pixels=(120, 90), time=0.0, supersample=1, **settings):
    return renderer.frame(Marching(**settings), Clock(time), pixels, supersample).pixels()


def dense_first_change(net, level, rows, columns, size, samples=4000):
    """Chord distance of the first change of floor(f - level) among many samples, for some pixels' rays; inf if none."""
    d, eye = rays(size, 2.21, 0.21)
    d = d[rows, columns]
    b = d @ eye
    under = np.maximum(b * b - (eye @ eye - 25), 0)
    start = eye + d * (-b - np.sqrt(under))[:, None]
    length = 2 * np.sqrt(under)
    t = np.linspace(0, 1, samples)
    out = np.full(len(d), np.inf)
    for i in range(len(d)):
        f = np.floor(value(net, start[i] + d[i] * (t * length[i])[:, None]) - level)
        changed = np.flatnonzero(f != f[0])
        if len(changed):
            out[i] = t[changed[0]] * length[i]
    return out


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_the_classic_look_is_the_originals_picture_except_where_it_misses_a_surface(renderer, seed):
    scene = Marching(seed=seed, look="classic", level=0.37)
    ours = renderer.frame(scene, Clock(0), (400, 400), 1).pixels()[..., :3] / 255.0
    theirs, found, _ = picture(scene.network, 0.37)
    rows, columns = np.nonzero(np.abs(ours - theirs).max(axis=-1) > 2 / 255)
    truth = dense_first_change(scene.network, 0.37, rows, columns, 400)
    # The original errs where a surface comes before the one it found, by more than the dense samples' distance.
    missed = truth < found[rows, columns] - 0.01
    assert (~missed).sum() <= 0.001 * 400 * 400


def test_the_camera_stands_where_the_original_puts_it_by_default():
    assert np.allclose(Marching().camera.eye, (-7.0014, 2.5015, 9.4193), atol=1e-4)


def test_the_level_runs_through_one_spacing_in_five_seconds_and_begins_again():
    scene = Marching(level=0.25)
    assert scene.loop == pytest.approx(5.0)
    assert scene.level_at(2.5) == pytest.approx(0.75)
    assert scene.level_at(5.0) == pytest.approx(0.25)


def test_the_picture_after_a_loop_is_the_first_one_to_the_bit(renderer):
    first, last = draw(renderer, time=0.0), draw(renderer, time=5.0)
    assert np.array_equal(first, last)


def test_two_renderers_give_the_same_bytes(renderer):
    assert np.array_equal(draw(renderer, supersample=4), draw(Renderer(), supersample=4))


def test_shifting_the_level_by_the_spacing_changes_no_surface(renderer):
    # Only rounding of f - level differs: a handful of silhouette samples may fall the other way.
    a = draw(renderer, level=0.25, legend_shown=False)
    b = draw(renderer, level=1.25, legend_shown=False)
    assert (np.abs(a.astype(int) - b).max(axis=-1) > 3).mean() < 0.002


def test_permuting_hidden_neurons_changes_no_picture(renderer):
    net = Marching(seed=3).network
    order = np.random.default_rng(0).permutation(8)
    first, last = net.layers
    same = Mlp([first.weights[order], last.weights[:, order]], [first.bias[order], last.bias], ["tanh", "identity"])
    a, b = draw(renderer, net=net), draw(renderer, net=same)
    assert (np.abs(a.astype(int) - b).max(axis=-1) > 3).mean() < 0.002


@pytest.mark.parametrize("look", ["studio", "classic"])
@pytest.mark.parametrize("off", ["surfaces", "sparks", "axes"])
def test_every_part_can_be_hidden_and_each_is_seen(renderer, look, off):
    assert not np.array_equal(draw(renderer, look=look), draw(renderer, look=look, **{off: False}))


@pytest.mark.parametrize(
    "change",
    [
        {"theme": "paper"}, {"region": "box"}, {"levels": "single"}, {"map": "cividis"}, {"opacity": 0.9},
        {"layers": 1},
        {"hidden": 5}, {"depth": 2}, {"activation": "sine"}, {"weights": "he"}, {"scale": 2.0}, {"seed": 5},
        {"spacing": 0.4}, {"level": 0.4}, {"size": 3.0, "distance": 12.0}, {"azimuth": 0.0}, {"altitude": 60.0},
        {"distance": 20.0}, {"projection": "orthographic"}, {"legend_shown": False},
    ],
    ids=lambda c: next(iter(c)),
)  # fmt: skip
def test_every_setting_changes_the_picture(renderer, change):
    assert not np.array_equal(draw(renderer), draw(renderer, **change))


def test_a_single_level_swings_by_the_sweep_and_closes():
    scene = Marching(levels="single", level=0.5, sweep=0.3)
    assert scene.level_at(scene.loop / 4) == pytest.approx(0.8)
    assert scene.level_at(scene.loop) == pytest.approx(0.5)
    assert Marching(levels="single").loop is None


def test_randomizing_is_repeatable_and_drops_the_persons_network():
    a, b = Marching(seed=4), Marching(seed=4)
    a.net = Marching(seed=9).network
    a.randomize()
    b.randomize()
    assert a.seed == b.seed != 4
    assert a.net is None


def test_an_edited_network_is_the_persons_own_and_undone_the_seeds_again():
    scene = Marching(seed=4)
    drawn = scene.network
    scene.matrix_changed(drawn.edited(0, 2, 1, 0.5))
    assert scene.net is not None
    scene.matrix_changed(drawn)
    assert scene.net is None and scene.network.equals(drawn)


def test_the_camera_follows_the_angles_and_the_angles_the_camera():
    scene = Marching()
    scene.azimuth = 30.0
    assert np.degrees(np.arctan2(scene.camera.eye[2], scene.camera.eye[0])) == pytest.approx(30.0)
    scene.camera = scene.camera.with_(eye=(0.0, 5.0, 5.0))
    assert scene.altitude == pytest.approx(45.0)
    assert scene.camera.eye == (0.0, 5.0, 5.0)


def test_a_larger_region_is_seen_whole_unless_the_camera_was_moved():
    scene = Marching()
    scene.size = 10.0
    assert scene.distance == pytest.approx(24.0)
    scene.distance = 7.0
    scene.size = 5.0
    assert scene.distance == 7.0


def test_the_state_brings_back_the_same_picture(renderer):
    scene = Marching(seed=3, level=0.3, map="magma", azimuth=10.0)
    scene.net = scene.network.edited(0, 0, 0, 0.77)
    scene.camera = scene.camera.with_(target=(0.5, 0.0, 0.0))
    clock = Clock(1.3)
    again = Marching()
    again_clock = again.restore(scene.state(clock))
    first = renderer.frame(scene, clock, (80, 60), 1).pixels()
    assert np.array_equal(first, renderer.frame(again, again_clock, (80, 60), 1).pixels())


def test_the_pointer_reads_a_point_of_the_surface(renderer):
    scene = Marching(seed=3, level=0.3)
    hits = [renderer.pick(scene, Clock(0), (60, 60), x, 30) for x in range(5, 60, 5)]
    hits = [h for h in hits if h is not None and h.certain]
    assert hits
    for h in hits:
        # float32 places along a ray of 12 units are exact to 1e-6; slopes here stay below 5.
        assert scene.network(np.array(h.position))[0] == pytest.approx(h.level, abs=2e-5)
        assert (h.level - 0.3) % 1.0 == pytest.approx(0.0, abs=1e-5) or (h.level - 0.3) % 1.0 == pytest.approx(
            1.0, abs=1e-5
        )
        reading = scene.read(h)
        assert [name for name, _ in reading.rows] == ["position", "value", "gradient"]


@pytest.mark.parametrize(
    "camera",
    [
        {"eye": (0.0, 0.0, 12.0)}, {"eye": (0.5, 0.2, 1.0)}, {"eye": (0.0, 0.0, 5.2), "target": (4.0, 0.0, 0.0)},
        {"eye": (3.0, 3.0, 9.0), "target": (6.0, 0.0, 0.0)}, {"eye": (0.0, 2.0, 9.0), "fov": 0.0, "height": 14.0},
        {"eye": (2.0, -7.0, 3.0), "fov": 1.9},
    ],
    ids=["before", "inside", "beside", "aside", "orthographic", "wide"],
)  # fmt: skip
def test_the_classic_look_draws_every_hit_wherever_the_camera_stands(renderer, camera):
    scene = Marching(seed=7, look="classic", sparks=False, axes=False, level=0.3)
    scene.camera = Camera(near=0.01, far=200.0, **camera)
    size = (48, 36)
    drawn = renderer.frame(scene, Clock(0), size, 1).pixels()[..., :3].any(axis=-1)
    pixels = [((x + 0.5) / 24 - 1, 1 - (y + 0.5) / 18) for y in range(36) for x in range(48)]
    rays = [scene.camera.ray(x, y, 48 / 36) for x, y in pixels]
    chords = np.array([Region("ball", 5.0).chord(o, d) for o, d in rays])
    origins = np.array([o + d * start for (o, d), (start, _) in zip(rays, chords, strict=True)])
    found = cast(scene.network, origins, np.array([d for _, d in rays]), chords[:, 1], level=0.3)
    hits = ((found["outcome"][:, 0] == 1) & (chords[:, 1] > 0)).reshape(36, 48)
    assert hits.any()
    # Where the ray touches the ball's edge the two may round apart.
    assert (drawn != hits).sum() <= 2


def test_the_classic_look_is_printed_on_white_with_its_stripes(renderer):
    size = (72, 54)
    dark, paper = (
        Marching(seed=7, look="classic", theme=theme, sparks=False, axes=False, level=0.3)
        for theme in ("dark", "paper")
    )
    drawn, printed = (renderer.frame(s, Clock(0), size, 1).pixels()[..., :3] for s in (dark, paper))
    hit = drawn.any(axis=-1)
    assert np.array_equal(hit, (printed != 255).any(axis=-1)) and 0.2 < hit.mean() < 0.9
    # Neighbours on one surface and two stripes: the outer of each pair is as much lighter as on black, or more.
    rays = [
        paper.camera.ray(2 * (x + 0.5) / 72 - 1, 1 - 2 * (y + 0.5) / 54, 72 / 54) for y in range(54) for x in range(72)
    ]
    chords = np.array([Region("ball", 5.0).chord(o, d) for o, d in rays])
    origins = np.array([o + d * start for (o, d), (start, _) in zip(rays, chords, strict=True)])
    directions = np.array([d for _, d in rays])
    found = cast(paper.network, origins, directions, chords[:, 1], level=0.3)
    places = (origins + directions * found["t"][:, :1]).reshape(54, 72, 3)
    stripe = np.sign(np.sin(10.0 * np.linalg.norm(places, axis=-1)))
    near = np.linalg.norm(np.diff(places, axis=1), axis=-1) < 0.3
    pairs = near & hit[:, 1:] & hit[:, :-1] & (stripe[:, 1:] != stripe[:, :-1])
    weights = (0.2126, 0.7152, 0.0722)
    steps = [(np.diff(p @ weights, axis=1) * stripe[:, 1:])[pairs] / 255.0 for p in (drawn, printed)]
    assert pairs.sum() > 100 and np.mean(steps[1] > 0.0) > 0.95
    assert np.median(steps[1]) > 0.12 and np.median(steps[1]) > np.median(steps[0])


def test_sparks_and_axes_of_the_classic_look_are_seen_on_white(renderer):
    blank = {"look": "classic", "theme": "paper", "surfaces": False}
    for shown in ("sparks", "axes"):
        others = {"sparks": False, "axes": False, shown: True}
        pixels = draw(renderer, **blank, **others)[..., :3]
        assert (pixels.min(axis=-1) < 200).sum() > 20
    assert (draw(renderer, **blank, sparks=False, axes=False)[..., :3] == 255).all()


def test_a_change_of_theme_reaches_every_part(renderer):
    scene = Marching()
    renderer.frame(scene, Clock(0), (64, 48), 1)
    scene.theme = "paper"
    changed = renderer.frame(scene, Clock(0), (64, 48), 1).pixels()
    assert np.array_equal(changed, draw(renderer, pixels=(64, 48), theme="paper"))


def modules():
    """The texts of all compiled modules."""
    return {key for key in store.keys() if isinstance(key, str)}  # noqa: SIM118


@pytest.mark.parametrize("look", ["studio", "classic"])
def test_editing_a_weight_uploads_and_compiles_nothing(renderer, look):
    scene = Marching(seed=4, look=look)
    before = renderer.frame(scene, Clock(0), (40, 30), 1).pixels()
    compiled = modules()
    scene.matrix_changed(scene.network.edited(1, 0, 3, -0.9))
    after = renderer.frame(scene, Clock(0), (40, 30), 1).pixels()
    assert modules() == compiled
    assert not np.array_equal(before, after)


def test_a_network_of_more_inputs_is_shown_at_fixed_values_of_the_others(renderer, tmp_path):
    wide, at = random_mlp([5, 8, 2], "tanh", seed=3), [0.25, -0.5]
    scene = Marching(net=wide, x_input=4, y_input=0, z_input=2, rest="0.25, -0.5")
    points = np.random.default_rng(0).normal(size=(9, 3))
    whole = np.empty((9, 5))
    whole[:, [4, 0, 2]], whole[:, [1, 3]] = points, at
    assert np.allclose(scene.in_space(points), wide(whole), atol=1e-6)
    assert scene.remark().startswith("x, y, z are inputs 4, 0, 2 of 5 (")
    assert "; the others are 0.25, -0.5 (rest); size=5: " in scene.remark()
    np.save(tmp_path / "codes.npy", [[0, 0], at])
    scene.rest = f"{tmp_path / 'codes.npy'}:1"
    assert np.allclose(scene.in_space(points), wide(whole), atol=1e-6)
    assert renderer.frame(scene, Clock(0.0), (24, 24), 1).pixels().std() > 0
    scene.z_input = 5
    with pytest.raises(SettingError, match="x, y and z are three of the inputs 0 to 4"):
        scene.in_space  # noqa: B018


def test_a_network_of_two_inputs_is_refused():
    with pytest.raises(SettingError, match="has 2 inputs, but this scene shows networks with 3 or more"):
        Marching(net=random_mlp([2, 4, 1], "tanh"))
