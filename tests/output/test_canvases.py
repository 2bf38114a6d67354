"""Canvases: each of window, notebook and offscreen gives what a viewer needs."""

import base64
import os
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from engine.errors import NoDisplayError
from engine.output import notebook, offscreen, window
from engine.output.canvas import Canvas


def test_the_canvas_off_the_screen_fulfils_the_contract():
    canvas = offscreen.make_canvas((40, 30), pixel_ratio=2.0)
    assert isinstance(canvas, Canvas)
    assert canvas.get_physical_size() == (80, 60)
    canvas.close()
    assert canvas.get_closed()


def test_the_canvas_of_a_notebook_fulfils_the_contract():
    pytest.importorskip("IPython")
    canvas = notebook.make_canvas((40, 30))
    assert isinstance(canvas, Canvas)
    canvas.close()
    canvas.close()  # and may be closed twice
    assert canvas.get_closed()


def test_off_the_screen_events_arrive_in_order_and_at_once():
    canvas, seen = offscreen.make_canvas((40, 30)), []
    canvas.add_event_handler(lambda event: seen.append(event["key"]), "key_down")
    canvas.send({"event_type": "key_down", "key": "a"}, {"event_type": "key_down", "key": "b"})
    assert seen == ["a", "b"]
    canvas.close()


def test_off_the_screen_an_error_in_a_draw_or_a_handler_is_raised_every_time():
    canvas = offscreen.make_canvas((40, 30))

    def fault(*_):
        raise ZeroDivisionError("in the viewer")

    canvas.get_wgpu_context()
    canvas.request_draw(fault)
    for _ in range(3):  # rendercanvas logs a repeated error more briefly
        with pytest.raises(ZeroDivisionError, match="in the viewer"):
            canvas.draw()
    canvas.add_event_handler(fault, "key_down")
    with pytest.raises(ZeroDivisionError):
        canvas.send({"event_type": "key_down", "key": "a"})
    canvas.close()


def without_display():
    kept = ("DISPLAY", "WAYLAND_DISPLAY")
    return {name: value for name, value in os.environ.items() if name not in kept}


def test_without_a_display_no_window_opens_and_the_message_says_what_to_do(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if sys.platform.startswith("linux"):
        assert not window.has_display()
        with pytest.raises(NoDisplayError, match="xvfb-run"):
            window.make_canvas()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is X11's")
def test_a_display_that_does_not_answer_is_none():
    # In a process of its own: a display that cannot be reached makes glfw write to stderr, and once ended the process.
    code = "from engine.output import window; print(window.has_display())"
    env = {**without_display(), "DISPLAY": ":987"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stdout.strip()) == (0, "False")


@pytest.mark.skipif(not shutil.which("xvfb-run"), reason="a window needs a display; xvfb-run gives one")
def test_a_window_fulfils_the_contract():
    code = (
        "from engine.output import window\n"
        "from engine.output.canvas import Canvas\n"
        "canvas = window.make_canvas((320, 200), 'title')\n"
        "assert isinstance(canvas, Canvas)\n"
        "def draw():\n"  # the size is the window manager's answer, which takes a moment
        "    canvas.get_physical_size() == (320, 200) and canvas.close()\n"
        "canvas.get_wgpu_context()\n"
        "canvas.request_draw(draw)\n"
        "canvas.set_update_mode('continuous')\n"
        "window.run()\n"
        "print('closed')\n"
    )
    done = subprocess.run(
        ["xvfb-run", "-a", sys.executable, "-c", code],
        env=without_display(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.stdout.strip().endswith("closed"), done.stderr


@pytest.mark.skipif(not shutil.which("xvfb-run"), reason="a window needs a display; xvfb-run gives one")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_a_window_between_two_frames(number):
    code = (
        "import os\n"
        "from engine.output import window\n"
        "canvas, frames = window.make_canvas((320, 200), 'title'), []\n"
        "def draw():\n"
        "    frames.append(canvas.get_closed())\n"
        "    if len(frames) == 3:\n"  # in the midst of a frame
        f"        os.kill(os.getpid(), {int(number)})\n"
        "    frames[-1] |= canvas.get_closed()\n"
        "    canvas.set_cursor('text')\n"
        "canvas.get_wgpu_context()\n"
        "canvas.request_draw(draw)\n"
        "canvas.set_update_mode('continuous')\n"
        "try:\n"
        "    window.run()\n"
        "except KeyboardInterrupt as stop:\n"
        "    print(stop, canvas.get_closed(), len(frames) >= 3 and not any(frames))\n"
    )
    command = ["xvfb-run", "-a", sys.executable, "-c", code]
    done = subprocess.run(command, env=without_display(), capture_output=True, text=True, timeout=600)
    assert done.stdout.strip() == "Stopped: the window is closed. True True", done.stderr
    assert "signal" not in done.stderr and "Traceback" not in done.stderr


def test_each_file_dropped_on_a_window_is_handed_on(monkeypatch):
    glfw, kept, seen = pytest.importorskip("glfw"), [], []
    monkeypatch.setattr(glfw, "set_drop_callback", lambda handle, take: kept.append((handle, take)))
    window.on_drop(SimpleNamespace(_window="handle"), seen.append)
    ((handle, take),) = kept
    take(handle, ["/one.png", "/two.jpg"])
    assert handle == "handle" and seen == ["/one.png", "/two.jpg"]


def test_a_still_holds_its_picture_for_pages_terminals_and_programs():
    data = notebook.still("<Ball> at 0 s", b"png bytes")
    assert data["text/plain"] == "<Ball> at 0 s" and data["image/png"] == b"png bytes"
    assert base64.b64encode(b"png bytes").decode() in data["text/html"]
    assert "&lt;Ball&gt;" in data["text/html"] and "<Ball>" not in data["text/html"]


def test_a_still_is_hidden_only_once_a_browser_shows_the_widget():
    pytest.importorskip("IPython")
    canvas = notebook.make_canvas((40, 30))
    still = notebook.still("Ball", b"")["text/html"].split('"')[1]
    assert still not in canvas._css
    canvas._has_visible_views = True  # as the browser's message sets it
    assert f".{still} {{ display: none; }}" in canvas._css
    canvas.close()


def test_outside_a_kernel_there_is_no_notebook():
    assert not notebook.in_notebook()
