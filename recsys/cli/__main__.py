"""``python -m recsys.cli`` is ``recsys``."""

from recsys.cli import main

if __name__ == "__main__":
    main()
