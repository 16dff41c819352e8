"""What the engine refuses.

AttributionError                the engine refuses, and says what to do next
├── UnsupportedParameter        no parameter of the model is left by Task.parameters
├── BadRows                     rows that contradict themselves: ids twice, lengths that differ
├── CorruptIndex                a shard, or the manifest, is not what was written
├── ForeignIndex                the index was made by another model, task, corpus or options
├── IncompleteIndex             a build stopped half-way; run it again and it goes on
├── TooFewPlacebos              too few held-back works to know what noise looks like
├── UnreadableMusic             a file that holds no music we can read (`music.midi`)
├── CannotRender                no synthesiser or soundfont, or it refused (`music.audio`)
├── CannotOpen                  a checkpoint from elsewhere, or its code (`models.imported`)
├── CannotCombine               checkpoints that make no ensemble (`ensemble.checkpoints`)
├── PlanRefused, ForeignBank, CorruptBank, IncompleteBank   retrainings (`evaluation`)
├── RunRefused                  a run not there, unfinished or altered (`models.training`)
└── GenerationFailed            a model that wrote no track as long as asked (`models.generation`)

The last ones stand where they are raised, beside what needs them.
"""

from __future__ import annotations


class AttributionError(Exception):
    """The engine refuses. The message says what, which one, and what to do next."""


class UnsupportedParameter(AttributionError):
    """The patterns of Task.parameters leave no parameter of the model over."""


class BadRows(AttributionError):
    """Rows contradict themselves: an id stands twice, or lengths differ."""


class CorruptIndex(AttributionError):
    """A file of the index is not what was written."""


class ForeignIndex(AttributionError):
    """The index was made by another model, task, corpus, or with other options."""


class IncompleteIndex(AttributionError):
    """The build of the index stopped half-way."""


class TooFewPlacebos(AttributionError):
    """Too few held-back works to know what noise looks like."""
