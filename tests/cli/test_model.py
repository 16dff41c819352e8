"""Checkpoints trained elsewhere, by code of elsewhere: imported, indexed, attributed with."""

import csv
import json
import random
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from attribution.music.midi import VOCABULARY_SIZE, Note, write_midi
from cli.workspace import Workspace
from tests.cli.conftest import EXAMPLE

pytestmark = pytest.mark.slow

CODE = f"""
import json, torch
from pathlib import Path
from safetensors.torch import load_file

class Elsewhere(torch.nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.table = torch.nn.Embedding({VOCABULARY_SIZE + 1}, width)
        self.head = torch.nn.Linear(width, {VOCABULARY_SIZE})

    def forward(self, tokens):
        begun = torch.nn.functional.pad(tokens[:, :-1], (1, 0), value={VOCABULARY_SIZE})
        return self.head(self.table(begun).tanh())

class Peeking(Elsewhere):
    def forward(self, tokens):
        return self.head(self.table(tokens))

def build(): return Elsewhere()
def peek(): return Peeking()
def wide(): return Elsewhere(16)
def number(): return 7

def load(folder):
    model = Elsewhere(json.loads((Path(folder) / "config.json").read_text())["width"])
    model.load_state_dict(load_file(Path(folder) / "model.safetensors"))
    return model
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere.py"
    path.write_text(CODE)
    return path


@pytest.fixture
def states(tmp_path: Path, code: Path) -> list[Path]:
    """One checkpoint as safetensors, a later one as a training script's pickled dictionary."""
    made = {}
    exec(code.read_text(), made)
    paths = [tmp_path / "early.safetensors", tmp_path / "late.pt"]
    torch.manual_seed(0)
    save_file(made["build"]().state_dict(), paths[0])
    torch.save({"step": 9, "state_dict": made["build"]().state_dict()}, paths[1])
    return paths


@pytest.fixture
def musical(tantieme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A workspace whose two recordings have music, and forty placebos."""
    from cli.jobs import attribution, catalogue

    for job in (attribution, catalogue):  # to hear them would take a synthesiser
        monkeypatch.setattr(job, "render_all", lambda *_, **__: {})
    tantieme("init")
    compose(tmp_path / "music", ["r1", "r2"], seed=0)
    ran = tantieme("catalogue", "import", tmp_path / "music")
    assert ran.code == 0, ran.err
    compose(tmp_path / "held-back", [f"p{i}" for i in range(40)], seed=1)
    catalogue.import_folder(
        Workspace(home=tmp_path / "home"),
        tmp_path / "held-back",
        placebo=True,
        report=lambda *_: None,
    )
    return tantieme


def compose(folder: Path, names: list[str], seed: int) -> None:
    """Write a catalogue folder in which every recording is a work of its own, made of chance."""
    shutil.copytree(EXAMPLE, folder)
    chance = random.Random(seed)
    header = (folder / "recordings.csv").read_text().splitlines()[0].split(",")
    with (folder / "recordings.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, header)
        table.writeheader()
        for name in names:
            notes = [Note(100 * i, 90, chance.randrange(40, 80), 80) for i in range(60)]
            write_midi(notes, folder / f"{name}.mid")
            work = {"artist": "ann", "work": f"work-{name}", "title": name}
            table.writerow({"id": name, "file": f"{name}.mid", **work})
    for other in ("interests.csv", "terms.csv"):
        (folder / other).unlink()


def card_of(home: Path) -> dict:
    (card,) = home.glob("runs/*/card.json")
    return json.loads(card.read_text())


def test_an_import_becomes_a_run_with_a_card(musical, tmp_path, code, states):
    ran = musical("model", "import", *states, "--code", f"{code}:build", "--span", 32, "--json")

    document, card = json.loads(ran.out), card_of(tmp_path / "home")
    assert ran.code == 0, ran.err
    assert document["written"]
    assert [each["fraction"] for each in document["checkpoints"]] == [0.5, 1.0]
    assert (card["kind"], card["fractions_from"]) == ("imported", "order")
    assert "not known" in card["replay"]
    assert "batch_order_sha256" not in card
    assert musical("verify").code == 0


def test_importing_again_changes_nothing_and_a_dry_run_writes_nothing(
    musical, tmp_path, code, states
):
    wanted = ("model", "import", *states, "--code", f"{code}:build")
    dry = musical(*wanted, "--dry-run")
    assert "nothing was written" in dry.err
    assert not list((tmp_path / "home").glob("runs/*"))

    first, again = musical(*wanted), musical(*wanted)

    assert (first.code, again.code) == (0, 0)
    assert "is already here" in again.err
    assert first.err.split()[1] == again.err.split()[1]


def test_index_and_attribute_work_on_an_imported_run(musical, tmp_path, code, states):
    run = ("model", "import", *states, "--code", f"{code}:build", "--span", 32)
    assert musical(*run, "--fraction", 0.4, "--fraction", 0.8).code == 0
    code.write_text("raise SystemExit('the file it was imported from is not needed any more')")

    built = musical("index", "build")
    ran = musical("attribute", tmp_path / "music" / "r1.mid", "--json")

    assert built.code == 0, built.err
    assert ran.code == 0, ran.err
    shares = {each["id"]: each["share_ppb"] for each in json.loads(ran.out)["recordings"]}
    assert sum(shares.values()) + json.loads(ran.out)["unattributed_ppb"] == 10**9


def test_a_folder_is_loaded_by_its_own_code(musical, tmp_path, code):
    made = {}
    exec(code.read_text(), made)
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "config.json").write_text('{"width": 16}')
    save_file(made["wide"]().state_dict(), folder / "model.safetensors")

    ran = musical("model", "import", folder, "--code", f"{code}:load")
    shutil.rmtree(folder)

    assert ran.code == 0, ran.err
    assert musical("index", "build").code == 0


def test_every_fault_is_listed_and_nothing_is_written(musical, tmp_path, code, states):
    broken, missing = tmp_path / "broken.pt", tmp_path / "missing.pt"
    torch.save({"model": print}, broken)
    other = tmp_path / "other.pt"
    torch.save({"table.weight": torch.zeros(3)}, other)

    ran = musical(
        *("model", "import", states[0], broken, missing, other, states[0]),
        *("--code", f"{code}:build", "--fraction", 0.7, "--fraction", 1.2),
    )

    assert ran.code == 4
    assert "6 faults; nothing was changed" in ran.err
    for words in (
        "--fraction: 1.2 is not above 0",
        "--fraction: 2 are given for 5",
        "broken.pt: it cannot be opened",
        "missing.pt: it is not there",
        "other.pt: it cannot be opened",
        "early.safetensors again",
    ):
        assert words in ran.err
    assert not list((tmp_path / "home").glob("runs/*"))


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("absent", "it cannot be imported"),
        ("number", "returned a int, not a model"),
        ("wide", "it cannot be opened"),
        ("peek", "must have seen tokens[:, :i] only"),
    ],
)
def test_code_that_does_not_do_is_refused(musical, code, states, function, says):
    ran = musical("model", "import", states[0], "--code", f"{code}:{function}")

    assert ran.code == 4
    assert says in ran.err


def test_a_checkpoint_that_was_changed_after_the_import_is_refused(musical, tmp_path, code, states):
    musical("model", "import", *states, "--code", f"{code}:build")
    (kept,) = (tmp_path / "home").glob("runs/*/source-00/early.safetensors")
    kept.write_bytes(kept.read_bytes() + b" ")

    ran = musical("index", "build")

    assert ran.code == 3
    assert "is not what its card names" in ran.err
