"""Pages of feeds: the feed as its reader sees it, and the pipeline behind it."""
