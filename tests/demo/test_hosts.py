import socket

import pytest

from portrait_pipeline.demo.hosts import HostNames, is_same_origin

FOREIGN = [
    "evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1@evil.example",
    "localhost.evil.example",
    "evil.example:7860",
    "",
    ":7860",
    "[::1",
    "a b",
    "localhost/",
    "localhost:port",
    "[::::]",
    "[127.0.0.1]",
    "[1.2]:80",
]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "::", "192.0.2.7"])
@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_names_are_not_answered(host: str, name: str) -> None:
    """Wherever the page listens, a name that could be a stranger's is refused."""
    assert not HostNames(host).accept(name)


@pytest.mark.parametrize("name", ["127.0.0.1:7860", "localhost", "LOCALHOST:7860", "[::1]:7860"])
def test_this_machine_is_answered(name: str) -> None:
    """The loopback address has three names."""
    assert HostNames("127.0.0.1").accept(name)


@pytest.mark.parametrize("name", ["192.0.2.7:7860", "10.1.2.3", "[2001:db8::1]:80"])
def test_an_address_is_answered_where_others_may_come_in(name: str) -> None:
    """A bare address cannot be forged by a name server; on the loopback address nobody uses one."""
    assert HostNames("0.0.0.0").accept(name)
    assert HostNames("::").accept(name)
    assert not HostNames("127.0.0.1").accept(name)


def test_this_machines_own_name_is_answered_where_others_may_come_in() -> None:
    """The machine's own name leads to the page without a further option."""
    assert HostNames("0.0.0.0").accept(f"{socket.gethostname()}:7860")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_further_names_are_an_option(host: str) -> None:
    """Behind a proxy or a name server the page has names that it cannot know."""
    names = HostNames(host, ["Portraits.example.org"])
    assert names.accept("portraits.example.org")
    assert names.accept("portraits.example.org.:443")
    assert not names.accept("other.example.org")


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:7860", True),
        ("https://localhost:7860", True),
        ("HTTP://localhost:7860", False),
        ("http://localhost:8888", False),
        ("http://localhost", False),
        ("http://evil.example", False),
        ("http://localhost:7860.evil.example", False),
        ("null", False),
        ("", False),
        ("chrome-extension://localhost:7860", False),
    ],
)
def test_origins(origin: str, expected: bool) -> None:
    """Another port is another site; so is a page without an address."""
    assert is_same_origin(origin, "localhost:7860") is expected
