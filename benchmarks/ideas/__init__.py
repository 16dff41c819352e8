"""Ideas for better attribution, each measured on one bank: what helped and what did not.

`workshop` makes the pieces that ideas share, once, and bills them to every idea that uses them.
The other modules hold a family of ideas each; `python -m benchmarks.ideas` runs them.
"""
