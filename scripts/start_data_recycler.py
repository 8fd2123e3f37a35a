"""`tandem recycler start`: replay stored bars as a local Alpaca."""

import sys

from tandem.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["recycler", "start"]
    main()
