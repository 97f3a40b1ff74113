"""Training: batches, steps, optimizer, checkpoints and the choice of the best epoch."""
