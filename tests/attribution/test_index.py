import dataclasses
import os
import shutil

import numpy as np
import pytest
import torch

from attribution import shards
from attribution.encoding import DTYPES, decode, encode, row_bytes
from attribution.errors import CorruptIndex, ForeignIndex, IncompleteIndex
from attribution.gradients import sketched_rows
from attribution.index import (
    IndexOptions,
    column_slices,
    in_window,
    lens_of,
    open_index,
    verify,
)
from attribution.indexing import build
from attribution.scan import ready, scan
from attribution.sketch import SketchOptions
from attribution.task import Execution
from attribution.whitening import WhiteningOptions
from tests.attribution.engine_world import content


class Stopped(Exception):
    pass


@pytest.fixture
def copied(index, tmp_path):
    return shutil.copytree(index.directory, tmp_path / "copy")


def test_rows_come_back_as_they_were_sketched(index, world):
    member = index.members[1]
    lens = lens_of(index.manifest, [member], world.task, world.checkpoints[0].load(), None)
    truth = torch.cat([batch[0] for batch in sketched_rows(lens, world.train, 7)]).numpy()

    found = index.rows(member, "train")

    assert np.abs(found - truth).max() < 1e-3 * np.abs(truth).max()
    assert index.ids["train"] == world.train.ids
    assert index.owners["placebo"] == world.placebo.owners


def test_there_is_one_member_for_each_checkpoint_and_seed(index, world):
    assert [(m.checkpoint, m.seed) for m in index.members] == [
        (c.name, seed) for c in world.checkpoints for seed in (0, 1)
    ]
    assert not np.allclose(
        index.rows(index.members[0], "train"), index.rows(index.members[1], "train")
    )


