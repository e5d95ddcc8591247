"""The image pool, by counting."""

import torch

from portrait_pipeline.cyclegan.image_pool import ImagePool


def _pool(size: int, seed: int = 0) -> ImagePool:
    return ImagePool(size, torch.Generator().manual_seed(seed))


def _fake(value: float) -> torch.Tensor:
    return torch.full((1, 3, 2, 2), value)


def test_it_returns_new_fakes_until_it_is_full():
    """Law: the first `size` fakes come back as they are and are kept."""
    pool = _pool(5)
    for value in range(5):
        assert torch.equal(pool.query(_fake(value)), _fake(value))
    assert [int(image[0, 0, 0]) for image in pool.images] == [0, 1, 2, 3, 4]


def test_kept_fakes_are_drawn_evenly_and_stay():
    """Law: slots that hold something, each alike (4 standard deviations); none costs nothing."""
    pool = _pool(5)
    for value in range(3):
        pool.query(_fake(value))
    before = pool.generator.get_state()
    assert len(pool.draw_kept(0)) == 0
    assert torch.equal(pool.generator.get_state(), before)
    slots = pool.draw_kept(3_000)
    assert all(abs(int((slots == slot).sum()) - 1_000) < 4 * 26 for slot in range(3))
    assert torch.equal(pool.kept(slots[:9])[:, 0, 0, 0], slots[:9].float())
    assert len(pool.images) == 3


def test_every_slot_is_drawn_alike_and_half_of_the_fakes_are_old():
    """Law: old at probability ½, every one of the 50 slots evenly (4 standard deviations)."""
    size, queries = 50, 8_000
    pool = _pool(size)
    slot_of = {}
    for value in range(size):
        pool.query(_fake(value))
        slot_of[value] = value
    drawn, old = [0] * size, 0
    for value in range(size, size + queries):
        answer = int(pool.query(_fake(value))[0, 0, 0, 0])
        if answer != value:
            old += 1
            slot = slot_of.pop(answer)
            drawn[slot] += 1
            slot_of[value] = slot
            assert int(pool.images[slot][0, 0, 0]) == value
    assert abs(old - queries / 2) < 4 * (queries / 4) ** 0.5
    expected = old / size
    assert min(drawn) > expected - 4 * expected**0.5
    assert max(drawn) < expected + 4 * expected**0.5


def test_size_0_keeps_nothing():
    """Law: without a pool the discriminator sees the newest fakes alone."""
    pool = _pool(0)
    assert all(torch.equal(pool.query(_fake(v)), _fake(v)) for v in range(20))
    assert pool.images == []


def test_it_keeps_no_graph_and_no_reference():
    """Law: what it keeps is detached and does not change when the fake does."""
    pool, weight = _pool(2), torch.ones(1, requires_grad=True)
    fake = _fake(1.0) * weight
    assert not pool.query(fake).requires_grad
    with torch.no_grad():
        fake.zero_()
    assert not pool.images[0].requires_grad
    assert pool.images[0].max() == 1.0


def test_each_picture_of_a_batch_is_exchanged_by_itself():
    """Law: a batch is as many queries as it has pictures."""
    one, other = _pool(3), _pool(3)
    fakes = torch.arange(12.0).reshape(12, 1, 1, 1).expand(12, 3, 2, 2)
    together = torch.cat([one.query(fakes[:6]), one.query(fakes[6:])])
    alone = torch.cat([other.query(fakes[i : i + 1]) for i in range(12)])
    assert torch.equal(together, alone)


def test_its_state_goes_on_where_it_was_taken():
    """Law: a restored pool answers as the one it was taken from."""
    pool = _pool(4)
    for value in range(9):
        pool.query(_fake(value))
    state = {key: part.clone() for key, part in pool.state_dict().items()}
    twin = _pool(4, seed=99)
    twin.load_state_dict(state, torch.device("cpu"))
    for value in range(9, 40):
        assert torch.equal(pool.query(_fake(value)), twin.query(_fake(value)))
    empty = _pool(4)
    empty.load_state_dict(_pool(4).state_dict(), torch.device("cpu"))
    assert empty.images == []
