"""Ablations of the towers and of their training: each option removed or replaced once."""
