"""Servers on loopback that an outgoing call may meet: one that listens, one that traps, one with a certificate."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from socket import create_server, socket

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from carbon_credits.core.addresses import Rules
from carbon_credits.jobs.outgoing import Caller

# what only a test may do: plain http, any port, a number that is not public
LOOPBACK = Rules(schemes=frozenset({"http", "https"}), ports=None, is_only_public=False)


@dataclass
class Heard:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Listener:
    """What was heard, and what is answered: the next of `answers`, then 204."""

    url: str = ""
    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@contextmanager
def listening(context: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """A server that hears POSTs; with a context, by TLS."""
    told = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            told.heard.append(Heard(self.path, dict(self.headers), self.rfile.read(length)))
            self.send_response(told.answers.pop(0) if told.answers else 204)
            self.send_header("Location", f"{told.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nothing on the screen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        told.port = server.server_port
        told.url = f"{'https' if context else 'http'}://127.0.0.1:{told.port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield told
        server.shutdown()
        thread.join()


@contextmanager
def trap() -> Iterator[tuple[int, list[object]]]:
    """A port of loopback and who came to it: nobody should."""
    hits: list[object] = []
    with create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    link, who = server.accept()
                except OSError:
                    return
                hits.append(who)
                link.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1], hits
        stop.set()
        with socket() as last:
            last.connect(server.getsockname())
        thread.join()
        hits.pop()


@contextmanager
def speaking(says: Callable[[socket], None]) -> Iterator[int]:
    """A port whose answer a test spells out by itself."""
    with create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            link, _ = server.accept()
            with link:
                link.recv(65_536)
                try:
                    says(link)
                except OSError:
                    return

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def a_certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Callable[[], ssl.SSLContext]]:
    """A server's context for a name, and that of a caller who trusts nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, private)
    return serving, lambda: ssl.create_default_context(cafile=str(certificate))


def to_loopback(**more: object) -> Caller:
    """A caller for whom every name is on loopback, as only a test may have it."""
    given = {"rules": LOOPBACK, "resolver": lambda *_: [IPv4Address("127.0.0.1")], **more}
    return Caller(**given)  # type: ignore[arg-type]
