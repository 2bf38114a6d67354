"""Sets up what the Makefile's targets need: a virtual environment, the packages, a Vulkan driver.

    python3 tools/setup.py [--extra dev] [--extra peers] [--no-driver]

Prints a line for each step and skips what is already done. It needs only the standard library and old syntax, so that
an old Python can run it and say that it is too old.
"""

import argparse
import ctypes
import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLDEST = (3, 11)
NEWEST_LOOKED_FOR = 15
DRIVER_PACKAGES = ["mesa-vulkan-drivers", "libvulkan1"]
# Shared libraries that the wheels of the window and panel packages need from the system, and their packages.
LIBRARIES = {"libX11.so.6": "libx11-6", "libXext.so.6": "libxext6"}


def say(text):
    print("setup: " + text, file=sys.stderr, flush=True)


def stop(text):
    say(text)
    sys.exit(1)


def run(command, **more):
    """A command's exit status; 127 if there is no such program, as in a shell."""
    try:
        return subprocess.run(command, check=False, **more).returncode
    except OSError:
        return 127


def quiet(command):
    return run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def python_new_enough():
    """This interpreter, or a newer one on PATH if it is too old."""
    if sys.version_info[:2] >= OLDEST:
        return sys.executable
    this = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
    for minor in range(NEWEST_LOOKED_FOR, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            say(f"{this} is too old; using {found}")
            return found
    stop(
        f"{this} arrived, but neuroscene needs Python {OLDEST[0]}.{OLDEST[1]} or newer. "
        "Install one and run `make PYTHON=/path/to/python3`."
    )


# The system's packages.


def apt_command():
    """The command that runs apt-get here, or None if that is not possible."""
    if not shutil.which("apt-get"):
        return None
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        return ["apt-get"]
    if shutil.which("sudo") and quiet(["sudo", "-n", "true"]) == 0:
        return ["sudo", "-n", "apt-get"]
    return None


def install_system(packages, why):
    """Installs Debian packages, or stops and prints the commands that would; False where there is no apt-get."""
    apt = apt_command()
    line = "apt-get install -y --no-install-recommends " + " ".join(packages)
    if apt is None:
        if shutil.which("apt-get"):
            stop(f"{why}. As root run: `apt-get update && {line}`, then make again.")
        return False
    say(f"{why}; running `{' '.join([*apt[:-1], line])}`")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    command = [*apt, "install", "-y", "--no-install-recommends", *packages]
    output = subprocess.DEVNULL
    if run(command, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL) == 0:
        return True
    say(f"the package lists are old or missing; running `{' '.join(apt)} update` first")
    run([*apt, "update", "-q"], env=environment, stdout=output, stdin=subprocess.DEVNULL)
    if run(command, env=environment, stdout=output, stdin=subprocess.DEVNULL) == 0:
        return True
    stop(f"apt-get failed; its output is above. Run it yourself: `{line}`, then make again.")


# The virtual environment.


def venv_python(folder):
    return os.path.join(folder, "Scripts", "python.exe") if os.name == "nt" else os.path.join(folder, "bin", "python")


def make_venv(python, folder):
    if quiet([venv_python(folder), "-m", "pip", "--version"]) == 0:
        return
    if quiet([python, "-c", "import ensurepip, venv"]) != 0:
        probe = "import sys; print('python{}.{}-venv'.format(*sys.version_info))"
        package = subprocess.check_output([python, "-c", probe], universal_newlines=True).strip()
        if not install_system([package], "this Python has no venv module"):
            stop("This Python has no venv module (ensurepip). Install it: Debian: `apt-get install python3-venv`.")
    say(f"making the virtual environment {os.path.relpath(folder, ROOT)}")
    if run([python, "-m", "venv", folder]) != 0:
        stop(f"`{python} -m venv {folder}` failed; its output is above.")


def asked_for():
    """A hash of the files that decide which packages are installed; a stamp with another hash is out of date."""
    asked = hashlib.sha256(ROOT.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        with open(os.path.join(ROOT, name), "rb") as file:
            asked.update(file.read())
    return asked.hexdigest()


def read_stamp(path):
    """The extras that are installed for the current files; None if nothing is."""
    try:
        with open(path) as file:
            words = file.read().split()
    except OSError:
        return None
    return set(words[1:]) if words and words[0] == asked_for() else None


def install_packages(folder, extras):
    stamp = os.path.join(folder, ".neuroscene-installed")
    there = read_stamp(stamp)
    if there is not None and there >= set(extras):
        return
    extras = sorted(set(extras) | (there or set()))
    wanted = f".[{','.join(extras)}]" if extras else "."
    say(f"installing the packages of `{wanted}` with pip (a minute or two)")
    command = [venv_python(folder), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-e", wanted]
    # Versions other than the locked ones are better than none: pyproject.toml gives the ranges that work.
    if run([*command, "-c", "constraints.txt"], cwd=ROOT, stdin=subprocess.DEVNULL) != 0:
        say("the versions in constraints.txt are not available here; installing others that pyproject.toml allows")
        if run(command, cwd=ROOT, stdin=subprocess.DEVNULL) != 0:
            stop("pip could not install the packages; its output is above. Is the network there? Then make again.")
    with open(stamp, "w") as file:
        file.write(" ".join([asked_for(), *extras]) + "\n")


# Vulkan.


def has_adapter(folder):
    probe = "from engine.gpu.device import device; device()"
    return quiet([venv_python(folder), "-c", probe]) == 0


def missing_libraries():
    if not sys.platform.startswith("linux"):
        return []
    missing = []
    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def install_driver(folder):
    missing = missing_libraries()
    if missing:
        install_system(missing, "libraries that windows and panels need are missing")
    if has_adapter(folder):
        return
    if not install_system(DRIVER_PACKAGES, "there is no Vulkan adapter, so a software driver is needed"):
        # The program itself knows the commands for each system.
        run([venv_python(folder), "-m", "engine", "doctor"], cwd=ROOT)
        sys.exit(1)
    if not has_adapter(folder):
        run([venv_python(folder), "-m", "engine", "doctor"], cwd=ROOT)
        stop("the driver is installed, but no Vulkan adapter answers; the output of doctor is above.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--extra", action="append", default=[], help="an extra of pyproject.toml: dev, peers")
    parser.add_argument("--venv", default=os.path.join(ROOT, ".venv"), help="the virtual environment's folder")
    parser.add_argument("--no-driver", action="store_true", help="leave Vulkan alone")
    asked = parser.parse_args()
    folder = os.path.abspath(asked.venv)
    make_venv(python_new_enough(), folder)
    install_packages(folder, asked.extra)
    if not asked.no_driver:
        install_driver(folder)


if __name__ == "__main__":
    main()
