"""How far scores can be trusted: held against retraining, planted copies and known worlds.

Everything here takes score matrices (query, train), whatever method they are from.
"""
