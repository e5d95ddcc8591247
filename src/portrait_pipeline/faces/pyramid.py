"""Which sizes of face are looked for, in which order; needs no PyTorch."""

CELL_PX = 12
"""Window of the first network, which moves by `STRIDE_PX`."""
STRIDE_PX = 2
FIRST_WINDOW_PX = 20.0
"""facenet-pytorch's smallest face: every pyramid stands on the same rungs, 20 px over powers of the
factor, so that a picture is seen as its own loop `MTCNN()(picture)` sees it."""
LEVELS_PER_PART = (2, 2)


def parts_of_pyramid(longest_px: int, min_window_px: float, factor: float) -> list[list[float]]:
    """Return windows of faces in pixels: first all the large ones, then two and two smaller ones.

    Args:
        longest_px: No window is larger.
        min_window_px: The smallest window is the next rung at or below it, and at least 12.
        factor: From one rung to the next smaller one, in (0, 1).
    """
    window = FIRST_WINDOW_PX
    while window > min_window_px and window * factor >= CELL_PX:
        window *= factor
    while window / factor <= min_window_px * (1 + 1e-9):
        window /= factor
    windows = [window]
    while windows[-1] / factor <= longest_px:
        windows.append(windows[-1] / factor)
    small, middle = LEVELS_PER_PART
    parts = [windows[small + middle :], windows[small : small + middle], windows[:small]]
    return [part[::-1] for part in parts if part]


def level_size(width_px: int, height_px: int, window_px: float) -> tuple[int, int]:
    """Return width and height of a picture shrunk so that a face of `window_px` fills a cell."""
    scale = CELL_PX / window_px
    return int(width_px * scale + 1), int(height_px * scale + 1)
