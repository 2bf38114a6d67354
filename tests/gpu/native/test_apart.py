"""Long calls of the driver: who makes them, who is not kept waiting, and Ctrl-C while one is made."""

import os
import signal
import threading

import pytest

from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.compose import Module
from engine.gpu.device import device, displaying
from engine.gpu.kernel import Kernel
from engine.gpu.native import apart as rooms
from engine.gpu.native.apart import Dropped, Turn, apart, awaited, is_busy

CODE = """@group(0) @binding(0) var<storage, read_write> sums: array<f32>;
@compute @workgroup_size(1) fn main() { sums[0] = NUMBER; }
"""


def kernel(number):
    code = CODE.replace("NUMBER", f"{number:.1f}")
    module = Module("sum.wgsl", code, [("sum.wgsl", 1)] * code.count("\n"))
    return Kernel(module, [Binding("sums", "write", "array<f32>")])


def test_a_call_gives_what_it_returns_and_raises_what_it_raises():
    assert apart(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        apart(lambda: 1 / 0)


def test_compiling_computing_and_reading_happen_beside_the_main_thread(monkeypatch):
    made, beside = [], rooms._beside
    monkeypatch.setattr(rooms, "_beside", lambda work: beside(lambda: (made.append(threading.get_ident()), work())[1]))
    sums = Array("f4", 1)
    kernel(3.0).run(1, sums=sums)
    assert sums.read()[0] == 3.0
    # A module, a pipeline, a submission, a read.
    assert len(made) == 4 and threading.get_ident() not in made


def test_ctrl_c_ends_the_wait_for_a_call_that_goes_on():
    hold, begun = threading.Event(), threading.Event()

    def press():
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    # A process that was begun in the background ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=press, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            apart(lambda: (begun.set(), hold.wait()), "compiling")
    finally:
        signal.signal(signal.SIGINT, before)
    assert is_busy()
    # The next call does not wait for that one.
    assert apart(lambda: 7) == 7
    hold.set()


def test_who_waits_for_a_call_gives_the_turn_to_the_window_and_is_named():
    turn, hold, there = rooms.turn, threading.Event(), threading.Event()
    seen = []

    def draw():
        turn.take()
        try:
            apart(lambda: (there.set(), hold.wait()), "compiling rays")
            seen.append(turn.is_mine)
        finally:
            turn.give()

    thread = threading.Thread(target=draw)
    thread.start()
    there.wait()
    with turn.briefly(60.0) as mine:
        assert mine and turn.is_mine and awaited() == "compiling rays"
    hold.set()
    thread.join()
    assert seen == [True] and awaited() == ""


def test_a_window_goes_first_and_does_not_wait_long():
    turn, there, hold, order = Turn(), threading.Event(), threading.Event(), []

    def draw():
        turn.take()
        there.set()
        hold.wait()
        while not turn.is_wanted:
            pass
        turn.breathe()
        order.append("drawing")
        turn.give()

    thread = threading.Thread(target=draw)
    thread.start()
    there.wait()
    assert not turn.take(first=True, seconds=0.0)
    hold.set()
    assert turn.take(first=True)
    order.append("window")
    turn.give()
    thread.join()
    assert order == ["window", "drawing"]


def test_who_waits_has_a_turn_after_each_of_the_window_s():
    turn, order = Turn(), []
    turn.take(first=True)

    def draw():
        for _ in range(5):
            turn.take()
            order.append("drawing")
            turn.give()

    thread = threading.Thread(target=draw)
    thread.start()
    for _ in range(5):
        while not turn._waiting:
            pass
        order.append("window")
        turn.give()
        assert turn.take(first=True)
    turn.give()
    thread.join()
    assert order == ["window", "drawing"] * 5


def test_work_that_is_unwanted_ends_after_its_call_and_only_in_its_own_thread():
    turn, wanted = rooms.turn, [True]
    with turn.droppable(lambda: not wanted[0]):
        assert apart(lambda: 1, drops=True) == 1
        wanted[0] = False
        assert apart(lambda: 2) == 2
        with pytest.raises(Dropped):
            apart(lambda: 3, drops=True)
        other = []

        def work():
            with turn.droppable(lambda: False):
                other.append(apart(lambda: 4, drops=True))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert other == [4]
        with pytest.raises(Dropped):
            apart(lambda: 5, drops=True)
    assert apart(lambda: 5, drops=True) == 5


def test_what_a_window_shows_is_made_on_a_device_of_its_own_where_the_driver_is_software():
    here = device()
    made = kernel(5.0).pipeline
    with displaying():
        assert (device() is not here) == here.is_software
        there = kernel(5.0)
        sums = Array("f4", 1)
        there.run(1, sums=sums)
        assert sums.read()[0] == 5.0 and (there.pipeline is not made) == here.is_software
    assert device() is here and kernel(5.0).pipeline is made


def test_a_thread_that_draws_is_not_waited_for():
    done, there = threading.Event(), threading.Event()

    def draw():
        rooms.turn.take()
        there.set()
        done.wait()
        rooms.turn.give()

    rooms._thread = None
    assert not is_busy()
    thread = threading.Thread(target=draw)
    thread.start()
    there.wait()
    assert is_busy()
    done.set()
    thread.join()
    assert not is_busy()
