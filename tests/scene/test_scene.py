"""Scenes and nodes: what is rebuilt when, and how the graph holds together."""

import contextlib
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.draw.node import Node
from engine.errors import SceneError, SettingError
from engine.scene.flat_scene import FlatScene
from engine.scene.scene import Scene
from engine.scene.settings import Number, Text
from engine.scene.space_scene import SpaceScene
from engine.scene.view_data import Clock
from engine.view.camera import Camera


class Counted(Scene):
    slow = Number(1.0, rebuild=True)
    quick = Number(1.0)

    def __init__(self, **values):
        self.built, self.updated = 0, []
        super().__init__(**values)

    def build(self, stage):
        self.built += 1
        stage.add(Node("only"))

    def update(self, clock):
        self.updated.append(clock.time)


def test_a_scene_is_built_once_and_again_only_for_settings_that_say_so():
    scene = Counted()
    for time in (0.0, 0.1):
        scene.advance(Clock(time))
    scene.quick = 2.0
    scene.advance(Clock(0.2))
    assert scene.built == 1
    scene.slow = 2.0
    scene.advance(Clock(0.3))
    assert scene.built == 2
    assert len(scene.stage.children) == 1
    assert scene.updated == [0.0, 0.1, 0.2, 0.3]


class Reader(Scene):
    """Its `build` reads `size`; what `update` reads is chosen by `follows`."""

    size = Number(1.0)
    follows = False

    def build(self, stage):
        self.node = stage.add(Node("only")).move(self.size, 0, 0)

    def update(self, clock):
        self.moved = self.follows
        if self.follows:
            self.node.move(self.size, 0, 0)


def test_a_setting_that_build_reads_and_nobody_follows_is_an_error_that_names_it():
    with pytest.raises(SceneError, match=r"Reader\.build reads the setting `size`.*rebuild=True") as error:
        Reader().advance(Clock())
    assert "\n" not in str(error.value) and "theme" not in str(error.value)


def test_a_setting_that_build_reads_may_be_marked_or_read_by_update_too():
    class Rebuilt(Reader):
        size = Number(1.0, rebuild=True)

    class Once(Reader):
        size = Number(1.0, rebuild=False)

    class Following(Reader):
        follows = True

    for kind in (Rebuilt, Once, Following):
        kind().advance(Clock())


def test_what_another_thread_reads_meanwhile_is_not_read_by_build():
    """A window's panel reads all settings while the scene is built."""

    class Watched(Reader):
        def build(self, stage):
            panel = Thread(target=lambda: self.size)
            panel.start()
            panel.join()

    Watched().advance(Clock())


def test_a_misspelt_attribute_is_an_error_with_the_near_names():
    scene = Counted()
    with pytest.raises(SettingError, match=r"Counted: There is no setting `quik`.*Near: quick\.") as error:
        scene.quik = 2.0
    assert "\n" not in str(error.value) and not hasattr(scene, "quik")
    scene._own, scene.quick, scene.camera, scene.loop = 1, 3.0, Camera(), 2.0


def test_a_scene_s_own_attributes_begin_in_its_init_build_or_update():
    scene = Reader(size=2.0)
    scene.follows = True
    scene.advance(Clock())
    scene.node = scene.node
    with pytest.raises(SettingError, match="begin in __init__, build or update"):
        scene.other = 1


def test_a_plain_value_in_a_subclass_is_a_setting_s_new_default():
    class Quicker(Counted):
        quick, theme = 4.0, "paper"

    class Same(Quicker):
        pass

    assert (Counted().quick, Quicker().quick, Same().quick, Same().theme) == (1.0, 4.0, 4.0, "paper")
    assert Quicker.param["quick"].bounds == Counted.param["quick"].bounds
    with pytest.raises(SettingError, match="Near: paper"):
        type("Wrong", (Counted,), {"theme": "papr"})
    with pytest.raises(SettingError, match="theme"):
        Quicker().theme = "papr"


@pytest.mark.parametrize("fails", ["build", "update", "check"])
def test_after_an_error_the_stage_is_built_again(fails):
    class Failing(Scene):
        size = Number(1.0)
        wrong = True

        def build(self, stage):
            self.stages = getattr(self, "stages", 0) + 1
            stage.add(Node("first"))
            if self.wrong and fails == "build":
                raise ValueError(fails)
            stage.add(Node("second"))
            self.read = self.size if fails == "check" and self.wrong else None

        def update(self, clock):
            if self.wrong and fails == "update":
                raise ValueError(fails)

    scene = Failing()
    for _ in range(2):
        with pytest.raises((ValueError, SceneError)):
            scene.advance(Clock())
    scene.wrong = False
    scene.advance(Clock())
    assert scene.stages == 3 and [node.name for node in scene.stage.children] == ["first", "second"]
    scene.advance(Clock())
    assert scene.stages == 3


def test_two_scenes_of_a_class_do_not_share_settings():
    a, b = Counted(), Counted(quick=5.0)
    a.quick = 3.0
    assert (a.quick, b.quick, Counted().quick) == (3.0, 5.0, 1.0)


def test_transforms_multiply_from_parent_to_child_and_hidden_parts_are_left_out():
    root, arm, hand = Node("root"), Node("arm"), Node("hand")
    root.add(arm)
    arm.add(hand)
    arm.move(1, 0, 0)
    hand.move(0, 2, 0)
    places = {n.name: world[:3, 3] for n, world in root.walk()}
    assert np.allclose(places["hand"], (1, 2, 0))
    arm.visible = False
    assert [n.name for n, _ in root.walk()] == ["root"]


