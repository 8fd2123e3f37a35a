"""`tandem recycler check`: every symbol arrives, in step, at the speed that is set."""

import sys

from tandem.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["recycler", "check"]
    main()
