"""Reports of a retriever: how an answer came about, and what it can answer."""
