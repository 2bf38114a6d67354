"""Downloads a file of `engine.formats.downloads` when a person asks for it. Nothing else here touches the network.

Only https, certificates checked, also after redirects; never more bytes than expected; nothing takes its place in
the cache before its sha256 is right. What came before a break is kept in a .part file and gone on with.
"""

import hashlib
import os
import re
import ssl
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.client import HTTPException
from urllib.parse import urlsplit

from engine import __version__
from engine.errors import FileError
from engine.formats.atomic import cannot_write
from engine.formats.downloads import cached, find, place

# Seconds without a byte until a server counts as gone.
TIMEOUT = 30.0
# Attempts within one call, for as long as each brings something.
TRIES = 5
BLOCK = 64 * 1024
# Where the lock of a .part file is, past any of its bytes: on Windows a locked byte cannot be read either.
LOCK_AT = 2**31 - 2


class _Broken(Exception):
    """The transfer ended early; says why."""


class _Anew(Exception):
    """The server cannot go on where we ended."""


def download(name, *, progress=None, folder=None, timeout=TIMEOUT, schemes=("https",)):
    """The path of a download, fetched if it is not there yet; asks nobody.

    name       one of DOWNLOADS, as `squeezenet`
    progress   called with (bytes that are there, bytes in all) as they come
    folder     where to keep it; the user's cache folder unless given
    timeout    seconds without a byte until a server counts as gone
    schemes    what addresses may begin with. For tests, whose servers have no certificate: all else leaves it be.
    Raises FileError for whatever goes wrong, with what to do.
    """
    known, path = find(name), place(name, folder)
    if cached(name, check=True, folder=folder):
        return path
    if path.is_dir():
        raise FileError(f"{path} is a folder; take it away, the download belongs there.")
    part = part_of(name, folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _held(part) as file:
            _fetch(known, file, path, progress or (lambda done, total: None), timeout, schemes)
        # Only now, closed: Windows renames no open file.
        os.replace(part, path)
    except FileNotFoundError as error:
        # Another process may have been quicker between our closing and our renaming.
        if cached(name, check=True, folder=folder) is None:
            raise cannot_write(path, error) from None
    except OSError as error:
        raise cannot_write(path, error) from None
    return path


def part_of(name, folder=None):
    """The path of what is there of a download that is not whole."""
    path = place(name, folder)
    # Under the hash, so that parts of two versions of a file are never joined.
    return path.with_name(f".{path.name}.{find(name).sha256[:12]}.part")


def part_size(name, folder=None):
    """How many bytes of a download that is not whole are there."""
    try:
        return part_of(name, folder).stat().st_size
    except OSError:
        return 0


# The .part file.


@contextmanager
def _held(part):
    """The .part file, open to be gone on with, and held so that no other process writes to it. Removed if empty."""
    empty = False
    try:
        with open(part, "a+b") as file:
            _lock(file, part)
            try:
                yield file
            finally:
                file.flush()
                empty = os.fstat(file.fileno()).st_size == 0
    finally:
        # Only now, closed, as with renaming.
        if empty:
            part.unlink(missing_ok=True)


def _lock(file, part):
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file.fileno(), LOCK_AT, os.SEEK_SET)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise FileError(f"{part} is being written by another neuroscene: wait until it is done.") from None
    except OSError:
        pass  # A disk without locks, as some network disks are: the hash still tells.


def _size(file):
    return file.seek(0, os.SEEK_END)


def _empty(file):
    file.seek(0)
    file.truncate()


# The transfer.


def _fetch(known, file, path, tell, timeout, schemes):
    """Fills the file until it is whole and right."""
    by_hand = f"By hand: fetch {known.url} with another program and put it at {path}."
    opener = _opener(schemes, by_hand)
    if urlsplit(known.url).scheme not in schemes:
        raise FileError(f"{known.url} is not {' or '.join(schemes)}: it is not fetched.")
    for attempt in range(1, TRIES + 1):
        begun = _size(file)
        try:
            if begun < known.size:
                _receive(known, file, opener, tell, timeout, by_hand)
        except _Anew:
            _empty(file)
            continue
        except _Broken as broken:
            there = _size(file)
            if there > begun and attempt < TRIES:
                continue
            how = f"after {there:,} of {known.size:,} bytes; they are kept, and the same command goes on there"
            raise FileError(
                f"{known.url} could not be fetched: {broken}"
                f"{f', {how}' if there else '. Check the connection to the internet'}. {by_hand}"
            ) from None
        file.seek(0)
        if hashlib.file_digest(file, "sha256").hexdigest() == known.sha256:
            return
        _empty(file)
        # What lay here before may have been wrong, and what came now right: then once more from the start.
        if not begun:
            break
    raise FileError(
        f"What came from {known.url} has not the sha256 {known.sha256}: it was removed. The file there, or something "
        "between it and you, has been changed; try another network, or later."
    )


