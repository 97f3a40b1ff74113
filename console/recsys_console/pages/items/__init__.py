"""Items: search and browse, one item with its neighbours, and changes of the catalogue."""
