"""Pieces that several ideas share are made once, and billed to every idea that uses them.

So an idea's seconds are what it would take alone, and all ideas together take far less.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from benchmarks.bank import Bank

Key = tuple[object, ...]
T = TypeVar("T")
_LARGE = 5  # rows in memory at once; those used least recently are made again when needed


@dataclass(slots=True)
class _Bill:
    """CPU seconds of something itself, and the pieces it used beside."""

    seconds: float = 0.0
    used: set[Key] = field(default_factory=set)


@dataclass(slots=True)
class Workshop:
    """A bank, and what was already made of it."""

    bank: Bank
    _made: dict[Key, Any] = field(default_factory=dict)
    _large: list[Key] = field(default_factory=list)  # the least recently used first
    _bills: dict[Key, _Bill] = field(default_factory=dict)
    _open: list[_Bill] = field(default_factory=list)  # the innermost last; its clock runs
    _since: float = 0.0

    def piece(self, key: Key, make: Callable[[], T], *, large: bool = False) -> T:
        """Return what this key names; it is made when first asked for."""
        if self._open:
            self._open[-1].used.add(key)
        if key not in self._made:
            with self._billed() as bill:
                self._made[key] = make()
            self._bills[key] = bill
        if large:
            self._large = [*(k for k in self._large if k != key), key]
            for old in self._large[:-_LARGE]:
                del self._made[old]
            self._large = self._large[-_LARGE:]
        found: T = self._made[key]
        return found

    def measured(self, make: Callable[[], T]) -> tuple[T, float]:
        """Return what is made, and the CPU seconds it would take with nothing made before."""
        with self._billed() as bill:
            found = make()
        used, new = set[Key](), set(bill.used)
        while new:
            used |= new
            new = {key for each in new for key in self._bills[each].used} - used
        return found, bill.seconds + sum(self._bills[key].seconds for key in used)

    @contextmanager
    def _billed(self) -> Iterator[_Bill]:
        """Let a new bill's clock run, and the one around it stand still."""
        self._tick()
        self._open.append(_Bill())
        try:
            yield self._open[-1]
        finally:
            self._tick()
            self._open.pop()

    def _tick(self) -> None:
        now = time.process_time()
        if self._open:
            self._open[-1].seconds += now - self._since
        self._since = now
