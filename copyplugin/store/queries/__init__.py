"""Read models for pages and tools: selects in, frozen values out."""

from copyplugin.store.queries.facade import Queries

__all__ = ["Queries"]
