from collections.abc import Iterator

import pytest
import torch

from attribution.index import Index, IndexOptions
from attribution.indexing import build
from attribution.sketch import SketchOptions
from tests.attribution.engine_world import World, train_world


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def world() -> World:
    return train_world()


@pytest.fixture(scope="session")
def small_options() -> IndexOptions:
    return IndexOptions(sketch=SketchOptions(side=8), seeds=(0, 1), shard_rows=40)


@pytest.fixture(scope="session")
def index(
    world: World, small_options: IndexOptions, tmp_path_factory: pytest.TempPathFactory
) -> Index:
    directory = tmp_path_factory.mktemp("index")
    return build(world.task, world.checkpoints, world.parts, directory, small_options)
