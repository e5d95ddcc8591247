"""The page's choice of models where there is one: that of the package, or of a folder."""

from pathlib import Path

from portrait_pipeline.portrayal.portrayer import PortraitModel
from portrait_pipeline.portrayal.shipped import read_shipped


class ShippedShelf:
    """A shelf with one model.

    Args:
        folder: Where it is; by default the one that comes with the package.

    Raises:
        ShippedModelError: if it is missing, damaged or of another version.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._shipped = read_shipped(folder)
        self._opened = self._shipped.open()

    def names(self) -> list[tuple[str, str]]:
        """Return the title and the name of the model."""
        return [(self._shipped.card.title, self._shipped.card.name)]

    def load(self, name: str) -> PortraitModel:
        """Return the model, whatever name is asked for."""
        del name
        return self._opened
