"""What both trees go through: the facts of one study and the account they keep."""

from __future__ import annotations

from dataclasses import dataclass, field

from hrm.catalog import Parameters
from hrm.metrics.chicago.facts import Clinical, Notes, Posture

_FRACTION = "tree.irp_borderline_fraction"


@dataclass
class Tree:
    """The facts of one study, and the account of how the tree went through them.

    Attributes
    ----------
    system : str
    primary : Posture
        Whose swallows make the percentages.
    other : Posture or None
        The other posture, if it has swallows and the version looks at it.
    clinical : Clinical
    parameters : Parameters
    notes : Notes
        Filled on the way.
    """

    system: str
    primary: Posture
    other: Posture | None
    clinical: Clinical
    parameters: Parameters
    notes: Notes = field(default_factory=Notes)

    @property
    def postures(self) -> tuple[Posture, ...]:
        """The postures that the version looks at, the primary one first."""
        return (self.primary,) if self.other is None else (self.primary, self.other)

    def raised_irp(self) -> bool:
        """Compare the primary posture's median IRP with its limit, and write it down."""
        return self.compare_irp(self.primary)

    def compare_irp(self, posture: Posture) -> bool:
        """Compare a median IRP with its limit, and write it down."""
        return posture.limit is not None and self.notes.check(
            f"median IRP, {posture.name}", posture.irp, posture.limit
        )

    def upper_normal(self, posture: Posture) -> bool:
        """Whether an IRP is in the upper part of normal; written down if so."""
        if posture.limit is None or posture.raised:
            return False
        least = self.parameters[_FRACTION] * posture.limit.value
        if not posture.irp >= least:
            return False
        self.notes.choose(
            f"median IRP, {posture.name}, upper end of normal", posture.irp, ">=", least, _FRACTION
        )
        return True
