"""The rules: who is owed what, in exact integers."""
