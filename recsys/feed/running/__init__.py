"""Running a pipeline: order, threads, time budgets, failures and counts."""
