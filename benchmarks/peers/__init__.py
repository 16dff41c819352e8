"""Other people's engines on the same bank, as a careful user of their documentation runs them.

Each module here needs the `peers` extra and is imported only in the process that measures it. Where
a default makes a singular matrix, or is known to be poor, the set value is measured beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from benchmarks.bank import Bank
from benchmarks.measured import Scores

FINAL = (1.0,)
WINDOW = (0.3, 0.4, 0.5)  # the checkpoints that our default takes
SPREAD = (0.2, 0.4, 0.7, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One way to run a peer: which function of its module here, on which checkpoints."""

    package: str
    says: str  # one line for people
    function: str = "scores"
    fractions: tuple[float, ...] = FINAL  # of training
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, bank: Bank) -> Scores:
        """Run it in this process."""
        module = import_module(f"benchmarks.peers.{self.package}")
        found = getattr(module, self.function)(bank, bank.window(self.fractions), **self.settings)
        assert isinstance(found, Scores)
        return found


def _dattri(function: str, says: str, **settings: float) -> Peer:
    return Peer(package="dattri", function=function, says=says, settings=settings)


def _traker(says: str, **settings: float) -> Peer:
    return Peer(package="traker", says=says, settings=settings)


def _kronfluence(says: str, fractions: tuple[float, ...], **settings: float | None) -> Peer:
    return Peer(package="kronfluence", says=says, fractions=fractions, settings=settings)


PEERS: Mapping[str, Peer] = {
    "dattri-trak": _dattri("trak", "dattri 0.3.0 TRAK, k=512, defaults (λ=0)"),
    "dattri-trak-set": _dattri("trak", "dattri 0.3.0 TRAK, k=512, λ=1e-3", ridge=1e-3),
    "dattri-logra": _dattri("logra", "dattri 0.3.0 LoGra, k=64 x 64, defaults"),
    "dattri-logra-set": _dattri(
        "logra", "dattri 0.3.0 LoGra, k=64 x 64, λ=1 mean diagonal", damping=1.0
    ),
    "dattri-logra-small": _dattri(
        "logra", "dattri 0.3.0 LoGra, k=16 x 16, λ=0.1 mean diagonals", width=256, damping=0.1
    ),
    "traker": _traker("traker 0.3.2, k=2048, defaults (λ=0)"),
    "traker-set": _traker("traker 0.3.2, k=2048, λ=10 mean diagonals", ridge=10.0),
    "kronfluence": _kronfluence("kronfluence 1.0.1 EK-FAC, defaults", FINAL),
    "kronfluence-set": _kronfluence(
        "kronfluence 1.0.1 EK-FAC, its heuristic damping", FINAL, damping=None
    ),
    "kronfluence-looped": _kronfluence(
        "kronfluence 1.0.1 looped over 20, 40, 70, 100 % by its user", SPREAD
    ),
    "kronfluence-window": _kronfluence(
        "kronfluence 1.0.1 looped over 30, 40, 50 % by its user", WINDOW
    ),
}
_IMPORTED_AS = {"traker": "trak"}


def installed(peer: Peer) -> bool:
    """Say whether a peer's package is there, without importing it."""
    return find_spec(_IMPORTED_AS.get(peer.package, peer.package)) is not None
