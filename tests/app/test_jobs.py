"""Pictures spread over executors: the same bytes whichever it is, bounded work ahead, faults reported in a line."""

import dataclasses
import math
import multiprocessing
import os
import pickle
import threading
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.app import jobs as batch
from engine.app.jobs import picture_job, results, run_job
from engine.app.lookup import scene_in_file
from engine.draw.points import Points
from engine.errors import ExecutorError, SceneError, SettingError
from engine.gpu.native.apart import apart, turn
from engine.network.random import random_mlp
from engine.render.tiling import plan
from engine.scene.data_settings import Network
from engine.scene.scene import Scene
from engine.scene.settings import Number
from engine.scene.view_data import Clock
from engine.view.camera import Camera
from scenes.marching import Marching

SIZE = (64, 48)
PRINT = (1100, 1000)


class Spot(Scene):
    """A spot that goes round; as bright as its network is large."""

    net = Network(None, doc="any")
    radius = Number(2.0, bounds=(0.5, 5.0))
    loop = 0.5

    def build(self, stage):
        self.spot = stage.add(Points())

    def update(self, clock):
        turn = 2.0 * math.pi * clock.time / self.loop
        bright = 0.3 if self.net is None else float(abs(self.net.layers[0].weights[0, 0]))
        place = (self.radius * math.cos(turn), self.radius * math.sin(turn), 0.0)
        self.spot.set([place], (bright, 0.9, 0.4, 1.0), 60.0)


OWN = '''
import engine
from engine.draw.points import Points
import near_by

class Own(engine.Scene):
    """A scene file of somebody's."""
    size = engine.Number(60.0, rebuild=True)
    def build(self, stage):
        if self.size > 500:
            raise ValueError("too large")
        stage.add(Points([(0, 0, 0)], near_by.COLOUR, width=self.size))
'''


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(3) as pool:
        yield pool


@pytest.fixture(params=["none", "threads", "processes"])
def executor(request):
    return None if request.param == "none" else request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    """(bytes of the file, pixels) of a print of two bands, made here."""
    scene, path = Marching(seed=3), tmp_path_factory.mktemp("wanted") / "a.png"
    engine.save(scene, path, PRINT, supersample=1)
    assert len(list(plan(scene.stage, PRINT, 1).bands())) == 2
    return path.read_bytes(), engine.render(scene, PRINT, supersample=1)


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(OWN)
    (tmp_path / "near_by.py").write_text("COLOUR = (1.0, 0.5, 0.1, 1.0)\n")
    return path


def test_a_job_is_plain_data():
    job = picture_job(Spot(net=random_mlp((3, 4, 1))), Clock(0.2, 0.1), SIZE, 9, (0, 5, 10, 20))
    for field in dataclasses.fields(job):
        value = getattr(job, field.name)
        assert value is None or isinstance(value, str | int | float | tuple)
    assert pickle.loads(pickle.dumps(job)) == job


def test_a_job_gives_the_pixels_that_render_gives(executor):
    # The camera, the moment, a setting and a network larger than pictures store (1 MB) all arrive.
    net = random_mlp((3, 600, 600, 1), "tanh", seed=2)
    scene = Spot(radius=3.0, net=net, theme="paper", camera=Camera(eye=(1.0, 2.0, 11.0)))
    assert scene.state()["left_out"]
    made = list(results([picture_job(scene, Clock(t), SIZE) for t in (0.0, 0.2)], executor))
    for t, pixels in zip((0.0, 0.2), made, strict=True):
        assert pixels.dtype == np.uint8
        assert np.array_equal(pixels, engine.render(scene, SIZE, time=t)[..., :3])


def test_a_part_is_what_it_is_in_the_whole(executor):
    scene = Marching(seed=3)
    job = picture_job(scene, Clock(0.3), SIZE, 1, (10, 7, 31, 22))
    assert np.array_equal(
        next(results([job], executor)), engine.render(scene, SIZE, time=0.3, supersample=1)[7:29, 10:41, :3]
    )


def test_results_come_in_the_jobs_order(executor):
    scene, times = Spot(), [0.4, 0.1, 0.3, 0.0, 0.2, 0.1]
    made = list(results((picture_job(scene, Clock(t), SIZE, 1) for t in times), executor))
    for t, pixels in zip(times, made, strict=True):
        assert np.array_equal(pixels, engine.render(scene, SIZE, time=t, supersample=1)[..., :3])


def test_a_print_has_the_same_bytes_whatever_the_executor(executor, wanted, tmp_path):
    # Lines and words too; as small as a picture of two bands can be.
    path = engine.save(Marching(seed=3), tmp_path / "a.png", PRINT, supersample=1, executor=executor)
    assert Path(path).read_bytes() == wanted[0]
    pixels = engine.render(Marching(seed=3), PRINT, supersample=1, executor=executor)
    assert np.array_equal(pixels, wanted[1])


@pytest.mark.parametrize("name", ["a.gif", "frames/"])
def test_a_film_has_the_same_bytes_whatever_the_executor(executor, name, tmp_path):
    for folder, chosen in (("one", executor), ("two", None)):
        (tmp_path / folder).mkdir()
        engine.record(Spot(), f"{tmp_path}/{folder}/{name}", seconds=0.5, fps=8, size=SIZE, executor=chosen)
    files = [p for p in (tmp_path / "two").rglob("*") if p.is_file()]
    assert len(files) == (4 if name == "frames/" else 1)
    for file in files:
        assert (tmp_path / "one" / file.relative_to(tmp_path / "two")).read_bytes() == file.read_bytes()


