"""`python -m anyk` is the command `anyk`."""

import sys

from anyk.cli import main

if __name__ == "__main__":
    sys.exit(main())
