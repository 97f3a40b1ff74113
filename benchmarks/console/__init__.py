"""First paint of the pages of the console."""
