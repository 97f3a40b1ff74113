"""Faults on purpose: what is lost, what is there twice, and what a fault leads to."""
