"""Generators, and how they are trained and asked for tracks."""