def _receive(known, file, opener, tell, timeout, by_hand):
    """Adds to the file what the server sends, at most up to the size it is to have."""
    have = _size(file)
    headers = {"User-Agent": f"neuroscene/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        answer = opener.open(urllib.request.Request(known.url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:
            raise _Anew from None
        raise FileError(f"{known.url} could not be fetched: {_refusal(error)}. {by_hand}") from None
    except (OSError, HTTPException) as error:
        raise _broken(error) from None
    with answer:
        sized = _check(answer, known, have, by_hand)
        if answer.status != 206:
            # It sends all of it, whatever was asked for.
            _empty(file)
            have = 0
        tell(have, known.size)
        # One byte past the end is asked for only where no header has told where the end is.
        while have < known.size or not sized:
            try:
                block = answer.read1(min(BLOCK, known.size + (not sized) - have))
            except (OSError, HTTPException) as error:
                raise _broken(error) from None
            if not block:
                break
            if have + len(block) > known.size:
                _empty(file)
                raise FileError(
                    f"{known.url} sends more than the {known.size:,} bytes it should: it is another file now, and what "
                    f"came was removed. {by_hand}"
                )
            file.write(block)
            have += len(block)
            tell(have, known.size)
    if have < known.size:
        raise _Broken("the connection ended")


def _check(answer, known, have, by_hand):
    """Whether the server says how much it will send; refuses, by its headers, what is not what was asked for."""
    length = answer.headers.get("Content-Length", "")
    length = int(length) if re.fullmatch(r"\d{1,18}", length) else None
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise FileError(f"{known.url} came packed, which was not asked for: a proxy may have done it. {by_hand}")
    if answer.status == 206:
        span = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", answer.headers.get("Content-Range", ""))
        if span is None or int(span[1]) != have:
            raise _Anew
        total = int(span[3]) if span[3] != "*" else have + length if length is not None else None
    else:
        total = length
    if total is not None and total != known.size:
        raise FileError(
            f"{known.url} has {total:,} bytes where {known.size:,} are expected: it is another file now, or a page of "
            f"your network's stands before it. {by_hand}"
        )
    return length is not None and "chunked" not in answer.headers.get("Transfer-Encoding", "")


def _opener(schemes, by_hand):
    """Opens addresses of these schemes alone, through the proxies of the environment, certificates checked."""
    opener = urllib.request.OpenerDirector()
    handlers = [
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(schemes, by_hand),
    ]
    if "http" in schemes:
        handlers.append(urllib.request.HTTPHandler())
    for handler in handlers:
        opener.add_handler(handler)
    return opener


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to other hosts, but to no other schemes."""

    def __init__(self, schemes, by_hand):
        self.schemes, self.by_hand = schemes, by_hand

    def redirect_request(self, request, answer, code, message, headers, address):
        if urlsplit(address).scheme not in self.schemes:
            answer.close()
            raise FileError(
                f"{request.full_url} leads on to {address}, which is not {' or '.join(self.schemes)}: it is not "
                f"followed. {self.by_hand}"
            )
        return super().redirect_request(request, answer, code, message, headers, address)


# What went wrong, in words.


def _broken(error):
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return _Broken(
            f"its certificate is not trusted ({reason.verify_message}); if your network has an authority of its own, "
            "set SSL_CERT_FILE to its certificates"
        )
    if isinstance(reason, TimeoutError):
        return _Broken("the server does not answer")
    return _Broken(getattr(reason, "strerror", None) or str(reason) or type(reason).__name__)


def _refusal(error):
    if error.code in (404, 410):
        return f"it is no longer there (status {error.code})"
    if error.code == 407:
        return "the proxy wants a password (status 407); give it in the variable https_proxy"
    if error.code == 429 or error.code >= 500:
        return f"the server cannot answer now (status {error.code}); try again later"
    if 300 <= error.code < 400:
        return f"it leads nowhere (status {error.code})"
    return f"the server refuses it (status {error.code})"
