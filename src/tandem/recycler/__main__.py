"""`python -m tandem.recycler`."""

import sys

from tandem.recycler.server import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
