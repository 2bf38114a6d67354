"""What sets a machine up: what it skips, what it installs and with whose leave, what it says when it cannot."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def setup():
    spec = importlib.util.spec_from_file_location("setup_of_neuroscene", ROOT / "tools" / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def machine(setup, monkeypatch, capfd):
    """A machine that notes the commands it is given; `refuses` says which of them fail."""

    class Machine:
        commands = []
        programs = {"apt-get"}
        user = 0

        def refuses(self, command):
            return False

        def run(self, command, **more):
            self.commands.append(command)
            return int(self.refuses(command))

        def said(self):
            return capfd.readouterr().err

    made = Machine()
    made.commands = []
    monkeypatch.setattr(setup, "run", made.run)
    monkeypatch.setattr(setup.shutil, "which", lambda name: f"/bin/{name}" if name in made.programs else None)
    monkeypatch.setattr(setup.os, "geteuid", lambda: made.user, raising=False)
    return made


def test_root_on_debian_has_the_packages_installed(setup, machine):
    assert setup.install_system(["a", "b"], "there is no a")
    assert machine.commands == [["apt-get", "install", "-y", "--no-install-recommends", "a", "b"]]
    assert "there is no a; running `apt-get install" in machine.said()


def test_old_package_lists_are_brought_up_to_date_first(setup, machine):
    machine.refuses = lambda command: "install" in command and len(machine.commands) == 1
    assert setup.install_system(["a"], "there is no a")
    assert [command[1] for command in machine.commands] == ["install", "update", "install"]


def test_without_root_nothing_is_installed_and_the_lines_are_said(setup, machine):
    machine.user = 1000
    with pytest.raises(SystemExit) as stopped:
        setup.install_system(["a"], "there is no a")
    assert stopped.value.code == 1 and machine.commands == []
    assert "As root run: `apt-get update && apt-get install -y --no-install-recommends a`" in machine.said()


def test_sudo_is_used_only_where_it_asks_nothing(setup, machine):
    machine.user, machine.programs = 1000, {"apt-get", "sudo"}
    assert setup.install_system(["a"], "there is no a")
    assert machine.commands[0] == ["sudo", "-n", "true"]
    assert "running `sudo -n apt-get install" in machine.said()
    machine.refuses = lambda command: command == ["sudo", "-n", "true"]
    with pytest.raises(SystemExit):
        setup.install_system(["a"], "there is no a")


def test_on_another_system_nothing_is_tried(setup, machine):
    machine.programs = set()
    assert setup.install_system(["a"], "there is no a") is False
    assert machine.commands == []


def test_packages_are_installed_once_and_again_when_what_is_asked_for_changes(setup, machine, tmp_path, monkeypatch):
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("a")
    monkeypatch.setattr(setup, "ROOT", str(tmp_path))
    venv = tmp_path / ".venv"
    venv.mkdir()

    def installs(extras):
        machine.commands.clear()
        setup.install_packages(str(venv), extras)
        return [next(word for word in command if word.startswith(".")) for command in machine.commands]

    assert installs([]) == ["."]
    assert installs([]) == []
    assert installs(["dev"]) == [".[dev]"]
    # What holds more holds less; and what is there stays there.
    assert installs([]) == installs(["dev"]) == []
    assert installs(["peers"]) == [".[dev,peers]"]
    (tmp_path / "constraints.txt").write_text("b")
    assert installs(["dev"]) == [".[dev]"]


def test_versions_that_are_not_available_give_way_to_the_ranges(setup, machine, tmp_path):
    machine.refuses = lambda command: "constraints.txt" in command
    setup.install_packages(str(tmp_path), [])
    assert ["constraints.txt" in command for command in machine.commands] == [True, False]
    assert "are not available here" in machine.said()


def test_without_a_network_it_stops_with_a_line(setup, machine, tmp_path):
    machine.refuses = lambda command: True
    with pytest.raises(SystemExit):
        setup.install_packages(str(tmp_path), [])
    assert "could not install" in machine.said()
    assert not (tmp_path / ".neuroscene-installed").exists()


def test_an_old_python_is_reported_or_passed_over(setup, machine, monkeypatch):
    monkeypatch.setattr(setup.sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit):
        setup.python_new_enough()
    assert "Python 3.9 arrived, but neuroscene needs Python 3.11" in machine.said()
    machine.programs = {"python3.12"}
    assert setup.python_new_enough() == "/bin/python3.12"


def test_a_program_that_is_not_there_is_a_status(setup):
    assert setup.run(["no-such-program-anywhere"]) == 127
    assert setup.quiet([sys.executable, "-c", "raise SystemExit(3)"]) == 3


def test_a_python_without_venv_has_it_installed(setup, machine, tmp_path):
    machine.refuses = lambda command: "pip" in command or "import ensurepip, venv" in command
    setup.make_venv(sys.executable, str(tmp_path / "venv"))
    package = "python{}.{}-venv".format(*sys.version_info)
    assert [command[-1] for command in machine.commands[2:]] == [package, str(tmp_path / "venv")]
