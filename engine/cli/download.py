"""The command `neuroscene download`: the only one that touches the network, and only after a yes."""

# As in engine.cli.main: only what every command needs is imported here.
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.options import Text, flag
from engine.errors import FileError, SettingError
from engine.output.progress import progress_bar, say
from engine.output.streams import give

if TYPE_CHECKING:
    from engine.formats.downloads import Download


def _names() -> list[str]:
    from engine.formats.downloads import DOWNLOADS

    return list(DOWNLOADS)


HELP = """
\b
  neuroscene download --list
  neuroscene download squeezenet
  neuroscene download squeezenet --yes        in a script: asks nothing
  neuroscene download squeezenet --check      is it there, and is its sha256 right?
\b
Address, size and sha256 are shown before anything is fetched. After a stop the same command continues.
The file goes to your cache folder, or to the folder that NEUROSCENE_CACHE names; its path is printed.
No other command uses the network."""


def download(
    name: Annotated[
        Text,
        typer.Argument(metavar="NAME", help="What to download.", autocompletion=_names, show_default=False),
    ] = None,
    yes: Annotated[bool, flag("-y --yes", "Asks nothing; for scripts.")] = False,
    list_: Annotated[bool, flag("--list", "Lists what can be downloaded, and what is there.")] = False,
    check: Annotated[bool, flag("--check", "Only tests the file that is there; downloads nothing.")] = False,
) -> None:
    """Downloads a trained network, after asking."""
    from engine.formats.downloads import cached, find, place

    if list_:
        print(listing([name] if name is not None else _names(), check))
        return
    if name is None:
        raise SettingError(f"Nothing is named to download. There is: {', '.join(_names())}.")
    known, path = find(name), place(name)
    if cached(name, check=True):
        say(f"{name} is there, and its sha256 is right.")
    elif check:
        raise FileError(
            f"{path} {'is not what it should be' if path.exists() else 'is not there'}. "
            f"`neuroscene download {name}` fetches it."
        )
    else:
        _ask(name, known, path, yes)
        path = _fetched(name, known)
    give(path)


def listing(names: list[str], check: bool) -> str:
    """The text of `--list` and `--check`: a paragraph for each download.

    check   True compares the sha256 of downloaded files; False only their size
    """
    from engine.formats.downloads import cached, find, place

    lines = []
    for name in names:
        path = place(name)
        if cached(name, check=check):
            state = str(path)
        elif path.exists():
            state = f"{path}, but it is not what it should be"
        else:
            state = "not yet" + _begun(name)
        lines += [*_facts(name, find(name)), f"  there   {state}"]
    return "\n".join(lines)


def _facts(name: str, known: "Download") -> list[str]:
    return [
        f"{name}: {known.about}",
        f"  by      {known.source}",
        f"  from    {known.url}",
        f"  size    {known.size:,} bytes",
        f"  sha256  {known.sha256}",
    ]


def _begun(name: str) -> str:
    from engine.cli.fetch import part_size

    begun = part_size(name)
    return f"; {begun:,} bytes of it are there from before" if begun else ""


def _ask(name: str, known: "Download", path: Path, yes: bool) -> None:
    """Says what will be fetched, and returns only after a yes."""
    replaced = "; another file of that name is there, which it replaces" if path.exists() else ""
    lines = [*_facts(name, known), f"  to      {path}{replaced}{_begun(name)}"]
    print("\n".join(lines), file=sys.stderr, flush=True)
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SettingError("Nothing was downloaded: there is no terminal to ask for a yes. Give --yes.")
    # Not typer.confirm: it writes a space to stdout, which is for the path alone.
    print("Download it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        say("nothing was downloaded.")
        raise typer.Abort


def _fetched(name: str, known: "Download") -> Path:
    """Downloads it, with a progress bar on stderr."""
    from engine.cli.fetch import download, part_size

    try:
        # Bytes of an earlier call are not counted in the estimate of the time left.
        with progress_bar(known.file, known.size, "B", initial=part_size(name), unit_scale=True) as move:
            path = download(name, progress=move)
    except KeyboardInterrupt:
        done = part_size(name)
        say(f"stopped after {done:,} of {known.size:,} bytes{'; the same command continues there' if done else ''}.")
        raise
    say(f"{known.size:,} bytes, and the sha256 is right.")
    return path
