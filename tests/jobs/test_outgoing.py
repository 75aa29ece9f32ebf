"""Calls to addresses that others chose: pinned, by TLS, bounded, and never to a place of ours."""

import time
from collections.abc import Iterable
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from socket import socket

import pytest

from carbon_credits.core.addresses import NotCalled, Number
from carbon_credits.jobs.outgoing import Caller, NoAnswer, resolve
from tests.jobs.listeners import a_certificate, listening, speaking, to_loopback, trap

NAME = "shop.example.com"
PUBLIC_NUMBER = IPv4Address("223.5.5.5")


@pytest.mark.parametrize(
    "numbers",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["0.0.0.0"],
        ["169.254.169.254"],
        # one that is public beside it does not make it good
        ["223.5.5.5", "127.0.0.1"],
        ["127.0.0.1", "223.5.5.5"],
    ],
)
def test_a_name_that_stands_for_a_place_of_ours_is_not_called(
    numbers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with trap() as (port, hits):
        monkeypatch.setattr("carbon_credits.core.addresses.DEFAULT_PORT", {"https": port})
        caller = Caller(resolver=lambda *_: map(ip_address, numbers))
        with pytest.raises(NotCalled, match="address_not_public"):
            caller.post(f"https://{NAME}:8443/", b"{}", {})
        assert hits == []


def test_a_name_is_asked_for_once_and_its_number_called(tmp_path: Path) -> None:
    """A name server that answers publicly the first time and with loopback ever after gets nowhere."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Iterable[Number]:
        asked.append(host)
        return [PUBLIC_NUMBER if len(asked) == 1 else IPv4Address("127.0.0.1")]

    with trap() as (_, hits):
        with pytest.raises(NoAnswer):
            Caller(resolver=rebinding, whole_s=0.5, connect_s=0.2).post(f"https://{NAME}/", b"{}", {})
        assert asked == [NAME]
        assert hits == []


def test_the_name_stays_in_the_handshake_and_in_the_host_though_a_number_is_called(tmp_path: Path) -> None:
    serving, trusted = a_certificate(tmp_path, NAME)
    with listening(serving) as told:
        caller = to_loopback(context=trusted)
        status = caller.post(f"https://{NAME}:{told.port}/hooks?x=1", b'{"a":1}', {"webhook-id": "m1"})
    assert status == 204
    (heard,) = told.heard
    assert (heard.path, heard.body) == ("/hooks?x=1", b'{"a":1}')
    assert heard.headers["Host"] == f"{NAME}:{told.port}"
    assert heard.headers["webhook-id"] == "m1"


def test_a_certificate_for_another_name_or_of_nobody_known_is_refused(tmp_path: Path) -> None:
    serving, trusted = a_certificate(tmp_path, NAME)
    with listening(serving) as told:
        with pytest.raises(NoAnswer, match="certificate_refused"):
            to_loopback(context=trusted).post(f"https://other.example.com:{told.port}/", b"{}", {})
        with pytest.raises(NoAnswer, match="certificate_refused"):
            to_loopback().post(f"https://{NAME}:{told.port}/", b"{}", {})
    assert told.heard == []


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with listening() as told:
        told.answers = [302, 307]
        assert to_loopback().post(f"{told.url}/a", b"{}", {}) == 302
        assert to_loopback().post(f"{told.url}/b", b"{}", {}) == 307
    assert [heard.path for heard in told.heard] == ["/a", "/b"]


def test_an_answer_that_never_ends_is_cut_off_by_time_and_by_size() -> None:
    def drip(link: socket) -> None:
        while True:
            link.sendall(b"H")
            time.sleep(0.02)  # the fault itself: slow on purpose

    def flood(link: socket) -> None:
        while True:
            link.sendall(b"X" * 65_536)

    began = time.monotonic()
    with speaking(drip) as port, pytest.raises(NoAnswer, match="timed_out"):
        to_loopback(whole_s=0.5).post(f"http://{NAME}:{port}/", b"{}", {})
    assert time.monotonic() - began < 20
    with speaking(flood) as port, pytest.raises(NoAnswer, match="answer_malformed"):
        to_loopback(whole_s=30).post(f"http://{NAME}:{port}/", b"{}", {})


def test_an_interim_answer_is_passed_over_and_a_strange_one_refused() -> None:
    def interim(link: socket) -> None:
        link.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\n")

    def strange(link: socket) -> None:
        link.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

    def nothing(link: socket) -> None:
        del link

    with speaking(interim) as port:
        assert to_loopback().post(f"http://{NAME}:{port}/", b"{}", {}) == 200
    with speaking(strange) as port, pytest.raises(NoAnswer, match="answer_malformed"):
        to_loopback().post(f"http://{NAME}:{port}/", b"{}", {})
    with speaking(nothing) as port, pytest.raises(NoAnswer, match=r"no_answer|not_connected"):
        to_loopback().post(f"http://{NAME}:{port}/", b"{}", {})


def test_nobody_there_and_no_such_name_are_told_apart() -> None:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NoAnswer, match="not_connected"):
            to_loopback().post(f"http://{NAME}:{taken.getsockname()[1]}/", b"{}", {})
    with pytest.raises(NoAnswer, match="name_not_found"):
        resolve("nobody.invalid", 443)
    with pytest.raises(NoAnswer, match="name_not_found"):
        Caller(resolver=lambda *_: []).post(f"https://{NAME}/", b"{}", {})


def test_a_header_cannot_bring_another_with_it() -> None:
    with listening() as told, pytest.raises(ValueError, match="visible ASCII"):
        to_loopback().post(told.url, b"{}", {"webhook-id": "a\r\nX: 1"})
