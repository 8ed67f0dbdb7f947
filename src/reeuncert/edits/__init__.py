"""Kinds of change that a study can make in a case; to add one: a class, and its name in `EDITS`."""

from collections.abc import Mapping

from reeuncert.edits.base import Edit, Edited, EditError, Option
from reeuncert.edits.priors import IndependentYears, PriorMedian, PriorSpread, WithoutFlows
from reeuncert.edits.sources import Bias, LeaveOut, SourceWidth, Tails
from reeuncert.words.cells import unknown

_KINDS = (PriorMedian, PriorSpread, IndependentYears, SourceWidth, LeaveOut, Bias, Tails, Option, WithoutFlows)
EDITS: Mapping[str, type[Edit]] = {kind.kind: kind for kind in _KINDS}  # its word → what makes it


def edit_of(words: Mapping[str, object]) -> Edit:
    """A change from what a user wrote: its ``kind``, and the keys of that kind. Raises `EditError` when the kind or a
    key is not known, or a value cannot be used.

    >>> print(edit_of({"kind": "prior_spread", "group": "recoveries", "factor": 2}))
    spread of group 'recoveries' × 2
    """
    rest = dict(words)
    kind = rest.pop("kind", "")
    if not isinstance(kind, str) or kind not in EDITS:
        raise EditError([unknown(str(kind), list(EDITS), "kind of change")])
    return EDITS[kind].of(rest)


__all__ = ["EDITS", "Edit", "EditError", "Edited", "edit_of"]
