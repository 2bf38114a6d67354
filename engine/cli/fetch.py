"""Downloads a file of `engine.formats.downloads` when a person asks for it. No other module uses the internet.

Only https is used and certificates are checked, also after redirects. No more bytes than expected are read. A file gets
its name in the cache only when its sha256 is right; until then it is a .part file, which the next call continues.
"""

import hashlib
import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from io import BufferedRandom
from pathlib import Path
from typing import IO, Any, NoReturn
from urllib.parse import urlsplit

from engine import __version__
from engine.errors import FileError
from engine.formats.atomic import cannot_write, lock, sync
from engine.formats.downloads import Download, cached, find, place

# Seconds without a byte after which the transfer counts as broken.
TIMEOUT = 30.0
# Attempts within one call, as long as each one brings more bytes.
TRIES = 5
BLOCK = 64 * 1024


class _Broken(Exception):
    """The transfer ended early; says why."""


class _Restart(Exception):
    """The server cannot continue where the .part file ends."""


def download(
    name: str,
    *,
    progress: Callable[[int, int], object] | None = None,
    folder: Path | None = None,
    timeout: float = TIMEOUT,
    schemes: tuple[str, ...] = ("https",),
) -> Path:
    """The path of a file, downloaded first if it is not in the folder yet. Does not ask for confirmation.

    name       one of DOWNLOADS, as `squeezenet`
    progress   called with (bytes received, bytes in all) as they arrive
    folder     where the file is stored; None for the user's cache folder
    timeout    seconds without a byte after which the transfer counts as broken
    schemes    what addresses may begin with; given only by tests, whose servers have no certificate
    Raises FileError for every failure, saying what to do.
    """
    path = place(name, folder)
    if cached(name, check=True, folder=folder):
        return path
    if path.is_dir():
        raise FileError(f"{path} is a folder; take it away, the download belongs there.")
    part = part_of(name, folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _opened_part(part) as file:
            _Transfer(find(name), file, path, progress or (lambda done, total: None), timeout, schemes).run()
        sync(part, os.O_RDWR)
        # The file is closed by now: Windows cannot rename an open one.
        os.replace(part, path)
    except FileNotFoundError as error:
        # Another process may have finished the same file between our closing and our renaming.
        if cached(name, check=True, folder=folder) is None:
            raise cannot_write(path, error) from None
    except OSError as error:
        raise cannot_write(path, error) from None
    return path


def part_of(name: str, folder: Path | None = None) -> Path:
    """The path of the .part file of a download that is not complete."""
    path = place(name, folder)
    # The hash is in the name, so that parts of two versions of a file are never joined.
    return path.with_name(f".{path.name}.{find(name).sha256[:12]}.part")


def part_size(name: str, folder: Path | None = None) -> int:
    """The number of bytes in the .part file of an incomplete download."""
    try:
        return part_of(name, folder).stat().st_size
    except OSError:
        return 0


@contextmanager
def _opened_part(part: Path) -> Iterator[BufferedRandom]:
    """The .part file, to be continued, and locked so that no other process writes to it. Removed if it stays empty."""
    is_empty = False
    try:
        with open(part, "a+b") as file:
            if not lock(file):
                raise FileError(f"{part} is being written by another neuroscene: wait until it is done.")
            try:
                yield file
            finally:
                file.flush()
                is_empty = os.fstat(file.fileno()).st_size == 0
    finally:
        # The file is closed by now: Windows cannot delete an open one.
        if is_empty:
            part.unlink(missing_ok=True)


@dataclass
class _Transfer:
    """One download into a file that may hold its beginning; the arguments are those of `download`."""

    known: Download
    file: BufferedRandom
    path: Path
    progress: Callable[[int, int], object]
    timeout: float
    schemes: tuple[str, ...]

    def run(self) -> None:
        """Fills the file until it is complete and its sha256 is right."""
        known = self.known
        if urlsplit(known.url).scheme not in self.schemes:
            raise FileError(f"{known.url} is not {' or '.join(self.schemes)}: it is not fetched.")
        for attempt in range(1, TRIES + 1):
            begun = self.size()
            try:
                if begun < known.size:
                    self.receive()
            except _Restart:
                self.empty()
                continue
            except _Broken as broken:
                there = self.size()
                if there > begun and attempt < TRIES:
                    continue
                how = f", after {there:,} of {known.size:,} bytes; the same command continues there"
                self.fail(f"could not be fetched: {broken}{how if there else '. Check the connection to the internet'}")
            self.file.seek(0)
            if hashlib.file_digest(self.file, "sha256").hexdigest() == known.sha256:
                return
            self.empty()
            # The old beginning may be damaged and the new bytes right: try once more from the start.
            if not begun:
                break
        raise FileError(
            f"What came from {known.url} has not the sha256 {known.sha256}: it was removed. Somebody has changed it, "
            "there or on the way; try another network, or later."
        )

    def size(self) -> int:
        return self.file.seek(0, os.SEEK_END)

    def empty(self) -> None:
        self.file.seek(0)
        self.file.truncate()

    def fail(self, what: str) -> NoReturn:
        url = self.known.url
        raise FileError(f"{url} {what}. By hand: fetch {url} with another program and put it at {self.path}.") from None

    def receive(self) -> None:
        """Appends what the server sends, up to the expected size."""
        known, have = self.known, self.size()
        headers = {"User-Agent": f"neuroscene/{__version__}", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        https = urllib.request.HTTPSHandler(context=ssl.create_default_context())
        opener = urllib.request.build_opener(_Redirects(self), https)
        try:
            answer = opener.open(urllib.request.Request(known.url, headers=headers), timeout=self.timeout)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and have:
                raise _Restart from None
            self.fail(f"could not be fetched: {_refusal(error.code)}")
        except (OSError, HTTPException) as error:
            raise _broken(error) from None
        with answer:
            is_sized = self.check(answer, have)
            if answer.status != 206:
                # The server ignores the range that was asked for, and sends the whole file.
                self.empty()
                have = 0
            self.progress(have, known.size)
            # Without a length in the headers, one more byte is read to see whether the file ends where it should.
            while have < known.size or not is_sized:
                try:
                    block = answer.read1(min(BLOCK, known.size + (not is_sized) - have))
                except (OSError, HTTPException) as error:
                    raise _broken(error) from None
                if not block:
                    break
                if have + len(block) > known.size:
                    self.empty()
                    self.fail(
                        f"sends more than the {known.size:,} bytes it should: it is another file now, "
                        "and what came was removed"
                    )
                self.file.write(block)
                have += len(block)
                self.progress(have, known.size)
        if have < known.size:
            raise _Broken("the connection ended")

    def check(self, answer: HTTPResponse, have: int) -> bool:
        """True if the headers state the length. Raises FileError if the answer is not what was asked for."""
        header = answer.headers.get("Content-Length", "")
        total = length = int(header) if re.fullmatch(r"\d{1,18}", header) else None
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            self.fail("came packed, which was not asked for: a proxy may have done it")
        if answer.status == 206:
            span = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", answer.headers.get("Content-Range", ""))
            if span is None or int(span[1]) != have:
                raise _Restart
            total = int(span[3]) if span[3] != "*" else have + length if length is not None else None
        if total is not None and total != self.known.size:
            self.fail(
                f"has {total:,} bytes where {self.known.size:,} are expected: it is another file now, or a page "
                "of your network's is in front of it"
            )
        return length is not None and "chunked" not in answer.headers.get("Transfer-Encoding", "")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to other hosts, but only to the allowed schemes."""

    def __init__(self, transfer: _Transfer):
        self.transfer = transfer

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        schemes = self.transfer.schemes
        if urlsplit(newurl).scheme not in schemes:
            fp.close()
            self.transfer.fail(f"leads on to {newurl}, which is not {' or '.join(schemes)}: it is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


# Messages.


def _broken(error: Exception) -> _Broken:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return _Broken(
            f"its certificate is not trusted ({reason.verify_message}); if your network has an authority of its own, "
            "set SSL_CERT_FILE to its certificates"
        )
    if isinstance(reason, TimeoutError):
        return _Broken("the server does not answer")
    return _Broken(getattr(reason, "strerror", None) or str(reason) or type(reason).__name__)


def _refusal(code: int) -> str:
    if code in (404, 410):
        return f"it is no longer there (status {code})"
    if code == 407:
        return "the proxy wants a password (status 407); give it in the variable https_proxy"
    if code == 429 or code >= 500:
        return f"the server cannot answer now (status {code}); try again later"
    if 300 <= code < 400:
        return f"it leads nowhere (status {code})"
    return f"the server refuses it (status {code})"
