import dataclasses

import pytest
import torch

from attribution import lenses
from attribution.errors import ForeignIndex
from attribution.lenses import lenses_of, sketched
from attribution.task import Execution
from tests.attribution.engine_world import checkpoint


@pytest.fixture
def loaded(index, world):
    """Lenses of checkpoints that note when they are loaded."""
    names = []

    def noted(each):
        def load():
            names.append(each.name)
            return each.load()

        return dataclasses.replace(each, load=load)

    return lenses_of(index, world.task, [noted(each) for each in world.checkpoints]), names


def seen(through, rows, size=32):
    found = sketched(through, rows, Execution(batch=size))
    return {member.name: vectors for member, vectors in found}


def test_train_rows_are_seen_as_the_index_keeps_them(index, world, loaded):
    found = seen(loaded[0], world.train.take([3, 50]))

    assert list(found) == [member.name for member in index.members]
    for member in index.members:
        kept = torch.from_numpy(index.rows(member, "train")[[3, 50]])
        torch.testing.assert_close(found[member.name], kept, rtol=1e-2, atol=1e-2)


def test_a_further_batch_loads_nothing_and_is_seen_alike(world, loaded):
    through, names = loaded
    assert names == []

    first = seen(through, world.placebo.take([0, 1]))
    again = seen(through, world.placebo.take([0, 1]))

    assert names == [each.name for each in world.checkpoints]
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_what_exceeds_memory_is_loaded_anew_and_seen_alike(world, loaded, monkeypatch):
    through, names = loaded
    one = sum(p.nbytes for p in world.checkpoints[0].load().parameters())
    monkeypatch.setattr(lenses, "MEMORY_MAX", 2 * one)

    first = seen(through, world.placebo.take([0, 1]))
    again = seen(through, world.placebo.take([0, 1]))

    assert len(through.kept) == 1
    assert names == [each.name for each in (*world.checkpoints, *world.checkpoints[1:])]
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_checkpoints_of_another_run_are_refused(index, world):
    other = [checkpoint(c.load(), i + 100) for i, c in enumerate(world.checkpoints)]

    with pytest.raises(ForeignIndex, match="step-5"):
        lenses_of(index, world.task, other)
