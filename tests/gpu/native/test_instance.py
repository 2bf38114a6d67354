"""The library's instance: which backends it has, and that drivers are shown no display."""

import os
import socket
import stat
import subprocess
import sys

import pytest

from engine.errors import SettingError
from engine.gpu.native import instance

MAKE = "from engine.gpu.device import device; device()"
linux = pytest.mark.skipif(sys.platform != "linux", reason="these displays are Linux's")


def run(code, **environment):
    environment = {**os.environ, **environment}
    environment = {name: value for name, value in environment.items() if value is not None}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)


@linux
@pytest.mark.parametrize("variable", ["XDG_RUNTIME_DIR", "TMPDIR"])
def test_a_display_that_never_answers_is_not_asked(tmp_path, variable):
    """The second is a neighbour's, in the shared folder for temporary files, where there is no folder of our own."""
    with socket.socket(socket.AF_UNIX) as display:
        display.bind(str(tmp_path / "wayland-0"))
        display.listen()
        display.setblocking(False)
        done = run(MAKE, **{"XDG_RUNTIME_DIR": None, "WAYLAND_DISPLAY": None, variable: str(tmp_path)})
        assert done.returncode == 0 and done.stderr == ""
        with pytest.raises(BlockingIOError):
            display.accept()


@linux
def test_the_environment_is_as_before_once_the_device_is_made():
    code = f"import os; before = dict(os.environ); {MAKE}; assert dict(os.environ) == before"
    assert run(code, DISPLAY=":7", WAYLAND_DISPLAY="x").returncode == 0


@linux
def test_for_a_window_without_a_folder_of_its_own_a_private_one_is_made_and_removed():
    code = (
        "from engine.gpu.native import instance; import os; instance.will_show(); "
        "folder = os.environ['XDG_RUNTIME_DIR']; print(folder, os.stat(folder).st_mode)"
    )
    folder, mode = run(code, XDG_RUNTIME_DIR=None).stdout.split()
    assert stat.S_IMODE(int(mode)) == 0o700 and not os.path.exists(folder)
    assert run(code, XDG_RUNTIME_DIR="/tmp").stdout.split()[0] == "/tmp"


def test_backends_are_those_that_the_environment_names(monkeypatch):
    monkeypatch.delenv(instance.BACKEND, raising=False)
    assert instance.backends() == ["Vulkan"]
    monkeypatch.setenv(instance.BACKEND, "vk, GL,vulkan")
    assert instance.backends() == ["Vulkan", "GL"]
    monkeypatch.setenv(instance.BACKEND, "voodoo")
    with pytest.raises(SettingError, match="vulkan"):
        instance.backends()
