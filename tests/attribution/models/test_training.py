from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from attribution.models.event_transformer import EventTransformerConfig
from attribution.models.training import RunRefused, TrainingOptions, load_run, train
from attribution.music.corpus import rows_of
from attribution.music.midi import Note, encode
from attribution.task import Rows

OPTIONS = TrainingOptions(
    model=EventTransformerConfig(width=16, layers=1, heads=2, span=24),
    epochs=5,
    batch=4,
    threads=1,
)


def rows() -> Rows:
    recordings = {
        f"r{n}": encode([Note(200 * i, 200, 60 + (i * n) % 12, 80) for i in range(30)])
        for n in range(1, 4)
    }
    return rows_of(recordings, span=24, spans_max=3)


def contents(directory: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in directory.iterdir() if p.name != "measured.json"}


def test_training_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        train(rows(), OPTIONS, tmp_path / name)

    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_another_seed_gives_another_run(tmp_path: Path) -> None:
    first = train(rows(), OPTIONS, tmp_path / "a")
    second = train(rows(), replace(OPTIONS, seed=1), tmp_path / "b")

    assert first.card["batch_order_sha256"] != second.card["batch_order_sha256"]
    assert first.checkpoints[-1].sha256 != second.checkpoints[-1].sha256


def test_training_learns(tmp_path: Path) -> None:
    losses = train(rows(), replace(OPTIONS, epochs=30), tmp_path / "a").card["losses"]

    assert losses[-1] < losses[0] / 2


def test_the_numbers_of_others_are_left_alone(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train(rows(), OPTIONS, tmp_path / "a").model()

    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_checkpoints_stand_at_the_fractions(tmp_path: Path) -> None:
    run = train(rows(), replace(OPTIONS, epochs=20), tmp_path / "a")
    steps = [kept["step"] for kept in run.card["checkpoints"]]

    assert run.fractions == (0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
    assert steps == [round(f * run.card["steps"]) for f in run.fractions]
    assert [c.name for c in run.checkpoints] == [f"step-{step:06d}" for step in steps]


def test_the_card_holds_the_run(tmp_path: Path) -> None:
    data = rows()
    card = train(data, OPTIONS, tmp_path / "a").card
    order = (tmp_path / "a" / "batch_order.npy").read_bytes()

    assert card["items"] == len(data)
    assert card["recordings"] == 3
    assert card["batch_order_sha256"] == hashlib.sha256(order).hexdigest()
    assert len(card["losses"]) == OPTIONS.epochs
    assert card["threads"] == 1
    assert "wall_seconds" not in json.dumps(card)
    assert json.loads((tmp_path / "a" / "measured.json").read_text())["wall_seconds"] > 0


def test_the_batch_order_reads_every_row_once_an_epoch(tmp_path: Path) -> None:
    train(rows(), OPTIONS, tmp_path / "a")
    order = np.load(tmp_path / "a" / "batch_order.npy")

    assert (np.sort(order, axis=1) == np.arange(len(rows()))).all()
    assert not (order[0] == order[1]).all()


def test_a_run_opens_again_with_its_weights(tmp_path: Path) -> None:
    run = train(rows(), OPTIONS, tmp_path / "a")
    again = load_run(tmp_path / "a")
    first, second = run.model(), again.model()

    assert not second.training
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_changed_weights_are_refused_by_name(tmp_path: Path) -> None:
    run = train(rows(), OPTIONS, tmp_path / "a")
    file = tmp_path / "a" / f"{run.checkpoints[0].name}.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")

    with pytest.raises(RunRefused, match=r"step-\d+\.safetensors is not the checkpoint"):
        run.checkpoints[0].load()


def test_an_interrupted_run_is_unfinished_and_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    def pull_the_plug(done: int, total: int, _loss: float) -> None:
        if done == total * 2 // 3:
            raise KeyboardInterrupt

    seen: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        train(rows(), OPTIONS, tmp_path / "a", pull_the_plug)
    with pytest.raises(RunRefused, match="unfinished; run 'tantieme train' again"):
        load_run(tmp_path / "a")
    train(rows(), OPTIONS, tmp_path / "a", lambda done, _total, _loss: seen.append(done))
    train(rows(), OPTIONS, tmp_path / "b")

    assert seen[0] > 1
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_an_interrupted_run_on_other_music_starts_afresh(tmp_path: Path) -> None:
    def pull_the_plug(done: int, total: int, _loss: float) -> None:
        if done == total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(rows(), OPTIONS, tmp_path / "a", pull_the_plug)
    fewer = rows().take(range(len(rows()) - 1))
    train(fewer, OPTIONS, tmp_path / "a")
    train(fewer, OPTIONS, tmp_path / "b")

    assert load_run(tmp_path / "a").card == load_run(tmp_path / "b").card


def test_a_finished_run_is_not_written_over(tmp_path: Path) -> None:
    train(rows(), OPTIONS, tmp_path / "a")

    with pytest.raises(RunRefused, match="holds a finished run"):
        train(rows(), OPTIONS, tmp_path / "a")


def test_nothing_to_train_on_and_no_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunRefused, match="nothing to train on"):
        train(rows_of({}, span=24), OPTIONS, tmp_path / "a")
    with pytest.raises(RunRefused, match="run 'tantieme train' first"):
        load_run(tmp_path / "absent")
