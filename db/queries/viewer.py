"""Who looks. Every query takes a viewer first and leaves out what that viewer may not see."""

from __future__ import annotations

from dataclasses import dataclass

from royalty.errors import NotFound


@dataclass(frozen=True, slots=True)
class Viewer:
    """Someone who reads the books: all of them, or only the money of some parties.

    A payee or a manager sees some parties, an accountant all, an auditor all and listeners too.
    """

    name: str
    parties: frozenset[str] | None  # None: sees all
    listeners: bool = False  # whether what single listeners did may be shown, under pseudonyms

    def sees(self, party: str) -> bool:
        """Whether this party's money may be shown."""
        return self.parties is None or party in self.parties

    @property
    def sees_all(self) -> bool:
        """Whether everybody's money may be shown."""
        return self.parties is None

    def require(self, party: str) -> None:
        """Refuse what may not be shown, in the words in which one refuses what is not there."""
        if not self.sees(party):
            raise NotFound(f"there is no payee '{party}' that {self.name} may see")

    def require_all(self, what: str) -> None:
        """Refuse what only those may see who see everything."""
        if not self.sees_all:
            raise NotFound(f"{what} is shown to auditors only, and not to {self.name}")

    def require_listeners(self, what: str) -> None:
        """Refuse what only those may see who see what single listeners did."""
        if not self.listeners:
            raise NotFound(f"{what} is shown to auditors only, and not to {self.name}")


EVERYONE = Viewer("auditor", None, listeners=True)