def test_gradients_too_large_or_too_small_for_half_precision_survive(tmp_path):
    rows = np.array([[1e9, -3e8], [2e-12, 1e-12], [0.0, 0.0]], np.float32)
    shard = shards.shard_table(["member-000"], {"train": 3}, 8)[0]

    shards.write_shard(tmp_path, shard, encode(rows, "float16"))

    np.testing.assert_allclose(
        decode(shards.read_shard(tmp_path, shard, "float16", 2)), rows, rtol=1e-3
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_are_kept_as_asked_and_scan_reads_them_as_they_lie(index, world, dtype, tmp_path):
    sketch = SketchOptions(**index.manifest["sketch"])
    options = IndexOptions(sketch=sketch, seeds=(0, 1), shard_rows=40, dtype=dtype)
    other = build(world.task, world.checkpoints, world.parts, tmp_path, options)
    member = other.members[0]
    rows, truth = other.rows(member, "train"), index.rows(member, "train")
    queries = torch.from_numpy(truth[:5])

    found = torch.cat(list(scan(ready(queries), other.encoded(member, "train"))), dim=1)

    plain = queries @ torch.from_numpy(rows).T
    torch.testing.assert_close(found, plain, rtol=0, atol=1e-6 * float(plain.abs().max()))
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(truth, axis=1)
    least = {"float16": 0.9999, "int8": 0.999, "bit": 0.4, "peak": 0.3}[dtype]
    assert ((rows * truth).sum(1) / lengths).min() > least
    sizes = [path.stat().st_size for path in tmp_path.glob("member-000/train/*.npy")]
    assert sum(sizes) == 6 * 128 + 90 * row_bytes(other.width, dtype)  # six headers


@pytest.mark.parametrize("kept", [None, 50, 10**6])
@pytest.mark.parametrize("directions", [None, 3])
def test_rows_are_as_wide_as_stated_and_have_no_columns_of_a_parameter_once_they_are_shuffled(
    world, kept, directions, tmp_path
):
    options = IndexOptions(
        sketch=SketchOptions(kind="identity"),
        whitening=WhiteningOptions(kind="ekfac", directions=directions, kept=kept),
        seeds=(0,),
    )
    few = {"train": world.train.take(range(4))}

    index = build(world.task, world.checkpoints[:1], few, tmp_path, options)

    slices = column_slices(index.manifest)
    assert index.rows(index.members[0], "train").shape[1] == index.width == slices[-1].stop
    assert (len(slices) == 1) == (directions is not None or kept is not None)


def test_a_file_that_decayed_untouched_is_found_by_verifying(copied):
    opened = open_index(copied)
    opened.rows(opened.members[0], "train")
    path = copied / "member-000/train/shard-00000.npy"
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x99")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert path.name in verify(copied)[0]


def test_a_finished_index_is_left_as_it_is(world, small_options, copied):
    before = content(copied)

    build(world.task, world.checkpoints, world.parts, copied, small_options)

    assert content(copied) == before


def test_an_interrupted_build_goes_on_and_ends_with_the_same_bytes(
    index, world, small_options, tmp_path
):
    def stop(done, total):
        if done > total // 2:
            raise Stopped

    stopping = dataclasses.replace(small_options, execution=Execution(progress=stop))
    with pytest.raises(Stopped):
        build(world.task, world.checkpoints, world.parts, tmp_path, stopping)
    with pytest.raises(IncompleteIndex, match="goes on"):
        open_index(tmp_path)
    heard = []
    going_on = dataclasses.replace(
        small_options, execution=Execution(progress=lambda done, total: heard.append((done, total)))
    )

    resumed = build(world.task, world.checkpoints, world.parts, tmp_path, going_on)

    assert content(tmp_path) == content(index.directory)
    assert resumed.sha256 == index.sha256
    assert heard[0][0] > heard[0][1] * 0.3  # what was done is not done again
    assert (
        heard[-1][0] == heard[-1][1] == len(world.checkpoints) * sum(map(len, world.parts.values()))
    )


def test_batches_of_another_size_give_the_same_rows(index, world, small_options, tmp_path):
    options = dataclasses.replace(small_options, execution=Execution(batch=5))

    other = build(world.task, world.checkpoints, world.parts, tmp_path, options)

    found, truth = (i.rows(i.members[0], "train") for i in (other, index))
    assert np.linalg.norm(found - truth) < 1e-3 * np.linalg.norm(truth)


def test_a_corrupt_shard_is_refused_by_name(copied):
    shard = copied / "member-002/train/shard-00001.npy"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\x99")
    opened = open_index(copied)

    with pytest.raises(CorruptIndex, match=r"member-002/train/shard-00001\.npy"):
        opened.rows(opened.members[2], "train")
    assert [fault.split()[0] for fault in verify(copied)] == ["member-002/train/shard-00001.npy"]


def test_a_shard_of_another_member_is_refused_by_name(copied):
    shutil.copy(
        copied / "member-000/train/shard-00000.npy", copied / "member-001/train/shard-00000.npy"
    )
    opened = open_index(copied)

    with pytest.raises(CorruptIndex, match=r"member-001/train/shard-00000\.npy.*another index"):
        opened.rows(opened.members[1], "train")


def test_a_missing_shard_is_named_and_building_again_restores_it(
    index, world, small_options, copied
):
    (copied / "member-000/placebo/scale-00000.npy").unlink()

    assert "member-000/placebo/scale-00000.npy is missing" in verify(copied)[0]
    build(world.task, world.checkpoints, world.parts, copied, small_options)
    assert verify(copied) == []
    assert content(copied) == content(index.directory)


@pytest.mark.parametrize("name", ["manifest.json", "ids.json"])
def test_a_changed_manifest_or_a_changed_name_is_refused(copied, name):
    path = copied / name
    path.write_text(path.read_text().replace("w003", "w004").replace('"seed": 1', '"seed": 7'))

    assert name in verify(copied)[0]
    with pytest.raises(CorruptIndex, match=name):
        open_index(copied)


def test_an_index_of_something_else_is_not_overwritten(world, small_options, copied):
    before = content(copied)
    other_rows = {**world.parts, "train": world.train.take(range(60))}
    other_options = dataclasses.replace(small_options, seeds=(0, 2))

    with pytest.raises(ForeignIndex, match="parts"):
        build(world.task, world.checkpoints, other_rows, copied, small_options)
    with pytest.raises(ForeignIndex, match="members"):
        build(world.task, world.checkpoints, world.parts, copied, other_options)
    assert content(copied) == before


def test_an_empty_directory_is_no_index(tmp_path):
    with pytest.raises(IncompleteIndex, match="build one"):
        open_index(tmp_path)


def test_the_window_takes_the_checkpoints_nearest_to_30_40_and_50_percent():
    assert in_window([0.2, 0.3, 0.4, 0.5, 0.7, 1.0]) == (1, 2, 3)
    assert in_window([0.5, 1.0]) == (0,)
    assert in_window([0.2, 0.3, 0.4, 0.5, 0.7, 1.0], (0.5, 0.31, 0.4, 0.48)) == (1, 2, 3)
