import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from attribution.amending import append, bring_back, drift, take_down, taken_down
from attribution.errors import BadRows, CorruptIndex, ForeignIndex, IncompleteIndex
from attribution.index import IndexOptions, open_index, verify
from attribution.indexing import build
from attribution.methods import bilinear
from attribution.sketch import SketchOptions
from attribution.task import Execution
from attribution.whitening import WhiteningOptions
from tests.attribution.engine_world import World, content

SKETCH = SketchOptions(side=8)
PLAIN = IndexOptions(sketch=SKETCH, seeds=(0, 1), shard_rows=40)
WHITE = IndexOptions(  # as the default's
    sketch=SketchOptions(kind="identity"),
    whitening=WhiteningOptions(kind="ekfac", rows_max=64, directions=8, kept=640),
    seeds=(0,),
    dtype="peak",
    shard_rows=40,
)
FIRST = range(50)


class Stopped(Exception):
    pass


def built(world: World, places, directory, options):
    parts = {**world.parts, "train": world.train.take(places)}
    return build(world.task, world.checkpoints, parts, directory, options)


def appended(world: World, places, directory, execution=None):
    more = {"train": world.train.take(places)}
    return append(world.task, world.checkpoints, more, directory, execution)


def scored(world: World, index):
    fitted = bilinear.fit(index, world.task, world.checkpoints)
    return bilinear.scores(fitted, world.placebo.take(range(4)))


def assert_close(found, truth, tolerance):
    assert found.shape == truth.shape
    assert np.linalg.norm(found - truth) < tolerance * np.linalg.norm(truth)


def assert_same(world, index, truth):
    tolerance = 0.05 if truth.manifest["dtype"] == "peak" else 1e-3  # rounding may move a peak
    assert index.ids == truth.ids
    assert index.owners == truth.owners
    for member in truth.members:
        assert_close(index.rows(member, "train"), truth.rows(member, "train"), tolerance)
    found, expected = scored(world, index), scored(world, truth)
    assert_close(found.train, expected.train, tolerance)
    assert_close(found.placebo, expected.placebo, tolerance)
    assert verify(index.directory) == []


def test_plain_rows_appended_equal_a_rebuild(world, tmp_path):
    built(world, FIRST, tmp_path / "grown", PLAIN)
    appended(world, range(50, 70), tmp_path / "grown")
    index = appended(world, range(70, 90), tmp_path / "grown")

    assert_same(world, index, built(world, range(90), tmp_path / "anew", PLAIN))
    assert drift(index).curvature == 0


def test_whitened_rows_appended_equal_a_rebuild_with_the_frozen_curvature(
    world, tmp_path, monkeypatch
):
    built(world, FIRST, tmp_path / "grown", WHITE)
    index = appended(world, range(50, 90), tmp_path / "grown")
    frozen = iter([index.whitening(member) for member in index.members])
    monkeypatch.setattr("attribution.indexing.fit_whitening", lambda *_: next(frozen))
    truth = built(world, range(90), tmp_path / "anew", WHITE)

    assert_same(world, index, truth)
    assert truth.manifest["curvature"] == index.manifest["curvature"]


def test_checkpoints_that_an_index_was_not_made_of_change_nothing(world, tmp_path):
    parts = {"train": world.train.take(FIRST)}
    more = {"train": world.train.take(range(50, 60))}
    for name in ("own", "others"):
        build(world.task, world.checkpoints[:1], parts, tmp_path / name, WHITE)

    append(world.task, world.checkpoints[:1], more, tmp_path / "own")
    append(world.task, world.checkpoints, more, tmp_path / "others")

    assert content(tmp_path / "others") == content(tmp_path / "own")


def test_held_back_rows_can_be_appended_to_an_index_without_any(world, tmp_path):
    alone = {"train": world.train}
    build(world.task, world.checkpoints, alone, tmp_path / "grown", PLAIN)
    index = append(world.task, world.checkpoints, {"placebo": world.placebo}, tmp_path / "grown")

    assert_same(world, index, built(world, range(90), tmp_path / "anew", PLAIN))


def test_the_same_append_twice_is_there_once(world, tmp_path):
    built(world, FIRST, tmp_path, PLAIN)
    appended(world, range(50, 60), tmp_path)
    before = content(tmp_path)

    appended(world, range(50, 60), tmp_path)

    assert content(tmp_path) == before


def test_an_interrupted_append_goes_on_and_ends_with_the_same_bytes(world, tmp_path):
    def stop(done, total):
        if done > total * 0.8:
            raise Stopped

    for name in ("whole", "halves"):
        built(world, FIRST, tmp_path / name, WHITE)
    appended(world, range(50, 90), tmp_path / "whole")

    with pytest.raises(Stopped):
        appended(world, range(50, 90), tmp_path / "halves", Execution(progress=stop))
    with pytest.raises(IncompleteIndex):
        open_index(tmp_path / "halves")
    with pytest.raises(IncompleteIndex, match="append what was being appended"):
        appended(world, range(50, 70), tmp_path / "halves")
    (tmp_path / "halves/ids.json").write_bytes(  # as if killed before the names were written
        content(built(world, FIRST, tmp_path / "other", WHITE).directory)["ids.json"]
    )
    appended(world, range(50, 90), tmp_path / "halves")

    assert content(tmp_path / "halves") == content(tmp_path / "whole")


