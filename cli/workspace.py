"""The workspace: one folder with everything, and its settings in `workspace.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from db.engine import Books, open_books, revision
from royalty.blend import is_blend, named
from royalty.catalogue import PPM
from royalty.errors import BadInput, NotReady, Problem
from royalty.rules import RULES

_CURRENCY = re.compile(r"([A-Z]{3})?")
SETTINGS = """\
# The settings of this workspace; every one of them has a part in what is paid.
rule = "{rule}"                # the rule by which `close` divides a month unless told otherwise
provider = ""                     # whose shares are used where several providers gave some
publishing_ppm = {publishing_ppm}           # of each recording's money, its work's publishing part

approval = false                  # true: a month is closed only once someone else approved it
currency = ""                     # of the books, where revenue comes in several; see `fx import`
pool_by_territory = true          # false: a source's money of all territories is one pool

# What part of a source's net revenue is divided, in parts per million. A source that is
# not named here takes the default.
[royalty_rate_ppm]
default = {royalty_rate_ppm}

# A source whose money is always divided by a rule of its own, whatever `rule` says.
[rule_of_source]
# licence = "training_fee"

# Options of rules; docs/rules.md lists them.
# [rules.pro_rata]
# minimum_plays = 1000
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `workspace.toml` says."""

    rule: str = "pro_rata"
    provider: str = ""
    publishing_ppm: int = 0
    pool_by_territory: bool = True
    approval: bool = False
    currency: str = ""
    royalty_rate_ppm: dict[str, int] = field(default_factory=lambda: {"default": PPM})
    rule_of_source: dict[str, str] = field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)

    def rate(self, source: str) -> int:
        """Return the part of a source's net revenue that is divided, in ppm."""
        return self.royalty_rate_ppm.get(source, self.royalty_rate_ppm["default"])

    @property
    def looks_back(self) -> bool:
        """Whether a rule has thresholds, which are tested on the months before, too."""
        return any(self.rules.get("pro_rata", {}).values())

    def options(self, rule: str) -> Any:  # noqa: ANN401 - each rule has its own
        """Return the options of a rule."""
        return RULES[rule].choose(self.rules.get(rule, {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Where everything lies. Opening it makes nothing; `tantieme init` does."""

    home: Path
    database: str | None = None

    @property
    def settings_file(self) -> Path:
        """The file with the settings; its presence is what makes a folder a workspace."""
        return self.home / "workspace.toml"

    def folder(self, name: str) -> Path:
        """One of the workspace's folders, made where it is missing."""
        path = self.home / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def settings(self) -> Settings:
        """Read the settings. Raises `NotReady` outside a workspace, `BadInput` on faults."""
        self._require()
        return read_settings(self.settings_file)

    def books(self) -> Books:
        """Open the books. Raises `NotReady` where `tantieme init` has not been run."""
        self._require()
        books = open_books(self.database, self.home)
        if revision(books) is None:
            raise NotReady(f"the books of {self.home} are not set up; run 'tantieme init'")
        return books

    def _require(self) -> None:
        if not self.settings_file.exists():
            raise NotReady(
                f"{self.home} is not a workspace; run 'tantieme --home {self.home} init' first, "
                "or name another with --home"
            )


def read_settings(path: Path) -> Settings:
    """Read `workspace.toml`, listing every fault in it."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInput([Problem(str(path), None, None, f"cannot be read: {error}")]) from None
    problems = [
        Problem(str(path), None, key, message) for key, message in _faults(document).items()
    ]
    if problems:
        raise BadInput(problems)
    own = {source: named(rule) for source, rule in document.get("rule_of_source", {}).items()}
    rule = named(document.get("rule", "pro_rata"))
    return Settings(**document | {"rule": rule, "rule_of_source": own})


def _faults(document: dict[str, Any]) -> dict[str, str]:
    known = Settings.__dataclass_fields__
    faults = {key: "is not a setting" for key in document if key not in known}
    try:
        named(str(document.get("rule", "pro_rata")))
    except ValueError as fault:
        faults["rule"] = str(fault)
    faults |= _simple_faults(document) | _rule_faults(document)
    rates = document.get("royalty_rate_ppm", {"default": PPM})
    if not isinstance(rates, dict) or "default" not in rates:
        faults["royalty_rate_ppm"] = "must be a table with a default"
    elif not all(map(_is_ppm, rates.values())):
        faults["royalty_rate_ppm"] = "must hold whole numbers from 0 to 1000000"
    return faults


def _simple_faults(document: dict[str, Any]) -> dict[str, str]:
    """Find what is wrong with settings that are one value each."""
    faults = {
        switch: "must be true or false"
        for switch in ("pool_by_territory", "approval")
        if not isinstance(document.get(switch, True), bool)
    }
    if not isinstance(document.get("provider", ""), str):
        faults["provider"] = "must be a name in quotes"
    if not _CURRENCY.fullmatch(str(document.get("currency", ""))):
        faults["currency"] = "must be three capital letters, such as EUR, or empty"
    if not _is_ppm(document.get("publishing_ppm", 0)):
        faults["publishing_ppm"] = "must be a whole number from 0 to 1000000"
    return faults


def _rule_faults(document: dict[str, Any]) -> dict[str, str]:
    """Find what is wrong with the rules of sources and the options of rules."""
    faults = {}
    of_source, options = document.get("rule_of_source", {}), document.get("rules", {})
    for key, value in (("rule_of_source", of_source), ("rules", options)):
        if not isinstance(value, dict):
            faults[key] = "must be a table"
    for source, rule in of_source.items() if isinstance(of_source, dict) else ():
        if fault := _own_fault(rule):
            faults[f"rule_of_source.{source}"] = fault
    for rule, chosen in options.items() if isinstance(options, dict) else ():
        try:
            if not isinstance(chosen, dict) or rule not in RULES:
                raise ValueError(f"must be a table of the options of one of {', '.join(RULES)}")  # noqa: TRY301
            RULES[rule].choose(chosen)
        except ValueError as fault:
            faults[f"rules.{rule}"] = str(fault)
    return faults


def _own_fault(rule: object) -> str:
    """Say what is wrong with the rule of a source; nothing where it is one."""
    if is_blend(str(rule)):
        return f"'{rule}' is a blend; a source is divided by one rule, {', '.join(RULES)}"
    try:
        named(str(rule))
    except ValueError as fault:
        return str(fault)
    return ""


def _is_ppm(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= PPM
