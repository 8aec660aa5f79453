"""koguchi rules check, test, evaluate, why, replay, card, schema, vocabulary: the rules engine on a bare shop folder.

Starts without Flask and without a database; exit codes and JSON are rule-semantics 121, 122 and 143.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storefront.commands import card, diff, replay, suggest, trials
from storefront.commands.rule_folder import FOLDER_HAS_ERRORS, load, own_language, refused, summary
from storefront.commands.shop_argument import add_shop

if TYPE_CHECKING:
    from rules import Cart, Catalog, Decision, Finding, Ruleset

CART_IS_WRONG = 2


def register(subparsers: Any) -> None:
    """Add `rules` with its own commands."""
    parser = subparsers.add_parser("rules", help="check, test and try the rule files of a shop folder")
    commands = parser.add_subparsers(dest="rules_command", required=True, metavar="COMMAND")

    def add(name: str, help_text: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(name, help=help_text)
        add_shop(command, Path(), Path)
        return command

    check = add("check", "every file and every static check; exit 1 on any error")
    check.add_argument("--json", action="store_true", help="findings as JSON")
    test = add("test", "run every [[case]] and say which rules they cover")
    for command in (check, test):
        command.add_argument(
            "--lang",
            choices=("ja", "en"),
            help="language of the messages; else that of LC_ALL, LC_MESSAGES or LANG, and English in JSON",
        )
    evaluate = add("evaluate", "the decision for a cart, as JSON")
    evaluate.add_argument(
        "--cart", required=True, metavar="FILE", help="a JSON file with a cart or several, - for stdin"
    )
    evaluate.add_argument("--explain", action="store_true", help="add every rule that was considered")
    why = add("why", "why a rule applied to a cart, or why not")
    why.add_argument("--cart", required=True, metavar="FILE", help="a JSON file with one cart, - for stdin")
    why.add_argument("--rule", required=True, metavar="CODE")
    why.add_argument("--line", metavar="ID", help="only this line of the cart")
    replay.register(commands)
    diff.register(commands)
    card.register(commands)
    suggest.register(commands)
    trials.register(commands)
    commands.add_parser("schema", help="JSON Schema of rule files, for editors")
    commands.add_parser("vocabulary", help="every fact, operator and key, as a table")


def run(args: argparse.Namespace) -> int:
    """Run one of the commands; the answer is the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # Japanese on a machine whose locale does not know it
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    return _COMMANDS[args.rules_command](args)


def _check(args: argparse.Namespace) -> int:
    from rules.said import say

    loaded, _ = load(args.shop, run_cases=True)
    closures = _closures(args.shop)
    language = args.lang or own_language()
    for note in loaded.notes:
        print(say("summary.note", note=note).text(language), file=sys.stderr)
    if args.json:  # a contract with programs: the locale of a machine does not change it
        findings = [finding.as_json(args.lang or "en") for finding in (*loaded.findings, *closures)]
        print(json.dumps(findings, ensure_ascii=False, indent=2))
    else:
        for finding in (*loaded.findings, *closures):
            print(finding.printed(language))
        print(summary(loaded).text(language))
    return FOLDER_HAS_ERRORS if loaded.errors or closures else 0


def _closures(folder: Path) -> Sequence[Finding]:
    """What is wrong with the days that the shop closes or opens, where it has such a file."""
    from storefront.shop_calendar import FILE, read_closures

    path = folder / FILE
    return read_closures(path.read_bytes())[1] if path.is_file() else ()


def _test(args: argparse.Namespace) -> int:
    from rules.cases import run_cases
    from rules.said import in_language, joined, say

    loaded, today = load(args.shop)
    language = args.lang or own_language()
    if loaded.ruleset is None:
        return refused(loaded, language)
    marks = {True: say("summary.passed"), False: say("summary.failed")}
    passed = failed = 0
    covered: set[str] = set()
    for result in run_cases(loaded.ruleset, loaded.catalog, today):
        passed += result.passed
        failed += not result.passed
        if result.covered:
            covered.add(result.rule)
        mark, title = marks[result.passed].text(language), in_language(result.title, language)
        print(f"{mark} {result.rule} {title}")
        for problem in result.said(language):
            print(f"     {result.file}:{result.line}: {problem}")
    codes = [rule.code for rule in loaded.ruleset.rules if rule.group != "FU"]
    missing = [code for code in codes if code not in covered]
    reached = len(codes) - len(missing)
    said = say("summary.tested", passed=passed, failed=failed, covered=reached, rules=len(codes))
    print(said.text(language))
    if missing:
        print(say("summary.no-case", codes=joined("join.comma", missing)).text(language))
    return FOLDER_HAS_ERRORS if failed else 0


