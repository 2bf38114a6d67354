"""The command `neuroscene download`: the only one that touches the network, and only after a yes."""

# As in engine.cli.main: only what every command needs is imported here.
import sys
from typing import Annotated

import typer

from engine.errors import FileError, SettingError
from engine.output.progress import progress_bar, say


def _names() -> list[str]:
    from engine.formats.downloads import DOWNLOADS

    return list(DOWNLOADS)


HELP = """
\b
  neuroscene download --list
  neuroscene download squeezenet
  neuroscene download squeezenet --yes        in a script: asks nothing
  neuroscene download squeezenet --check      is it there, and right to the bit?
\b
Address, size and sha256 are shown before anything is fetched. Stopped halfway, the same command goes on.
It is kept in your cache folder, or in the folder that NEUROSCENE_CACHE names; the path is printed.
No other command uses the network."""


def download(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="What to download.", autocompletion=_names, show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Asks nothing; for scripts.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Lists what can be downloaded, and what is there.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only tests what is there; downloads nothing.")] = False,
) -> None:
    """Downloads a trained network: from one address, once, after a yes."""
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
    print(path)


def listing(names: list[str], check: bool) -> str:
    """What can be downloaded, a paragraph each.

    check   True to compare the sha256 of what is there; else its size must do
    """
    from engine.cli.fetch import part_size
    from engine.formats.downloads import cached, find, place

    lines = []
    for name in names:
        known, path, begun = find(name), place(name), part_size(name)
        if cached(name, check=check):
            state = str(path)
        elif path.exists():
            state = f"{path}, but it is not what it should be"
        elif begun:
            state = f"not yet; {begun:,} bytes of it are"
        else:
            state = "not yet"
        lines += [f"{name}: {known.about}", *_facts(known), f"  there   {state}"]
    return "\n".join(lines)


def _facts(known):
    return [
        f"  by      {known.source}",
        f"  from    {known.url}",
        f"  size    {known.size:,} bytes",
        f"  sha256  {known.sha256}",
    ]


def _ask(name, known, path, yes):
    """Tells what will be fetched, and goes on only after a yes."""
    from engine.cli.fetch import part_size

    begun = part_size(name)
    lines = [f"{name}: {known.about}", *_facts(known), f"  to      {path}"]
    if path.exists():
        lines.append("          where another file of that name is, which it replaces")
    if begun:
        lines.append(f"  there   {begun:,} bytes of it, from before")
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


def _fetched(name, known):
    """Downloads it, telling how far it is on stderr."""
    from engine.cli.fetch import download, part_size

    try:
        # What is there from before says nothing about the time left.
        with progress_bar(known.file, known.size, "B", initial=part_size(name), unit_scale=True) as move:
            path = download(name, progress=move)
    except KeyboardInterrupt:
        kept = part_size(name)
        how = (
            f"{kept:,} of {known.size:,} bytes are kept; the same command goes on there" if kept else "nothing came yet"
        )
        say(f"stopped: {how}.")
        raise
    say(f"{known.size:,} bytes, and the sha256 is right.")
    return path
