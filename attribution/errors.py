"""What the engine refuses.

AttributionError                the engine refuses, and says what to do next
├── UnsupportedParameter        a parameter no hook can reach; leave it out by Task.parameters
├── BadRows                     rows that contradict themselves: ids twice, lengths that differ
├── CorruptIndex                a shard, or the manifest, is not what was written
├── ForeignIndex                the index was made by another model, task, corpus or options
├── IncompleteIndex             a build stopped half-way; run it again and it goes on
└── TooFewPlacebos              too few held-back works to know what noise looks like
"""

from __future__ import annotations


class AttributionError(Exception):
    """The engine refuses. The message says what, which one, and what to do next."""


class UnsupportedParameter(AttributionError):
    """A chosen parameter is used in a way no hook can reach."""


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
