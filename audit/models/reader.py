"""What is read of the rows of a masked model: each row is run once, packed where the network packs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from audit.models.budget import Budget
from audit.models.network import Network
from audit.models.packing import Packer, cut_packed
from audit.models.reading import Best, Read, Readings, Row, cut_alike, take


class Reader:
    """Runs rows and reads them at the places that are wanted.

    Parameters
    ----------
    network : Network
        Of a masked language model.
    mask : int
        Its mask token.
    budget : Budget
        Most tokens of one pass.
    """

    def __init__(self, network: Network, mask: int, budget: Budget) -> None:
        self._network = network
        self._budget = budget
        self._packer = Packer(network, "states", mask)

    def read(self, reads: Iterable[Read | Best]) -> Readings:
        """Run the rows that are needed and read everything that is wanted.

        Rows lie side by side where the network packs; else they are run in batches of one length.

        Returns
        -------
        Readings
            Natural logarithms: logits in float32, their difference to the log-sum-exp in float64.
        """
        wanted: dict[Row, list[Read | Best]] = {}
        for item in reads:
            wanted.setdefault(item.row, []).append(item)
        work = _Work(self._network, self._packer, wanted)
        # Neighbours of one length, of which equally much is wanted, are one block of attention.
        rows = sorted(wanted, key=lambda row: (-len(row), len(wanted[row]), row))
        packed = [row for row in rows if self._packer.takes(row)]
        with torch.inference_mode():
            self._budget.spend(packed, work.cut_packed, work.run_packed)
            if len(packed) < len(rows):
                others = [row for row in rows if not self._packer.takes(row)]
                self._budget.spend(others, work.cut_alike, work.run_alike)
        return work.found


class _Work:
    """What is wanted of some rows, and what was found of it."""

    def __init__(self, network: Network, packer: Packer, wanted: dict[Row, list[Read | Best]]) -> None:
        self._network = network
        self._packer = packer
        self._wanted = wanted
        self.found = Readings()

    def cut_packed(self, rows: Sequence[Row], start: int, tokens: int) -> int:
        return cut_packed(rows, start, self._network.fitting(tokens))

    def cut_alike(self, rows: Sequence[Row], start: int, tokens: int) -> int:
        return cut_alike(rows, start, self._network.fitting(tokens))

    def run_packed(self, rows: Sequence[Row]) -> None:
        wanted = [self._places(row) for row in rows]
        states = self._packer.run(rows, [list(places) for places in wanted])
        items = [items for places in wanted for items in places.values()]
        take(self._network, states, items, self.found)

    def run_alike(self, rows: Sequence[Row]) -> None:
        """Rows of one length."""
        wanted = [self._places(row) for row in rows]
        states = self._network.states(torch.tensor(rows, device=self._network.device))
        index = torch.tensor([(i, position) for i, places in enumerate(wanted) for position in places])
        items = [items for places in wanted for items in places.values()]
        take(self._network, states[index[:, 0], index[:, 1]], items, self.found)

    def _places(self, row: Row) -> dict[int, list[Read | Best]]:
        """What is wanted of a row, by position."""
        places: dict[int, list[Read | Best]] = {}
        for item in sorted(dict.fromkeys(self._wanted[row]), key=lambda item: item.position):
            places.setdefault(item.position, []).append(item)
        return places
