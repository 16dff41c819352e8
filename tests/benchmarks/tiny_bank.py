"""The smallest bank: two linear layers over eight tokens, made-up music, made-up truth."""

import importlib.util
from pathlib import Path

import numpy as np
import torch

VOCABULARY, PLACES, ITEMS, QUERIES, SUBSETS, SEEDS = 11, 8, 12, 5, 6, 2
EPOCHS = (3, 4, 5, 10)
_MODEL = f"""
import torch
from torch import nn

class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding({VOCABULARY}, 6)
        self.hidden = nn.Linear(6, 6)
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(6, {VOCABULARY}, bias=False)

    def forward(self, tokens):
        return self.head(self.dropout(torch.tanh(self.hidden(self.embedding(tokens)))))

def inp(tokens):
    return torch.cat([torch.zeros_like(tokens[:, :1]), tokens[:, :-1]], 1)
"""


def write_bank(directory: Path) -> Path:
    random = np.random.default_rng(0)
    (directory / "model.py").write_text(_MODEL)
    specification = importlib.util.spec_from_file_location("tiny", directory / "model.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    checkpoints = {}
    for run in ("s0", "s1"):
        for epoch in EPOCHS:
            torch.manual_seed(epoch + (100 if run == "s1" else 0))
            state = module.LM().state_dict()
            found = {f"{run}.ep{epoch}.{name}": t.numpy() for name, t in state.items()}
            checkpoints |= found | {f"{run}.ep{epoch}.lr": np.array(0.1 / epoch)}
    np.savez(directory / "checkpoints.npz", **checkpoints)
    np.savez(directory / "public.npz", **_arrays(random))
    return directory


def _arrays(random: np.random.Generator) -> dict[str, np.ndarray]:
    masks = np.zeros((SUBSETS, ITEMS), bool)
    for mask in masks:
        mask[random.choice(ITEMS, ITEMS // 2, replace=False)] = True
    found = {
        "train_tokens": random.integers(1, VOCABULARY, (ITEMS, PLACES)).astype(np.uint8),
        "train_artist": np.arange(ITEMS) % 3,
        "train_piece": np.arange(ITEMS) // 2,
        "artist_names": np.array(["Ada", "Ben", "Cleo"]),
        "query_tokens": random.integers(1, VOCABULARY, (QUERIES, PLACES)).astype(np.uint8),
        "query_is_generated": np.arange(QUERIES) < 2,
    }
    for level in ("item", "art"):
        found[f"val_{level}_masks"] = np.packbits(masks, axis=1)
        losses = random.normal(size=(SUBSETS, SEEDS, QUERIES))
        found[f"val_{level}_query_loss"] = losses.astype(np.float32)
    return found
