"""Public names come from the glossary: what a word is never called, nothing is called."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("royalty", "attribution", "db", "dashboard", "cli")
NEVER = {"song", "songs", "sample_id", "pot", "split_ppm", "percentage"}


def public_names() -> Iterator[tuple[Path, str]]:
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith(
                    "_"
                ):
                    yield path.relative_to(ROOT), node.name
                elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    yield path.relative_to(ROOT), node.target.id


def words(name: str) -> set[str]:
    return {name.lower(), *re.findall(r"[a-z]+", re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower())}


def test_no_public_name_uses_a_word_the_glossary_forbids() -> None:
    wrong = [f"{path}: {name}" for path, name in public_names() if words(name) & NEVER]

    assert not wrong


def test_amounts_shares_and_interests_carry_their_units_last() -> None:
    fields = {name for _, name in public_names()}
    bare = {name for name in fields if re.fullmatch(r"(share|interest|amount)_(low|high)", name)}

    assert not bare


def test_the_glossary_has_every_rule() -> None:
    from royalty.rules import RULES

    money = (ROOT / "docs" / "money.md").read_text(encoding="utf-8")

    assert all(f"`{rule}`" in money for rule in RULES)
