"""What calls pass before they are answered: the cache of answers, admission, and micro-batches."""