def _read_carts(name: str) -> Any:
    """The JSON of --cart; CartError when it cannot be read."""
    from rules import CartError, Fault, read_json

    try:
        text = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CartError([Fault("cart", f"{name} cannot be read: {reason}")]) from None
    return read_json(text)


def _decide(
    ruleset: Ruleset, catalog: Catalog, data: Any, today: date, explain: bool
) -> tuple[Cart, Decision]:
    from rules import evaluate, read_cart

    cart, on = read_cart(data, ruleset, catalog, today=today)
    return cart, evaluate(ruleset, cart, on or today, explain=explain)


def _faults(error: Exception) -> list[str]:
    from rules import CartError

    if isinstance(error, CartError):
        return [f"{fault.field}: {fault.message}" for fault in error.faults]
    return [str(error)]


def _evaluate(args: argparse.Namespace) -> int:
    from rules import CartError, TieError

    loaded, today = load(args.shop, run_cases=True)
    if loaded.ruleset is None:
        return refused(loaded)
    try:
        data = _read_carts(args.cart)
        if not isinstance(data, list):
            _cart, decision = _decide(loaded.ruleset, loaded.catalog, data, today, args.explain)
            print(json.dumps(decision.as_json(), ensure_ascii=False, indent=2))
            return 0
    except (CartError, TieError) as error:
        for message in _faults(error):
            print(message, file=sys.stderr)
        return CART_IS_WRONG
    answers: list[Mapping[str, Any]] = []
    for one in data:
        try:
            _cart, decision = _decide(loaded.ruleset, loaded.catalog, one, today, args.explain)
            answers.append(decision.as_json())
        except (CartError, TieError) as error:
            kind = "cart" if isinstance(error, CartError) else "tie"
            answers.append({"error": kind, "detail": _faults(error)})
    print(json.dumps(answers, ensure_ascii=False, indent=2))
    return 0


def _why(args: argparse.Namespace) -> int:
    from rules import CartError, TieError
    from rules.report import nearest
    from rules.why import why

    loaded, today = load(args.shop, run_cases=True)
    if loaded.ruleset is None:
        return refused(loaded)
    codes = [rule.code for rule in loaded.ruleset.rules]
    if args.rule not in codes:
        hint = nearest(args.rule, codes)
        print(f'there is no rule "{args.rule}". {hint or ""}'.strip(), file=sys.stderr)
        return CART_IS_WRONG
    try:
        data = _read_carts(args.cart)
        cart, decision = _decide(loaded.ruleset, loaded.catalog, data, today, explain=True)
    except (CartError, TieError) as error:
        for message in _faults(error):
            print(message, file=sys.stderr)
        return CART_IS_WRONG
    if args.line is not None and args.line not in [line.id for line in decision.lines]:
        print(f'the cart has no line "{args.line}".', file=sys.stderr)
        return CART_IS_WRONG
    for sentence in why(loaded.ruleset.rule(args.rule), decision, cart, args.line, own_language()):
        print(sentence)
    return 0


def _schema(args: argparse.Namespace) -> int:
    from rules.schema import rule_schema

    print(json.dumps(rule_schema(), ensure_ascii=False, indent=2))
    return 0


def _vocabulary(args: argparse.Namespace) -> int:
    from rules.reference import reference

    print(reference(), end="")
    return 0


_COMMANDS = {
    "check": _check,
    "test": _test,
    "evaluate": _evaluate,
    "why": _why,
    "replay": replay.run,
    "diff": diff.run,
    "trials": trials.run,
    "card": card.run,
    "suggest": suggest.run,
    "schema": _schema,
    "vocabulary": _vocabulary,
}
