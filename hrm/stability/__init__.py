"""Whether a diagnosis holds when what it rests on is a little off."""

from hrm.stability.study import diagnosis_stability, with_stability

__all__ = ["diagnosis_stability", "with_stability"]
