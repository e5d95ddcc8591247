import pytest

from portrait_pipeline.demo.visitors import FullError, Places, visitor_at


@pytest.mark.parametrize(
    ("address", "visitor"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_who_a_visitor_is(address: str | None, visitor: str) -> None:
    """Addresses that one machine can take freely count as one visitor."""
    assert visitor_at(address) == visitor


@pytest.mark.parametrize(("total", "of_one"), [(4, 2), (10, 3), (3, 1)])
def test_one_visitor_cannot_take_all_places(total: int, of_one: int) -> None:
    """Whoever has a share is refused while others get in, until all places are taken."""
    places = Places(total, of_one)
    held = [places.taken_by("a") for _ in range(of_one)]
    for place in held:
        place.__enter__()
    with pytest.raises(FullError), places.taken_by("a"):
        pass
    others = [places.taken_by(f"b{n}") for n in range(total - of_one)]
    for place in others:
        place.__enter__()
    with pytest.raises(FullError), places.taken_by("c"):
        pass
    for place in [*held, *others]:
        place.__exit__(None, None, None)
    with places.taken_by("a"):
        pass


def test_a_place_is_given_back_after_a_fault() -> None:
    """An answer that fails does not keep its place."""
    places = Places(1, 1)
    with pytest.raises(RuntimeError), places.taken_by("a"):
        raise RuntimeError
    with places.taken_by("b"):
        pass
