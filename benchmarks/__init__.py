"""Every figure that the project quotes, each made again by one command."""
