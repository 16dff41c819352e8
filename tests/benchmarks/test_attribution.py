import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import attribution
from benchmarks.attribution import main
from benchmarks.measured import STAGES, Scores, save
from benchmarks.one import measure_apart
from benchmarks.ours import OURS
from benchmarks.peers import PEERS, installed
from tests.benchmarks.tiny_bank import ITEMS, QUERIES


def measured(name: str, _bank: Path, out: Path) -> str | None:
    """Stand in for a process: everybody finds something but one peer."""
    if name == "dattri-trak":
        return "LinAlgError: the matrix is singular"
    train = np.random.default_rng(len(name)).normal(size=(QUERIES, ITEMS)).astype(np.float32)
    seconds = dict.fromkeys(STAGES, 1.0)
    save(Scores(train=train, seconds=seconds, stored=8, checkpoints=1), 0.01, out, name)
    return None


def test_a_run_leaves_matrices_document_tables_and_picture(
    bank_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attribution, "measure_apart", measured)
    out, results = tmp_path / "out", tmp_path / "results"
    words = ["--only", "compressed", "--only", "dattri-trak"]
    words += ["--bank", str(bank_directory), "--out", str(out), "--results", str(results)]

    ran = CliRunner().invoke(main, words)

    assert ran.exit_code == 0, ran.output
    assert np.load(out / "compressed.npy").shape == (QUERIES, ITEMS)
    found = json.loads((results / "attribution.json").read_text())
    assert [method["name"] for method in found["methods"]] == ["compressed", "dattri-trak"]
    assert "the matrix is singular" in (results / "attribution.md").read_text()
    assert (results / "attribution.svg").read_text().startswith("<svg")


def test_measuring_one_again_leaves_the_others_and_another_bank_leaves_none(
    bank_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attribution, "measure_apart", measured)
    where = ["--bank", str(bank_directory), "--results", str(tmp_path)]
    names = lambda: [m["name"] for m in json.loads(path.read_text())["methods"]]  # noqa: E731
    path = tmp_path / "attribution.json"

    for name in ("traker", "compressed", "traker"):
        assert CliRunner().invoke(main, [*where, "--only", name]).exit_code == 0
    both = names()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"train": 7}))
    CliRunner().invoke(main, [*where, "--only", "exact"])

    assert both == ["compressed", "traker"]
    assert names() == ["exact"]


def test_an_unknown_method_is_refused_by_name(bank_directory: Path) -> None:
    ran = CliRunner().invoke(main, ["--bank", str(bank_directory), "--only", "magic"])

    assert ran.exit_code != 0
    assert "no method 'magic'; there are compressed" in ran.output


def test_a_directory_that_is_no_bank_is_refused(tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["--bank", str(tmp_path), "--only", "compressed"])

    assert ran.exit_code != 0
    assert "has no public.npz" in ran.output


def test_a_method_that_fails_in_its_process_says_why(bank_directory: Path, tmp_path: Path) -> None:
    fault = measure_apart("magic", bank_directory, tmp_path)

    assert fault is not None
    assert "magic" in fault


@pytest.mark.parametrize("name", OURS)
def test_ours_score_every_pair_and_say_what_it_took(name: str, bank_directory: Path) -> None:
    from benchmarks.bank import read_bank

    found = OURS[name](read_bank(bank_directory))

    assert found.train.shape == (QUERIES, ITEMS)
    assert found.train.dtype == np.float32
    assert np.isfinite(found.train).all()
    assert found.stored > 0
    assert found.up_to_scores > 0


@pytest.mark.slow
@pytest.mark.parametrize("package", sorted({peer.package for peer in PEERS.values()}))
def test_a_peer_scores_a_tiny_bank(package: str, bank_directory: Path, tmp_path: Path) -> None:
    name = next(n for n, peer in PEERS.items() if peer.package == package)
    if not installed(PEERS[name]):
        pytest.skip("the extra `peers` is not installed")

    fault = measure_apart(name, bank_directory, tmp_path)

    assert fault is None
    assert np.load(tmp_path / f"{name}.npy").shape == (QUERIES, ITEMS)
