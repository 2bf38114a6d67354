"""A server on the loopback address that behaves as well or badly as a test wants, and a wall round everything else."""

import hashlib
import re
import socket
import ssl
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from engine.formats.downloads import DOWNLOADS

# Ten blocks of the downloader and a bit, of bytes that repeat nowhere a break could hide.
DATA = b"".join(hashlib.sha256(i.to_bytes(4, "big")).digest() for i in range(20_500))


class Server:
    """What it serves, how, and what it was asked.

    data       bytes it has
    ranges     True if it can go on in the middle
    breaks     after how many bytes of each answer it hangs up, one number an answer
    sized      True if it says how many bytes will come; else the end is the end of a chunked body
    status     None, or the status it answers with, and nothing else
    headers    more headers, {name: text}
    redirects  {path: (status, address)}
    asked      [(path, Range header or None)]
    """

    def __init__(self, data=DATA):
        self.data, self.ranges, self.breaks, self.sized = data, True, [], True
        self.status, self.headers, self.redirects, self.asked = None, {}, {}, []


def _handler(server):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            span = self.headers.get("Range")
            server.asked.append((self.path, span))
            self.close_connection = True
            if self.path in server.redirects:
                status, address = server.redirects[self.path]
                return self._begin(status, {"Location": address, "Content-Length": "0"})
            if server.status is not None:
                return self._begin(server.status, {"Content-Length": "0"})
            first = int(re.fullmatch(r"bytes=(\d+)-", span)[1]) if span and server.ranges else None
            if first is not None and first >= len(server.data):
                return self._begin(416, {"Content-Length": "0"})
            body = server.data[first or 0 :]
            headers = {"Content-Length": str(len(body))} if server.sized else {"Transfer-Encoding": "chunked"}
            if first is not None:
                headers["Content-Range"] = f"bytes {first}-{len(server.data) - 1}/{len(server.data)}"
            self._begin(200 if first is None else 206, {**headers, **server.headers})
            sent = body[: server.breaks.pop(0)] if server.breaks else body
            if server.sized:
                self.wfile.write(sent)
                return None
            for at in range(0, len(sent), 50_000):
                chunk = sent[at : at + 50_000]
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            if len(sent) == len(body):
                self.wfile.write(b"0\r\n\r\n")
            return None

        def _begin(self, status, headers):
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("Connection", "close")
            self.end_headers()

    return Handler


@contextmanager
def serving(server, certificate=None):
    """Serves in a thread; gives the address, without a slash at its end.

    certificate   the path of a certificate and its key, for https
    """
    listener = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    # One who hangs up halfway is what some tests are about.
    listener.handle_error = lambda *_: None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'http' if certificate is None else 'https'}://127.0.0.1:{listener.server_port}"
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def offered(monkeypatch, address, data=DATA):
    """Makes `small` a download, at an address, which is to have these bytes; returns its Download."""
    small = replace(
        DOWNLOADS["squeezenet"], url=address, size=len(data), sha256=hashlib.sha256(data).hexdigest(), about="Bytes"
    )
    monkeypatch.setitem(DOWNLOADS, "small", small)
    return small


def walled(monkeypatch):
    """No connection but to the loopback address, no name looked up, no proxy."""
    connect = socket.socket.connect

    def within(self, address):
        assert address[0] == "127.0.0.1", f"a test went to {address}"
        return connect(self, address)

    look_up = socket.getaddrinfo

    def known(host, *more, **others):
        if host != "127.0.0.1":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *more, **others)

    monkeypatch.setattr(socket.socket, "connect", within)
    monkeypatch.setattr(socket, "getaddrinfo", known)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    # Where the system and not the environment names a proxy.
    monkeypatch.setenv("no_proxy", "127.0.0.1")
