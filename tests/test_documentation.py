"""What the documents show is what the product does: their transcripts are run and compared."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[1]
TRANSCRIPT = re.compile(r"(<!-- checked -->\n```console\n)(.*?)(```)", re.DOTALL)
EXAMPLE = re.compile(r"<!-- any model -->\n```python\n(.*?)```", re.DOTALL)
PROMPT = "$ "
TOLD = ("statements.md", "corrections.md")  # after the README, in this order


def run(command: str, folder: Path) -> str:
    """Run one command line as a reader would, its two streams together."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }
    environment.pop("TANTIEME_HOME", None)
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    # The chain of transactions holds when each was recorded, so its head is never the same twice.
    untimed = re.sub(r"chain head [0-9a-f]{12}", "chain head …", done.stdout)
    return re.sub(r"closed at \S+", "closed at …", untimed)


def played(transcript: str, folder: Path) -> str:
    """Run a transcript's commands again and write down what they print."""
    commands = [line for line in transcript.splitlines() if line.startswith(PROMPT)]
    lines = []
    for line in commands:
        printed = run(line.removeprefix(PROMPT), folder)
        lines.append(line)
        lines += [each.rstrip() for each in printed.splitlines()]
    return "\n".join(lines) + "\n"


@pytest.mark.slow
def test_transcripts_are_what_the_commands_print(tmp_path: Path, update_golden: bool) -> None:
    """The documents are one story: what a later one shows happens after the ones before."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    stale = []
    for document in (ROOT / "README.md", *(ROOT / "docs" / name for name in TOLD)):
        text = document.read_text(encoding="utf-8")
        assert TRANSCRIPT.search(text), f"{document.name} shows no checked transcript"
        fresh = TRANSCRIPT.sub(lambda m: m[1] + played(m[2], tmp_path) + m[3], text)
        if update_golden:
            document.write_text(fresh, encoding="utf-8")
        stale += [(text, fresh)] if fresh != text else []

    assert not stale or update_golden


def commands() -> list[tuple[str, click.Command]]:
    from cli.main import COMMANDS, tantieme

    context = click.Context(tantieme)
    listed = []
    for name in COMMANDS:
        command = tantieme.get_command(context, name)
        assert command is not None
        listed.append((name, command))
        if isinstance(command, click.Group):
            listed += [(f"{name} {sub}", found) for sub, found in command.commands.items()]
    return listed


def test_every_command_has_help_with_an_example() -> None:
    bare = [
        name
        for name, command in commands()
        if not command.help
        or (not isinstance(command, click.Group) and "Example:" not in command.help)
    ]

    assert not bare


def test_every_command_has_a_place_in_the_documents() -> None:
    listed = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    missing = [name for name, _ in commands() if f"\ntantieme {name}" not in listed]

    assert not missing


def test_every_dependency_has_its_reason_in_the_readme() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [*project["dependencies"], *project["optional-dependencies"]["demo"]]
    names = {re.split(r"[\[<>=]", requirement)[0] for requirement in listed}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert {name for name in names if f"`{name}`" not in readme} == set()


def test_every_decision_names_what_was_rejected() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    bare = [each.name for each in records if "Rejected alternatives" not in each.read_text("utf-8")]

    assert records
    assert not bare


def test_the_glossary_has_one_line_for_each_word() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.split(" | ")[0] for line in glossary.splitlines() if line.startswith("| ")]
    words = [word for row in rows[1:] for word in row.removeprefix("| ").split(", ")]

    assert "idle" in words
    assert sorted(words) == sorted(set(words))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_the_example_for_any_model_runs_on_models_of_transformers(kind: str) -> None:
    import torch

    from tests.attribution.models import test_causal_lm as models

    (example,) = EXAMPLE.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--config", str(ROOT / "pyproject.toml"), "-"],
        input=example,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    torch.manual_seed(0)
    train = torch.randint(0, models.VOCABULARY, (20, 12))
    names = {"model": getattr(models, kind)().eval(), "train": train, "query": train[[7, 2]]}

    exec(example, names)

    assert formatted == example
    assert len(example.splitlines()) <= 10
    assert names["scores"].spread()[0].argmax(1).tolist() == [7, 2]
