"""The one thing that uses the network: it gives the right bytes or none, whatever the server does."""

import ast
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from loopback import DATA, Server, offered, serving, walled

import engine
from engine.cli.fetch import TRIES, download, part_of, part_size
from engine.errors import FileError, SettingError
from engine.formats.downloads import place

SIZE = len(DATA)
ROOT = Path(engine.__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def wall(monkeypatch):
    walled(monkeypatch)


@pytest.fixture
def server(monkeypatch):
    it = Server()
    with serving(it) as address:
        it.address = address
        offered(monkeypatch, f"{address}/small.onnx")
        yield it


@pytest.fixture
def fetch(tmp_path):
    """Downloads `small` into an empty folder from a server without a certificate."""

    def run(**others):
        return download("small", folder=tmp_path, schemes=("http",), **others)

    run.folder = tmp_path
    return run


def refused(fetch, match):
    """What is left in the folder after a download that is refused with these words, in one line."""
    with pytest.raises(FileError, match=match) as caught:
        fetch()
    assert "\n" not in str(caught.value)
    return sorted(os.listdir(fetch.folder))


def half(tmp_path, data=DATA[: SIZE // 2]):
    """What an earlier attempt left."""
    part_of("small", tmp_path).write_bytes(data)
    return len(data)


# All goes well.


def test_a_file_comes_whole_and_alone(server, fetch, tmp_path):
    path = fetch()
    assert path == tmp_path / "small.onnx" and path.read_bytes() == DATA
    assert os.listdir(tmp_path) == ["small.onnx"]


def test_a_file_is_on_the_disk_before_it_gets_its_name(server, fetch, monkeypatch):
    done, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (done.append(os.fstat(file).st_ino), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("renamed"), replace(*names)))
    assert done == [] and done.append(os.stat(fetch()).st_ino) is None
    assert done == [done[-1], "renamed", done[-1]]


def test_its_folder_is_made(server, tmp_path):
    path = download("small", folder=tmp_path / "a" / "b", schemes=("http",))
    assert path.read_bytes() == DATA


def test_what_is_there_and_right_is_not_fetched_again(server, fetch):
    assert fetch() == fetch()
    assert len(server.asked) == 1


def test_what_is_there_and_wrong_is_replaced(server, fetch, tmp_path):
    place("small", tmp_path).write_bytes(bytes(SIZE))
    assert fetch().read_bytes() == DATA


def test_progress_goes_up_from_nothing_to_all(server, fetch):
    reports = []
    fetch(progress=lambda done, total: reports.append((done, total)))
    done = [d for d, _ in reports]
    assert done == sorted(done) and (done[0], done[-1]) == (0, SIZE) and len(done) > 10
    assert {total for _, total in reports} == {SIZE}


def test_a_body_in_chunks_does_too(server, fetch):
    server.sized = False
    assert fetch().read_bytes() == DATA


# Breaks.


def test_a_transfer_that_breaks_goes_on_where_it_ended(server, fetch):
    server.breaks = [100_000, 200_000]
    assert fetch().read_bytes() == DATA
    assert [span for _, span in server.asked] == [None, "bytes=100000-", "bytes=300000-"]


def test_a_break_within_a_chunk_loses_at_most_that_chunk(server, fetch):
    server.sized, server.breaks = False, [120_000]
    assert fetch().read_bytes() == DATA
    first = int(server.asked[1][1].removeprefix("bytes=").removesuffix("-"))
    assert 100_000 <= first <= 120_000


def test_an_earlier_attempt_is_gone_on_with(server, fetch, tmp_path):
    have, reports = half(tmp_path), []
    assert fetch(progress=lambda done, total: reports.append(done)).read_bytes() == DATA
    assert server.asked == [("/small.onnx", f"bytes={have}-")]
    assert reports[0] == have
    assert os.listdir(tmp_path) == ["small.onnx"]


def test_a_server_that_cannot_go_on_starts_again(server, fetch, tmp_path):
    half(tmp_path)
    server.ranges = False
    assert fetch().read_bytes() == DATA
    assert len(server.asked) == 1


def test_a_server_that_goes_on_elsewhere_is_asked_for_all(server, fetch, tmp_path):
    half(tmp_path)
    server.headers = {"Content-Range": f"bytes 7-{SIZE - 1}/{SIZE}"}
    assert fetch().read_bytes() == DATA
    assert server.asked[-1][1] is None


def test_a_server_that_refuses_the_range_is_asked_for_all(server, fetch, tmp_path):
    have = half(tmp_path)
    server.data = DATA[:have]  # nothing beyond what we have: 416
    with pytest.raises(FileError, match=f"{have:,} bytes where {SIZE:,} are expected"):
        fetch()
    assert [span for _, span in server.asked] == [f"bytes={have}-", None]


def test_a_part_that_was_wrong_is_fetched_anew(server, fetch, tmp_path):
    have = half(tmp_path, bytes(1000))
    assert fetch().read_bytes() == DATA
    assert [span for _, span in server.asked] == [f"bytes={have}-", None]


def test_a_part_that_is_whole_is_taken(server, fetch, tmp_path):
    half(tmp_path, DATA)
    assert fetch().read_bytes() == DATA
    assert server.asked == []


@pytest.mark.parametrize("junk", [DATA + b"!", bytes(SIZE)], ids=["too long", "wrong"])
def test_a_part_that_cannot_be_gone_on_with_is_forgotten(server, fetch, tmp_path, junk):
    half(tmp_path, junk)
    assert fetch().read_bytes() == DATA
    assert server.asked == [("/small.onnx", None)]


def test_a_server_that_always_breaks_is_given_up_and_what_came_stays(server, fetch, tmp_path):
    server.breaks = [1000] * 20
    left = refused(fetch, f"the connection ended, after {1000 * TRIES:,} of .* the same command continues there")
    assert left == [part_of("small", tmp_path).name]
    assert part_of("small", tmp_path).read_bytes() == DATA[: 1000 * TRIES] and part_size("small", tmp_path) == 5000
    assert len(server.asked) == TRIES


def test_ctrl_c_leaves_what_came(server, fetch, tmp_path):
    def stop(done, total):
        if done > SIZE // 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(progress=stop)
    kept = part_of("small", tmp_path).read_bytes()
    assert len(kept) > SIZE // 3 and DATA.startswith(kept)
    assert fetch().read_bytes() == DATA


# Wrong bytes.


def test_wrong_bytes_are_removed(server, fetch):
    server.data = DATA[:-1] + bytes([DATA[-1] ^ 1])
    assert refused(fetch, "has not the sha256 .* it was removed") == []


def test_wrong_bytes_do_not_take_the_place_of_what_is_there(server, fetch, tmp_path):
    place("small", tmp_path).write_bytes(b"mine")
    server.data = bytes(SIZE)
    assert refused(fetch, "sha256") == ["small.onnx"]
    assert place("small", tmp_path).read_bytes() == b"mine"


@pytest.mark.parametrize("data", [DATA + b"!", DATA[:-1], b""], ids=["too long", "too short", "nothing"])
def test_a_file_of_another_size_is_refused_by_its_header(server, fetch, data):
    server.data = data
    assert refused(fetch, f"{len(data):,} bytes where {SIZE:,} are expected") == []


def test_an_answer_without_a_size_is_read_no_further_than_it_may_be(server, fetch):
    server.sized, server.data = False, DATA * 20
    reports = []
    with pytest.raises(FileError, match="sends more than"):
        fetch(progress=lambda done, total: reports.append(done))
    assert max(reports) <= SIZE
    assert refused(fetch, "what came was removed") == []


def test_an_answer_without_a_size_that_ends_early_is_reported(server, fetch, tmp_path):
    server.sized, server.data, server.ranges = False, DATA[:1000], False
    assert refused(fetch, f"after 1,000 of {SIZE:,}") == [part_of("small", tmp_path).name]


def test_a_packed_answer_is_refused(server, fetch):
    server.headers = {"Content-Encoding": "gzip"}
    assert refused(fetch, "came packed") == []


# Refusals.


@pytest.mark.parametrize(
    "status, words",
    [(404, "no longer there"), (403, "refuses it"), (429, "try again later"), (503, "try again later"), (407, "proxy")],
)
def test_a_refusal_says_how_to_get_it_by_hand(server, fetch, tmp_path, status, words):
    server.status = status
    path = tmp_path / "small.onnx"
    assert refused(fetch, rf"{words}.*By hand: fetch .*/small\.onnx with another program and put it at {path}") == []


def test_no_network_is_reported_in_a_line(fetch, monkeypatch):
    offered(monkeypatch, "http://no.such.host/small.onnx")
    assert refused(fetch, "Name or service not known. Check the connection to the internet") == []


def test_nobody_listening_is_reported_in_a_line(fetch, monkeypatch):
    with serving(Server()) as address:
        offered(monkeypatch, f"{address}/small.onnx")
    assert refused(fetch, "Connection refused") == []


def test_a_server_that_falls_silent_is_given_up(fetch, monkeypatch):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        offered(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}/small.onnx")
        with pytest.raises(FileError, match="does not answer"):
            fetch(timeout=0.05)


def test_a_name_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(SettingError, match="no download"):
        download("nothing", folder=tmp_path)


def test_a_folder_in_its_place_is_reported(server, fetch, tmp_path):
    place("small", tmp_path).mkdir()
    assert refused(fetch, "is a folder; take it away") == ["small.onnx"]


def test_a_cache_that_cannot_be_made_is_reported(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        download("small", folder=tmp_path / "file" / "cache", schemes=("http",))


@pytest.mark.skipif(os.name == "nt", reason="flock is asked here")
def test_two_at_once_do_not_write_into_each_other(server, fetch, tmp_path):
    import fcntl

    half(tmp_path)
    with open(part_of("small", tmp_path), "ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(FileError, match="being written by another neuroscene"):
            fetch()
    assert fetch().read_bytes() == DATA


# Addresses and certificates.


def test_plain_http_is_refused(server, tmp_path):
    with pytest.raises(FileError, match="is not https"):
        download("small", folder=tmp_path)
    assert server.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_gone_on_with(server, fetch, tmp_path, status):
    have = half(tmp_path)
    server.redirects = {"/small.onnx": (status, f"{server.address}/elsewhere/x")}
    assert fetch().read_bytes() == DATA
    assert server.asked[-1] == ("/elsewhere/x", f"bytes={have}-")


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/x", "file:///etc/passwd", "data:,x", "https://127.0.0.1/x"])
def test_a_redirect_to_another_scheme_is_refused(server, fetch, address):
    server.redirects = {"/small.onnx": (302, address)}
    assert refused(fetch, "not followed|leads nowhere") == []


def test_redirects_without_end_are_refused(server, fetch):
    server.redirects = {"/small.onnx": (302, "/small.onnx")}
    assert refused(fetch, "leads nowhere") == []


@pytest.fixture
def certificate(tmp_path):
    """A certificate for the loopback address that nobody has signed, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    path = tmp_path / "server.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=loopback"
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", tmp_path / "certificate.pem"]
    subprocess.run(["openssl", *words.split(), *more], check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "certificate.pem").read_text())
    return path


def test_a_certificate_that_nobody_signed_is_refused(certificate, tmp_path, monkeypatch):
    server = Server()
    with serving(server, certificate) as address:
        offered(monkeypatch, f"{address}/small.onnx")
        with pytest.raises(FileError, match=r"certificate is not trusted .*SSL_CERT_FILE"):
            download("small", folder=tmp_path)
    assert server.asked == []


def test_over_https_it_comes_with_no_leave_given(certificate, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    server = Server()
    server.breaks = [100_000]
    with serving(server, certificate) as address:
        server.redirects = {"/small.onnx": (302, f"{address}/elsewhere")}
        offered(monkeypatch, f"{address}/small.onnx")
        assert download("small", folder=tmp_path / "cache").read_bytes() == DATA


def test_from_https_no_redirect_leads_to_http(certificate, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    secure, plain = Server(), Server()
    with serving(secure, certificate) as address, serving(plain) as other:
        secure.redirects = {"/small.onnx": (302, f"{other}/small.onnx")}
        offered(monkeypatch, f"{address}/small.onnx")
        with pytest.raises(FileError, match="is not https: it is not followed"):
            download("small", folder=tmp_path / "cache")
    assert plain.asked == [] and os.listdir(tmp_path / "cache") == []


# Nothing else uses the network.

NETWORK = {
    "urllib", "http", "socket", "socketserver", "ssl", "ftplib", "smtplib", "poplib", "imaplib", "telnetlib", "nntplib",
    "xmlrpc", "webbrowser", "requests", "urllib3", "httpx", "aiohttp", "websockets", "huggingface_hub",
}  # fmt: skip


@pytest.mark.parametrize("room", ["engine", "scenes", "wgsl"])
def test_no_other_file_opens_a_connection(room):
    found = {}
    for path in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Constant) and node.value in NETWORK - {"http", "socket"}:
                names = [node.value]  # as import_module would have it
            if {name.split(".")[0] for name in names} & NETWORK:
                found[str(path.relative_to(ROOT))] = names
    assert set(found) <= {"engine/cli/fetch.py"}
    assert room != "engine" or found
