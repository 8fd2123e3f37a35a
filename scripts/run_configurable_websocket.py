"""`tandem stream`: live bars into the store, from Alpaca or the recycler."""

import sys

from tandem.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["stream"]
    main()
