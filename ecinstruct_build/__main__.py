"""The process of the ``ecinstruct`` command, also as ``python -m ecinstruct_build``."""

import sys


def main() -> None:
    """Run the command line; whoever interrupts even its imports gets status 130 and reads no traceback."""
    try:
        from ecinstruct_build.cli import main as run  # noqa: PLC0415 - imports nearly all that a command needs

        run()
    except KeyboardInterrupt:
        sys.exit(130)
    except RuntimeError as error:
        if not isinstance(error.__cause__, KeyboardInterrupt):  # Python 3.11 wraps what comes while it makes a class
            raise
        sys.exit(130)


if __name__ == "__main__":
    main()
