"""Speed of the store, compared with the disk's."""
