"""Which addresses of others are called at all."""

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_credits.core.addresses import NotCalled, is_public, read_address

PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("number", PRIVATE)
def test_what_is_not_public_is_not_called(number: str) -> None:
    assert not is_public(ip_address(number))
    host = f"[{number}]" if ":" in number else number
    with pytest.raises(NotCalled):
        read_address(f"https://{host}/hooks")


@pytest.mark.parametrize("number", ["1.1.1.1", "8.8.8.8", "223.5.5.5", "2400:3200::1", "2606:4700::1111"])
def test_what_is_public_is(number: str) -> None:
    assert is_public(ip_address(number))
    host = f"[{number}]" if ":" in number else number
    assert str(read_address(f"https://{host}:8443/").number) == number


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://shop.example.com/", "scheme_not_called"),
        ("file:///etc/passwd", "scheme_not_called"),
        ("gopher://shop.example.com/", "scheme_not_called"),
        ("https://shop.example.com:22/", "port_not_called"),
        ("https://shop.example.com:8080/", "port_not_called"),
        ("https://shop.example.com:/", "address_malformed"),
        ("https://shop.example.com:99999/", "address_malformed"),
        ("https://u:p@shop.example.com/", "address_malformed"),
        ("https://127.0.0.1@shop.example.com/", "address_malformed"),
        ("https://shop.example.com/#part", "address_malformed"),
        ("https://shop.example.com\\@127.0.0.1/", "address_malformed"),
        ("https://shop.example.com/\r\nX: 1", "address_malformed"),
        ("https://shop.example.com/ a", "address_malformed"),
        ("https:///hooks", "address_malformed"),
        ("https://商店.example.com/", "address_malformed"),
        ("https://[::1", "address_malformed"),
        ("https://[v1.x]/", "address_malformed"),
        ("https://" + "a" * 500 + ".example.com/", "address_malformed"),
        # a name server, a library or a kernel may take each of these for 127.0.0.1
        ("https://2130706433/", "host_malformed"),
        ("https://0x7f000001/", "host_malformed"),
        ("https://0x7f.0.0.1/", "host_malformed"),
        ("https://0177.0.0.1/", "host_malformed"),
        ("https://127.1/", "host_malformed"),
        ("https://127.0.0.1./", "host_malformed"),
        ("https://127.0.0.01/", "host_malformed"),
        ("https://%31%32%37.0.0.1/", "host_malformed"),
        ("https://localhost/", "host_malformed"),
        ("https://shop.example.com./", "host_malformed"),
        ("https://-shop.example.com/", "host_malformed"),
        ("https://shop_1.example.com/", "host_malformed"),
        ("https://a.localhost/", "address_not_public"),
        ("https://db.internal/", "address_not_public"),
    ],
)
def test_other_schemes_ports_and_spellings_are_refused(url: str, reason: str) -> None:
    with pytest.raises(NotCalled) as refusal:
        read_address(url)
    assert refusal.value.reason == reason


def test_an_address_is_read_into_its_parts() -> None:
    read = read_address("https://Shop.Example.com:8443/hooks/carbon?x=1&y=2")
    assert (read.host, read.port, read.target) == ("shop.example.com", 8443, "/hooks/carbon?x=1&y=2")
    assert read.authority == "shop.example.com:8443"
    assert read_address("https://shop.example.com").authority == "shop.example.com"


@given(st.text(max_size=60), st.sampled_from(["https://", "https:", "", "//", "https://127.0.0.1"]))
@settings(max_examples=300, deadline=None)
def test_whatever_is_typed_is_read_or_refused(rest: str, start: str) -> None:
    try:
        read = read_address(start + rest)
    except NotCalled:
        return
    assert read.scheme == "https"
    assert read.port in {443, 8443}
    assert read.number is None or is_public(read.number)
