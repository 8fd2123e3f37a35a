"""`tandem symbols`: status, pairs, testing, add SYMBOL, remove SYMBOL."""

import sys

from tandem.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["symbols"]
    main()
