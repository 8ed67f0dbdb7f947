"""Which rows of evidence are left out together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from reeuncert.case.records import Evidence
from reeuncert.errors import ReeUncertError

Folds = str | int | Mapping[str, object]
"""``"sources"`` (each lineage is left out in turn), a number of folds, or id of a row → fold."""


def fold_of_rows(rows: Sequence[Evidence], folds: Folds, seed: int = 1) -> list[object]:
    """The fold of every row of evidence.

    Raises
    ------
    ReeUncertError
        When there are fewer than two folds, more than rows, or a row has none.
    """
    if isinstance(folds, Mapping):
        missing = [row.id for row in rows if row.id not in folds]
        if missing:
            raise ReeUncertError(f"{len(missing)} rows of evidence have no fold: {', '.join(missing[:5])}")
        found = [folds[row.id] for row in rows]
    elif folds == "sources":
        found = [row.lineage for row in rows]
    elif isinstance(folds, int) and not isinstance(folds, bool) and 2 <= folds <= len(rows):
        # Rows of one lineage go round the folds, so that no fold takes a whole source away.
        shuffled = np.random.default_rng(seed).permutation(len(rows)).tolist()
        order = sorted(shuffled, key=lambda r: rows[r].lineage)
        found = [0] * len(rows)
        for position, row in enumerate(order):
            found[row] = position % folds
    else:
        raise ReeUncertError(
            f"folds is {folds!r}; give 'sources', a number from 2 to {len(rows)}, or a fold for the id of each row"
        )
    if len(set(found)) < 2:
        raise ReeUncertError("all rows are in one fold: nothing would be left to predict them from")
    return found
