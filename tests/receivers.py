"""Receivers of notifications on the loopback address: HTTP(S) and SMTP servers that note what they get."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """What a webhook receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A webhook receiver; `answers` are given in turn, the last again and again."""

    answers: list = field(default_factory=lambda: [200])
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    holding: threading.Event = field(default_factory=threading.Event)
    """An answer is dripping."""
    let_go: threading.Event = field(default_factory=threading.Event)
    """The sender has hung up on a dripping answer."""
    sent_bytes: int = 0

    def url(self, host="127.0.0.1", scheme="http", path="/done?of=aiops"):
        return f"{scheme}://{host}:{self.port}{path}"

    def next_answer(self):
        return self.answers[min(len(self.requests), len(self.answers)) - 1]

    def drip(self, handler, start=b"", piece=b"a", pause=0.05):
        """Say something again and again, never to an end, until the other side hangs up."""
        self.holding.set()
        try:
            handler.connection.sendall(start)
            while True:
                handler.connection.sendall(piece)
                self.sent_bytes += len(piece)
                time.sleep(pause)
        except OSError:
            self.let_go.set()


def headers_that_never_end(receiver, handler):
    receiver.drip(handler, b"HTTP/1.1 200 OK\r\nX-Slow: ")


def body_that_never_ends(receiver, handler):
    receiver.drip(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")


def flood(receiver, handler):
    receiver.drip(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n", b"a" * 65536, 0)


def redirect_to(url):
    def answer(receiver, handler):
        handler.send_response(307)
        handler.send_header("Location", url)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A sender that hangs up is what is tested here."""


@contextmanager
def webhook_receiver(*answers, tls=None, address="127.0.0.1"):
    """A running receiver of webhooks."""
    receiver = Receiver(list(answers) or [200])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.requests.append(Request(self.path, dict(self.headers), body))
            answer = receiver.next_answer()
            self.close_connection = True
            if not isinstance(answer, int):
                answer(receiver, self)
                return
            self.send_response(answer)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    server = _Server((address, 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    with _serving(server):
        yield receiver


@contextmanager
def silent_server():
    """A port that takes connections and never says a word; its number."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@dataclass
class Mailbox:
    """A mail server; what it says to a command can be set: `says["RCPT"] = "550 no"`."""

    port: int = 0
    tls: object = None
    offers_tls: bool = False
    offers_login: bool = False
    says: dict[str, str] = field(default_factory=dict)
    mails: list[tuple[str, str, bytes, bool]] = field(default_factory=list)
    """Sender, recipient, message, whether it came through TLS."""
    logins: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


class _MailHandler(socketserver.StreamRequestHandler):
    def handle(self):
        box = self.server.box
        self.encrypted = False
        self.envelope = ["", ""]
        if "CONNECT" in box.says:
            self.say(box.says["CONNECT"])
            return
        self.say("220 mail.test")
        while line := self.rfile.readline().decode().strip():
            box.commands.append(line)
            verb = line.split()[0].upper()
            if verb in box.says:
                self.say(box.says[verb])
            elif not self.obey(box, verb, line):
                return

    def finish(self):
        super().finish()
        self.request.close()  # what STARTTLS made of it is another object

    def obey(self, box, verb, line):
        if verb == "EHLO":
            offers = ["mail.test"]
            offers += ["STARTTLS"] if box.offers_tls and not self.encrypted else []
            offers += ["AUTH PLAIN"] if box.offers_login else []
            self.say("\r\n".join(f"250{' ' if offer == offers[-1] else '-'}{offer}" for offer in offers))
        elif verb == "STARTTLS":
            self.say("220 go ahead")
            self.request = box.tls.wrap_socket(self.request, server_side=True)
            self.setup()
            self.encrypted = True
        elif verb == "AUTH":
            box.logins.append(line.split()[2])
            self.say("235 welcome")
        elif verb in ("MAIL", "RCPT"):
            self.envelope[verb == "RCPT"] = line.partition("<")[2].partition(">")[0]
            self.say("250 ok")
        elif verb == "DATA":
            self.say("354 go on")
            text = b""
            while not text.endswith(b"\r\n.\r\n"):
                text += self.rfile.readline()
            box.mails.append((*self.envelope, text[:-3], self.encrypted))
            self.say(box.says.get("MESSAGE", "250 taken"))
        elif verb == "QUIT":
            self.say("221 bye")
            return False
        else:
            self.say("250 ok")
        return True

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    box: Mailbox

    def handle_error(self, request, client_address):
        """A client that hangs up is what is tested here."""


@contextmanager
def mail_server(tls=None, wrapped=False, **offers):
    """A running mail server; `wrapped`: TLS from the first byte."""
    server = _MailServer(("127.0.0.1", 0), _MailHandler)
    server.box = Mailbox(port=server.server_address[1], tls=tls, **offers)
    if wrapped:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with _serving(server):
        yield server.box


@contextmanager
def _serving(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
