"""Ensembles: functions from checkpoints to checkpoints, of which index and scorer know nothing.

A member is a `Checkpoint` like any other, so every method takes every ensemble. Members of one
`run` are added up, each first normalised by query; different runs are replicates, whose mean and
standard error `bilinear.Scores.spread` gives. `plan` holds the whole mixture as data.
"""
