import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from benchmarks.bank import CELLS, UnreadableBank, ceilings, cells, read_bank
from tests.benchmarks.tiny_bank import EPOCHS, ITEMS, PLACES, QUERIES, SUBSETS


def without(bank: Path, directory: Path, *left_out: str, **added: np.ndarray) -> Path:
    shutil.copytree(bank, directory, dirs_exist_ok=True)
    arrays = dict(np.load(bank / "public.npz")) | added
    kept = {k: v for k, v in arrays.items() if not any(k.startswith(name) for name in left_out)}
    np.savez(directory / "public.npz", **kept)
    return directory


def test_a_bank_is_read_as_it_was_written(bank_directory: Path) -> None:
    bank = read_bank(bank_directory)

    assert (len(bank.train), len(bank.query)) == (ITEMS, QUERIES)
    assert bank.artists[:4] == ("Ada", "Ben", "Cleo", "Ada")
    assert bank.train.owners[:3] == ("0", "0", "1")
    assert bank.runs == ("s0", "s1")
    assert bank.epochs("s0") == EPOCHS
    assert bank.generated.tolist() == [True, True, False, False, False]


def test_a_checkpoint_holds_its_own_weights_in_eval_mode(bank_directory: Path) -> None:
    bank = read_bank(bank_directory)
    kept = np.load(bank_directory / "checkpoints.npz")
    checkpoint = bank.checkpoints["s1", 4]
    model = checkpoint.load()

    assert not model.training
    assert np.array_equal(model.state_dict()["hidden.weight"], kept["s1.ep4.hidden.weight"])
    assert checkpoint.learning_rate == pytest.approx(0.1 / 4)
    assert checkpoint.run == "s1"


def test_every_checkpoint_has_a_hash_of_its_own(bank_directory: Path) -> None:
    hashes = {checkpoint.sha256 for checkpoint in read_bank(bank_directory).checkpoints.values()}

    assert len(hashes) == 2 * len(EPOCHS)


def test_a_window_takes_the_nearest_checkpoints_of_one_run(bank_directory: Path) -> None:
    bank = read_bank(bank_directory)

    assert [c.name for c in bank.window((0.3, 0.4, 0.5))] == ["s0.ep3", "s0.ep4", "s0.ep5"]
    assert [c.name for c in bank.window((1.0,), "s1")] == ["s1.ep10"]


def test_the_loss_is_summed_over_an_example_s_tokens(bank_directory: Path) -> None:
    bank = read_bank(bank_directory)
    model = bank.checkpoints["s0", 10].load()
    batch = next(bank.train.batches(3))
    tokens = batch["tokens"]
    likelihood = model(bank.inputs(tokens)).log_softmax(-1)
    by_hand = [-sum(likelihood[i, t, tokens[i, t]] for t in range(PLACES)) for i in range(3)]

    loss = bank.task.loss(model, batch)

    assert torch.allclose(loss, torch.stack(by_hand))
    assert torch.equal(bank.task.measurement(model, batch), -loss)
    assert torch.allclose(bank.task.probability(model, batch), (-loss / PLACES).exp())


def test_masked_tokens_weigh_nothing(bank_directory: Path, tmp_path: Path) -> None:
    mask = np.ones((ITEMS, PLACES), bool)
    mask[0, 3:] = False
    whole = read_bank(bank_directory)
    bank = read_bank(without(bank_directory, tmp_path, train_mask=mask))
    model = bank.checkpoints["s0", 10].load()
    first = {name: tensor[:1] for name, tensor in bank.train.tensors.items()}
    short = {name: tensor[:1, :3] for name, tensor in whole.train.tensors.items()}

    assert torch.allclose(bank.task.loss(model, first), whole.task.loss(model, short))
    assert torch.allclose(bank.task.probability(model, first), whole.task.probability(model, short))


def test_sampled_labels_come_from_the_model_and_its_generator(bank_directory: Path) -> None:
    bank = read_bank(bank_directory)
    model = bank.checkpoints["s0", 10].load()
    model.head.weight.data.zero_()  # every token as likely: any label costs the same
    batch = next(bank.train.batches(3))
    even = bank.task.sampled(model, batch, torch.Generator().manual_seed(1))
    model = bank.checkpoints["s0", 10].load()
    draws = [
        bank.task.sampled(model, batch, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    ]

    assert torch.allclose(even, torch.full((3,), PLACES * float(np.log(11))))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_lds_is_spearman_of_summed_scores_and_minus_the_mean_loss(bank_directory: Path) -> None:
    bank = read_bank(bank_directory)
    scores = np.random.default_rng(3).normal(size=(QUERIES, ITEMS))
    public = np.load(bank_directory / "public.npz")
    masks = np.unpackbits(public["val_item_masks"], axis=1)[:, :ITEMS]
    truth = -public["val_item_query_loss"].astype(float).mean(1)
    predicted = masks @ scores.T
    by_hand = [spearmanr(predicted[:, q], truth[:, q]).statistic for q in range(QUERIES)]

    found = cells(scores, bank)

    assert found["item, generated"].value == pytest.approx(np.mean(by_hand[:2]))
    assert found["item, held-out"].value == pytest.approx(np.mean(by_hand[2:]))
    assert tuple(found) == CELLS


def test_the_two_halves_share_no_subset(bank_directory: Path) -> None:
    bank = read_bank(bank_directory)
    scores = np.random.default_rng(3).normal(size=(QUERIES, ITEMS))
    public = np.load(bank_directory / "public.npz")
    masks = np.unpackbits(public["val_item_masks"], axis=1)[:, :ITEMS]
    truth = -public["val_item_query_loss"].astype(float).mean(1)

    for half, kept in (("chosen", slice(0, None, 2)), ("reported", slice(1, None, 2))):
        predicted = masks[kept] @ scores.T
        by_hand = [spearmanr(predicted[:, q], truth[kept, q]).statistic for q in range(2)]
        value = cells(scores, bank, half)["item, generated"].value

        assert value == pytest.approx(np.mean(by_hand))
        assert len(predicted) == SUBSETS // 2


def test_a_bank_without_truth_is_read_and_judges_nothing(
    bank_directory: Path, tmp_path: Path
) -> None:
    bank = read_bank(without(bank_directory, tmp_path, "val_"))

    assert bank.truth == {}
    assert cells(np.zeros((QUERIES, ITEMS)), bank) == {}
    assert ceilings(bank) == {}


@pytest.mark.parametrize("name", ["public.npz", "checkpoints.npz", "model.py"])
def test_a_missing_file_is_named(bank_directory: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(bank_directory, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).unlink()

    with pytest.raises(UnreadableBank, match=name):
        read_bank(tmp_path)


def test_a_missing_array_is_named(bank_directory: Path, tmp_path: Path) -> None:
    with pytest.raises(UnreadableBank, match="train_artist"):
        read_bank(without(bank_directory, tmp_path, "train_artist"))
