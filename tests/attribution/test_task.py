import pytest
import torch
from torch import nn

from attribution.errors import BadRows, UnsupportedParameter
from attribution.task import Rows, Task, chosen_parameters, rows_sha256


def rows(ids=("a", "b", "c"), owners=("x", "x", "y"), first=0) -> Rows:
    return Rows(
        tensors={"tokens": torch.arange(first, first + 6).view(3, 2)}, ids=ids, owners=owners
    )


def task(*patterns: str) -> Task:
    return Task(
        loss=lambda m, b: m(b["x"]), measurement=lambda m, b: m(b["x"]), parameters=patterns
    )


def test_batches_give_every_row_once_in_order():
    batches = list(rows().batches(2))

    assert [len(b["tokens"]) for b in batches] == [2, 1]
    assert torch.cat([b["tokens"] for b in batches]).equal(rows().tensors["tokens"])


def test_take_keeps_names_beside_their_rows():
    taken = rows().take([2, 0])

    assert taken.ids == ("c", "a")
    assert taken.owners == ("y", "x")
    assert taken.tensors["tokens"].tolist() == [[4, 5], [0, 1]]


def test_an_id_that_stands_twice_is_refused_by_name():
    with pytest.raises(BadRows, match="'b' stands twice"):
        rows(ids=("a", "b", "b"))


def test_rows_that_disagree_about_their_number_are_refused():
    with pytest.raises(BadRows, match="disagree"):
        rows(owners=("x", "y"))


def test_the_hash_of_rows_sees_ids_owners_and_content():
    hashes = {
        rows_sha256(r)
        for r in (rows(), rows(ids=("a", "b", "d")), rows(owners=("x", "y", "y")), rows(first=1))
    }

    assert len(hashes) == 4
    assert rows_sha256(rows()) == rows_sha256(rows())


def test_patterns_choose_parameters_and_a_bang_takes_them_away():
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))

    assert chosen_parameters(task("*", "!1.*"), model) == ("0.weight", "0.bias")
    assert chosen_parameters(task("*.bias"), model) == ("0.bias", "1.bias")


def test_patterns_that_match_nothing_are_refused_with_the_names_there_are():
    with pytest.raises(UnsupportedParameter, match=r"0\.weight"):
        chosen_parameters(task("head.*"), nn.Sequential(nn.Linear(2, 2)))
