"""The engine: tensors in, evidence out. Imports nothing of ours."""
