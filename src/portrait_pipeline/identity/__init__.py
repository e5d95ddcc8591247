"""Who is pictured: face embedders behind one interface."""

from portrait_pipeline.identity.embedder import Embedder
from portrait_pipeline.identity.loading import load_embedder

__all__ = ["Embedder", "load_embedder"]