def test_a_scene_from_somebody_s_file_is_found_by_its_path(executor, own):
    scene = scene_in_file(own)(size=80.0)
    pixels = next(results([picture_job(scene, Clock(), SIZE)], executor))
    assert np.array_equal(pixels, engine.render(scene, SIZE)[..., :3]) and pixels[24, 32, 0] > 200


def test_a_fault_in_somebody_s_file_is_reported_by_its_line(executor, own):
    scene = scene_in_file(own)(size=600.0)
    with pytest.raises(SceneError, match=r"own\.py:11: ValueError: too large"):
        next(results([picture_job(scene, Clock(), SIZE)], executor))


def test_a_file_that_changed_is_not_taken_for_the_one_it_was(own, processes):
    job = picture_job(scene_in_file(own)(), Clock(), SIZE)
    own.write_text(OWN.replace("60.0", "61.0"))
    with pytest.raises(ExecutorError, match=r"own\.py is missing or another one"):
        next(results([job], processes))


def test_a_class_inside_a_function_is_refused_where_it_cannot_be_found(processes, threads):
    class Inner(Spot):
        pass

    job = picture_job(Inner(), Clock(), SIZE)
    # In this process it is at hand.
    assert all(np.array_equal(next(results([job], pool)), run_job(job)) for pool in (None, threads))
    with pytest.raises(ExecutorError, match="Inner is made inside a function"):
        next(results([job], processes))


def test_a_notebook_s_class_is_refused_in_words():
    job = dataclasses.replace(picture_job(Spot(), Clock(), SIZE), scene="__main__:Cell", file=None, home="elsewhere")
    with pytest.raises(ExecutorError, match="__main__:Cell cannot be found"):
        run_job(job)


def test_what_the_renderer_refuses_comes_back_as_it_is(executor):
    with pytest.raises(SettingError, match="supersample=5"):
        next(results([picture_job(Spot(), Clock(), SIZE, 5)], executor))


class Counting:
    """An executor that works only when it is asked for a result."""

    _max_workers = 3

    def __init__(self):
        self.futures, self.submitted = [], 0

    def submit(self, work, *args):
        future = Future()
        future.result = lambda timeout=None: work(*args)
        self.futures.append(future)
        self.submitted += 1
        return future


def test_no_more_than_two_jobs_a_worker_are_ahead():
    pool, taken = Counting(), []

    def jobs():
        for k in range(20):
            taken.append(k)
            yield picture_job(Spot(), Clock(k / 40), (8, 6), 1)

    seen = 0
    for _ in results(jobs(), pool):
        seen += 1
        assert len(taken) - seen <= 2 * 3
    assert seen == 20


def test_who_stops_early_leaves_no_job_waiting():
    pool = Counting()
    stream = results((picture_job(Spot(), Clock(), (8, 6), 1) for _ in range(20)), pool)
    next(stream)
    stream.close()
    assert pool.submitted == 6 and all(future.cancelled() for future in pool.futures[1:])


def test_a_lost_worker_is_reported_in_a_line():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        pool.submit(os._exit, 1)
        with pytest.raises(ExecutorError, match="worker of the executor was lost"):
            list(results([picture_job(Spot(), Clock(), (8, 6), 1)] * 3, pool))


def test_a_closed_executor_is_reported_in_a_line():
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(ExecutorError, match="takes no work"):
        next(results([picture_job(Spot(), Clock(), SIZE)], pool))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_of_a_process_that_has_drawn_is_refused():
    engine.render(Spot(), (8, 6))
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool,
        pytest.raises(ExecutorError, match="spawn"),
    ):
        next(results([picture_job(Spot(), Clock(), (8, 6), 1)], pool))


def test_the_scene_of_the_job_before_is_used_again():
    scene = Spot()
    first = picture_job(scene, Clock(), (8, 6), 1)
    run_job(first)
    kept = batch._last[1]
    run_job(dataclasses.replace(picture_job(scene, Clock(0.1), (8, 6), 1), tile=(0, 0, 4, 3)))
    assert batch._last[1] is kept
    run_job(picture_job(Spot(radius=1.0), Clock(), (8, 6), 1))
    assert batch._last[1] is not kept


@pytest.mark.parametrize("is_frame", [False, True])
def test_who_waits_to_draw_gives_its_turn_to_the_one_that_draws(is_frame):
    """A thread draws and waits for the driver, so that another window's, or a frame, has the turn and wants to draw."""
    away, wanted = threading.Event(), threading.Event()

    def draw(first):
        turn.take(first=is_frame and not first)
        try:
            if not first:
                wanted.set()
            with batch.drawing:
                if first:
                    apart(lambda: (away.set(), wanted.wait(60.0)))
        finally:
            turn.give()

    one, two = (threading.Thread(target=draw, args=(first,), daemon=True) for first in (True, False))
    one.start()
    away.wait()
    two.start()
    for thread in (one, two):
        thread.join(60.0)  # a limit for a test that fails
    assert not one.is_alive() and not two.is_alive()