def test_what_cannot_be_appended_is_refused_and_nothing_changes(world, tmp_path):
    index = built(world, FIRST, tmp_path, WHITE)
    before = content(tmp_path)

    with pytest.raises(BadRows, match="w016@1"):
        appended(world, range(49, 60), tmp_path)
    with pytest.raises(ForeignIndex, match=world.checkpoints[2].name):
        append(world.task, world.checkpoints[:2], {"train": world.train}, tmp_path)
    assert content(tmp_path) == before

    curvature = next(tmp_path.glob("curvature-*"))
    curvature.write_bytes(b"?")
    with pytest.raises(CorruptIndex, match=curvature.name):
        appended(world, range(50, 60), index.directory)


@pytest.mark.parametrize("options", [PLAIN, WHITE], ids=["plain", "whitened"])
def test_an_index_after_a_takedown_equals_one_that_never_had_the_rows(
    world, options, tmp_path, monkeypatch
):
    index = built(world, range(90), tmp_path / "less", options)
    kept = [i for i, owner in enumerate(world.train.owners) if owner not in {"w003", "w017"}]

    take_down(index.directory, ["w003"])
    less = take_down(index.directory, ["w017", "w003"])

    frozen = iter([index.whitening(member) for member in index.members])
    monkeypatch.setattr("attribution.indexing.fit_whitening", lambda *_: next(frozen))
    assert_same(world, less, built(world, kept, tmp_path / "anew", options))
    assert len(list(less.directory.glob("tombstones-*"))) == 1
    assert less.manifest["previous"] != index.sha256


def test_a_takedown_holds_through_an_append_and_another_build(world, tmp_path):
    built(world, FIRST, tmp_path, PLAIN)
    take_down(tmp_path, ["w003", "p001"])

    built(world, FIRST, tmp_path, PLAIN)
    index = appended(world, range(51, 90), tmp_path)

    assert "w003" not in index.owners["train"]
    assert "p001" not in index.owners["placebo"]
    assert len(index.ids["train"]) == 50 - 3 + 39
    assert len(index.rows(index.members[0], "train")) == len(index.ids["train"])


def test_what_is_brought_back_is_as_if_it_had_never_been_taken_down(world, tmp_path):
    index = built(world, range(90), tmp_path, PLAIN)
    before = scored(world, index)
    hidden = take_down(tmp_path, ["w003", "w017", "p001"])
    assert taken_down(hidden) == {"w003", "w017", "p001"}

    half = bring_back(tmp_path, ["w003"])
    whole = bring_back(tmp_path, ["w017", "p001", "w003"])

    assert taken_down(half) == {"w017", "p001"}
    assert taken_down(whole) == set()
    assert whole.ids == index.ids
    assert (scored(world, whole).train == before.train).all()
    assert whole.manifest["previous"] == half.sha256
    assert drift(whole).taken_down == 0
    assert not list(tmp_path.glob("tombstones-*"))
    with pytest.raises(BadRows, match="nobody"):
        bring_back(tmp_path, ["nobody"])


def test_a_takedown_of_nothing_or_of_everything_is_refused(world, tmp_path):
    index = built(world, range(6), tmp_path, PLAIN)
    before = content(tmp_path)

    with pytest.raises(BadRows, match="nobody"):
        take_down(tmp_path, ["w000", "nobody"])
    with pytest.raises(BadRows, match="delete the index"):
        take_down(tmp_path, ["w000", "w001"])
    assert content(index.directory) == before


def test_changed_tombstones_are_refused_by_name(world, tmp_path):
    built(world, range(12), tmp_path, PLAIN)
    take_down(tmp_path, ["w000"])
    path = next(tmp_path.glob("tombstones-*"))
    path.write_bytes(b"\0\0")

    assert path.name in verify(tmp_path)[0]
    with pytest.raises(CorruptIndex, match=path.name):
        open_index(tmp_path)


def test_drift_is_the_part_of_the_rows_that_the_curvature_does_not_stand_for(world, tmp_path):
    first = drift(built(world, range(60), tmp_path, WHITE))
    grown = drift(appended(world, range(60, 90), tmp_path))
    less = drift(take_down(tmp_path, ["w001"]))
    undone = drift(take_down(tmp_path, ["w020", "w021"]))  # rows that had been appended

    assert (grown.written, grown.appended, grown.taken_down) == (90, 30, 0)
    assert undone.taken_down == 9
    assert first.curvature == 0
    assert grown.curvature == pytest.approx(30 / 90)
    assert less.curvature == pytest.approx(33 / 90)
    assert undone.curvature == pytest.approx(27 / 90)
    assert grown.calls_for_rebuild
    assert not first.calls_for_rebuild


BUILD = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from attribution.indexing import build
from tests.attribution.test_amending import WHITE
from tests.attribution.engine_world import untrained_world
world = untrained_world()
build(world.task, world.checkpoints, world.parts, Path(sys.argv[1]), WHITE)
"""


def python(*arguments, script):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd())}
    return subprocess.Popen(
        [sys.executable, *arguments[:-1], script, arguments[-1]],
        env=environment,
    )


@pytest.mark.slow
def test_a_build_killed_in_the_middle_or_split_over_processes_gives_the_same_bytes(tmp_path):
    script = tmp_path / "build.py"
    script.write_text(BUILD)
    whole = python(str(tmp_path / "whole"), script=script)
    killed = python(str(tmp_path / "killed"), script=script)
    third = "member-001/train/shard-00000.npy"
    while killed.poll() is None and not (tmp_path / "killed" / third).exists():
        pass
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL, "the build ended before it was killed"
    again = python(str(tmp_path / "killed"), script=script)
    split = python(
        "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
        str(tmp_path / "split"), script=script,
    )  # fmt: skip

    for process in (whole, again, split):
        assert process.wait() == 0
    assert content(tmp_path / "killed") == content(tmp_path / "whole")
    assert content(tmp_path / "split") == content(tmp_path / "whole")
