"""Which sizes of face a picture is searched for, and in which order."""

CELL_PX = 12
"""Window of the first network, which moves by `STRIDE_PX`."""
STRIDE_PX = 2
FIRST_WINDOW_PX = 20.0
"""facenet-pytorch's smallest face: the windows of every picture stand on the same rungs, 20 px over
powers of the factor, so that a picture is seen as its own loop `MTCNN()(picture)` sees it."""
SMALL_LEVELS, MIDDLE_LEVELS = 2, 2


def window_groups(
    shorter_side_px: int, min_window_px: float, factor: float
) -> tuple[tuple[float, ...], ...]:
    """Return windows of faces in pixels: first all the large ones, then two and two smaller ones.

    Args:
        shorter_side_px: Of the picture; no window is larger, and none may fit.
        min_window_px: The smallest window is the next rung at or below it, and at least 12.
        factor: From one rung to the next smaller one, in (0, 1).
    """
    window = FIRST_WINDOW_PX
    while window > min_window_px and window * factor >= CELL_PX:
        window *= factor
    while window / factor <= min_window_px * (1 + 1e-9):
        window /= factor
    windows = []
    while window <= shorter_side_px:
        windows.append(window)
        window /= factor
    small, middle = windows[:SMALL_LEVELS], windows[SMALL_LEVELS : SMALL_LEVELS + MIDDLE_LEVELS]
    groups = (windows[SMALL_LEVELS + MIDDLE_LEVELS :], middle, small)
    return tuple(tuple(reversed(group)) for group in groups if group)


def level_size(width_px: int, height_px: int, window_px: float) -> tuple[int, int]:
    """Return width and height of a picture shrunk so that a face of `window_px` fills a cell."""
    scale = CELL_PX / window_px
    return int(width_px * scale + 1), int(height_px * scale + 1)
