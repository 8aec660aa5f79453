"""The `koguchi` command: finds the one module a command lives in and imports only that.

`koguchi rules ...` must start at once: nothing here imports Flask, the database or a plugin.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

# name: (module with register(subparsers) and run(args), one line for --help)
COMMANDS = {
    "rules": ("storefront.commands.rules", "check, test, evaluate and explain rule files"),
    "new": ("storefront.commands.new", "write a new shop folder to start from"),
    "demo": ("storefront.commands.demo", "make and serve the demo shop"),
    "serve": ("storefront.commands.serve", "serve the shop with gunicorn"),
    "worker": ("storefront.commands.worker", "send mails and do other waiting jobs"),
    "db": ("storefront.commands.db", "bring the database to the newest revision"),
    "user": ("storefront.commands.user", "add a person who can sign in"),
    "api-key": ("storefront.commands.api_key", "make, list and revoke keys for the API"),
    "seed": ("storefront.commands.seed", "put the shop folder's data into the database"),
    "import": ("storefront.commands.import_", "take a CSV file into the shop"),
    "export": ("storefront.commands.export", "write products, customers or prices as CSV"),
    "plugins": ("storefront.commands.plugins", "list plugins, their state, and whether they are well"),
    "plugin": ("storefront.commands.plugin", "start a payment or shipping plugin of your own"),
    "health": ("storefront.commands.health", "say whether the shop could serve"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or failed, 2 wrong usage or input."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_overview())
        return 0 if words else 2
    if words[0] not in COMMANDS:
        print(
            f"koguchi: there is no command {words[0]!r}.{_nearest(words[0])}\n\n{_overview()}",
            file=sys.stderr,
        )
        return 2
    module = import_module(COMMANDS[words[0]][0])
    parser = argparse.ArgumentParser(prog="koguchi")
    module.register(parser.add_subparsers(dest="command", required=True))
    args = parser.parse_args(words)
    try:
        return int(module.run(args) or 0)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:
        from storefront.own_packages import ForeignPackageError
        from storefront.settings import SettingsError

        # A shop that cannot start says why in sentences; a fault of ours still shows where.
        if not isinstance(error, SettingsError | ForeignPackageError):
            raise
        print(error, file=sys.stderr)
        return 1


def _nearest(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, COMMANDS, n=1)
    return f' Did you mean "{near[0]}"?' if near else ""


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {line}" for name, (_module, line) in COMMANDS.items()]
    return "koguchi COMMAND ...  (koguchi COMMAND --help tells more)\n\n" + "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
