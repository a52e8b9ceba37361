"""One recording from pressure to results."""

from hrm.pipeline.run import analyze

__all__ = ["analyze"]