def test_a_node_has_one_parent_and_no_cycles():
    a, b = Node("a"), Node("b")
    child = a.add(Node("child"))
    b.add(child)
    assert a.children == [] and child.parent is b
    with pytest.raises(SceneError, match="under itself"):
        child.add(b)
    with pytest.raises(SceneError, match="not a child"):
        a.remove(child)


class Flat(FlatScene):
    """Has the settings x, y and extent."""


class Extending:
    extent = 5.0


SHADOWS = {
    "a property over a setting": ((Flat,), {"extent": property(lambda s: 1.0)}, "extent"),
    "a method over a setting": ((Flat,), {"theme": lambda s: "dark"}, "theme"),
    "a base class's value over a setting": ((Extending, Flat), {}, "extent"),
    "a setting over a method": ((Scene,), {"build": Number(1.0)}, "build"),
    "a setting over a hook": ((Scene,), {"remark": Text("")}, "remark"),
    "a setting over what every scene has": ((Scene,), {"camera": Number(1.0)}, "camera"),
    "a setting over the name of a parameterized object": ((Scene,), {"name": Text("")}, "name"),
}


@pytest.mark.parametrize("case", SHADOWS)
def test_no_class_hides_a_setting_or_is_hidden_by_one(case):
    bases, body, key = SHADOWS[case]
    with pytest.raises(SceneError, match=rf"\.{key} is a setting, and \w+\.{key} is not") as error:
        type("Hiding", bases, {"__module__": __name__, **body})
    assert "\n" not in str(error.value)


def test_a_setting_may_be_declared_anew_and_some_hooks_may_be_settings():
    again = type("Again", (Flat,), {"extent": Number(3.0, bounds=(1, 4)), "loop": Number(2.0)})
    assert (again().extent, again().loop) == (3.0, 2.0)
    with pytest.raises(SettingError, match="from 1 to 4"):
        again().extent = 0


CAMERAS = {
    "eye": [(0, 0, 0), (np.nan, 0, 1), (np.inf, 0, 1), (1e308, 0, 0), (0, 0, 1e-320), (1, 2), "far", None, 3],
    "up": [(0, 0, 1), (0, 0, 0), (1e-320, 0, 0)],
    "fov": [-1.0, np.pi, 2 * np.pi, 1e-320, np.nan, 1e308, "wide"],
    "height": [0.0, -1.0, 1e-320, np.inf, 1e308],
    "near": [1000.0, 2000.0, 0.0, -1.0, np.nan, 10**400],
    "far": [0.05, 0.0, -np.inf, None],
}


@pytest.mark.parametrize("field", CAMERAS)
def test_a_camera_without_a_picture_is_refused_in_a_line_that_says_of_what(field):
    for value in CAMERAS[field]:
        with pytest.raises(SettingError, match=r"[Cc]amera") as error:
            Camera(**{field: value})
        assert "\n" not in str(error.value) and len(str(error.value)) < 400


REALS = st.one_of(
    st.floats(), st.sampled_from([0.0, -0.0, 1e-320, 1e-30, 1e-15, 1e15, 1e30, 1e308]), st.floats(-20, 20)
)
POINTS = st.tuples(REALS, REALS, REALS)


@given(POINTS, POINTS, REALS, REALS, REALS, REALS, st.sampled_from([0.01, 1.0, 100.0]))
def test_a_camera_that_is_taken_has_finite_matrices_and_rays(eye, target, fov, height, near, far, aspect):
    try:
        camera = Camera(eye=eye, target=target, fov=fov, height=height, near=near, far=far)
    except SettingError:
        return
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(camera.projection(aspect) @ camera.view()).all()
        for scene in (Flat(), SpaceScene()):
            with contextlib.suppress(SettingError):
                scene.camera = camera
                assert scene.camera.state() == camera.state()


@pytest.mark.parametrize("time", [np.nan, np.inf, -np.inf, 1e308, "soon", None])
def test_a_clock_without_a_time_is_refused(time):
    with pytest.raises(SettingError, match="it takes seconds, up to 1e"):
        Clock(time)
    with pytest.raises(SettingError):
        Counted().restore({**Counted().state(), "time": time})


@pytest.mark.parametrize("aspect", [1.5, 0.4])
@pytest.mark.parametrize("fov", [0.0, 0.9])
def test_projection_maps_near_to_0_and_far_to_1_and_rays_to_the_pictures_corners(fov, aspect):
    camera = Camera(eye=(1, 2, 9), fov=fov, near=0.5, far=50.0)
    matrix = camera.projection(aspect) @ camera.view()
    for x, y in ((-1, -1), (1, 0.5), (0, 0)):
        origin, direction = camera.ray(x, y, aspect)
        along = direction @ camera.forward
        for distance, depth in ((0.5, 0.0), (50.0, 1.0)):
            p = matrix @ np.append(origin + direction * distance / along, 1.0)
            assert np.allclose(p[:3] / p[3], (x, y, depth), atol=1e-9)


def test_a_tall_picture_shows_as_much_across_as_a_wide_one_upwards():
    camera = Camera()
    assert camera.half_sizes(2.0)[1] == camera.half_sizes(0.5)[0]
