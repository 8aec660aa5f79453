"""A shop folder in, a Ruleset or findings out: every message names file, line, what is wrong and what is allowed.

Reading only: the checks over the whole set are checks.py, running the cases is cases.py.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from rules.catalog import Catalog, read_catalog
from rules.conditions import read_when
from rules.effects import read_effect
from rules.errors import Finding
from rules.exceptions import compile_exception
from rules.folder import ShopFolder, TomlFile
from rules.keys import EFFECTS, TABLES
from rules.names import NAMES, Names, unknown_name
from rules.report import Report, Source, allowed, shown, suggestion
from rules.ruleset import GROUPS, Policy, PriceTable, Rule, RuleException, Ruleset, Scope
from rules.said import Said, say
from rules.shop_toml import read_policy, ruleset_hash
from rules.tables import read_price_table
from rules.values import read_table

_CODE = re.compile(r"([A-Z]{2})[0-9]{1,6}", re.A)


@dataclass(frozen=True, slots=True)
class Loaded:
    """`ruleset` is None when any finding is an error. `notes` say what could not be checked."""

    ruleset: Ruleset | None
    findings: tuple[Finding, ...]
    catalog: Catalog
    notes: tuple[Said, ...] = ()
    cases: tuple[Any, ...] = ()  # CaseResult records, when the cases were run
    # Every file is right in itself, whatever the checks of the whole set say of today's products and customers.
    parsed: Ruleset | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def skipped(self) -> tuple[str, ...]:
        """The notes in English."""
        return tuple(str(note) for note in self.notes)


@dataclass(slots=True)
class _Loading:
    """What one load has gathered so far."""

    shop: ShopFolder
    report: Report
    policy: Policy
    currency: str | None
    names: Names
    digests: dict[str, bytes] = field(default_factory=dict)
    tables: dict[str, PriceTable | None] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)  # every code met, also of files with errors
    rules: dict[str, Rule] = field(default_factory=dict)
    exceptions: list[RuleException] = field(default_factory=list)

    def table(self, source: Source, text: str, path: str) -> PriceTable | None:
        """The price table of a rule, read once for all rules that name it."""
        inside = self.shop.table_path(text)
        if inside is None:
            source.problem("outside-folder", path, say("folder.outside", path=shown(text)))
            return None
        if inside not in self.tables:
            if not self.shop.exists(inside):
                source.problem("unreadable", path, say("folder.no-file", path=shown(inside)))
                return None
            before = self.report.errors
            table, digest = read_price_table(self.shop, inside, self.currency, self.names)
            self.digests[inside] = digest
            self.tables[inside] = table if self.report.errors == before else None
        return self.tables[inside]


def load_ruleset(
    folder: Path | str,
    catalog: Catalog | None = None,
    methods: Collection[str] | None = None,
    today: date | None = None,
    *,
    run_cases: bool = True,
    overlay: Mapping[str, bytes | None] | None = None,
) -> Loaded:
    """Reads and checks a whole shop folder. Never raises for what the files hold.

    `catalog` defaults to the folder's own CSV files; `methods` are all installed plugin ids (None: not checked);
    `today` decides what has expired and the date of cases that name none (None: expiry is not checked).
    `overlay` is laid over the folder, by path: the bytes a file would have, None for one that would be gone.
    """
    from rules.checks import check_ruleset  # after files.py, whose types it uses

    report = Report()
    shop = ShopFolder(Path(folder), report, overlay or {})
    if catalog is None:
        catalog = read_catalog(shop.root)
    if not shop.root.is_dir():
        report.add("unreadable", str(folder), 1, say("folder.none", folder=folder))
        return Loaded(None, tuple(report.findings), catalog)
    for finding in catalog.findings:
        report.add(finding.check, finding.file, finding.line, finding.sentence, finding.advice)
    policy, currency, policy_bytes = read_policy(shop)
    loading = _Loading(shop, report, policy, currency, Names(catalog, methods, policy))
    for name in shop.names("rules"):
        _read_rule(loading, f"rules/{name}")
    for name in shop.names("exceptions"):
        _read_exception(loading, f"exceptions/{name}")
    ruleset = Ruleset(
        rules=tuple(loading.rules[code] for code in sorted(loading.rules)),
        exceptions=tuple(sorted(loading.exceptions, key=lambda one: one.id)),
        policy=policy,
        hash=ruleset_hash(loading.digests, policy_bytes),
    )
    parsed = ruleset if report.errors == 0 else None
    check_ruleset(report, ruleset, catalog, loading.names, loading.codes, today)
    cases: tuple[Any, ...] = ()
    if report.errors == 0 and run_cases:
        from rules.cases import check_cases
        from rules.price_checks import check_prices
        from rules.stale_accepts import check_accepts

        check_prices(report, ruleset, catalog, today)
        cases = check_cases(report, ruleset, catalog, today)
        notes = (*loading.names.skipped(), *report.skipped)
        check_accepts(report, ruleset.rules, catalog, notes, today)
    findings = tuple(sorted(report.findings, key=lambda one: (one.file, one.line, one.check)))
    notes = (*loading.names.skipped(), *report.skipped)
    return Loaded(ruleset if report.errors == 0 else None, findings, catalog, notes, cases, parsed)


def _read_rule(loading: _Loading, path: str) -> None:
    file = loading.shop.toml(path)
    if file is None:
        return
    loading.digests[path] = sha256(file.content).digest()
    source = Source(loading.report, path, file.lines, currency=loading.currency)
    before = loading.report.errors
    code = _code(source, file)
    source.rule = code
    effect_name = _effect_name(source, file, code)
    source.stage = effect_name if effect_name not in (None, "follow_up") else "credit"
    rest = {word: value for word, value in file.data.items() if word not in EFFECTS}
    values = read_table(source, "", rest, "", skip=frozenset({"when", "case"})) or {}
    if code is not None:
        loading.report.accepted[code] = values.get("accept", ())
    if {"from", "until"} <= values.keys() and values["until"] < values["from"]:
        said = say("rule.reversed", until=values["until"], start=values["from"])
        source.problem("reversed-dates", "until", said)
    when = read_when(source, rest["when"]) if "when" in rest else ()
    scope = _scope(source, values.get("scope"))
    cases = _cases(source, rest.get("case"))
    effect = None
    if effect_name is not None:
        effect = read_effect(source, effect_name, file.data[effect_name], loading.table)
    if code is not None:
        if code in loading.codes:
            source.problem(
                "repeated-code", "code", say("rule.code-twice", code=code, path=loading.codes[code])
            )
        loading.codes.setdefault(code, path)
    if loading.report.errors > before or code is None or effect is None or effect_name is None:
        return
    loading.rules[code] = Rule(
        code=code,
        name=values["name"],
        effect=effect,
        path=path,
        because=values.get("because"),
        note=values.get("note"),
        from_on=values.get("from"),
        until_on=values.get("until"),
        mode=values.get("mode", "live"),
        beats=values.get("beats", ()),
        accept=values.get("accept", ()),
        scope=scope,
        when=when,
        cases=cases,
        raw=file.data[effect_name],
        lines=file.lines,
    )


def _code(source: Source, file: TomlFile) -> str | None:
    """The code, when it has the right form and the file is called after it (rule-semantics 1)."""
    code = file.data.get("code")
    if not isinstance(code, str):
        return None  # read_table says that it is missing or no text
    match = _CODE.fullmatch(code)
    if match is None or match.group(1) not in GROUPS:
        hint = allowed(GROUPS) if match else say("rule.code-example")
        source.problem("file-name", "code", say("rule.code-form", code=shown(code)), hint)
        return None
    stem = file.path.rpartition("/")[2][: -len(".toml")]
    if stem != code and not stem.startswith(f"{code}_"):
        source.problem("file-name", "code", say("rule.file-name", code=code))
    return code


def _effect_name(source: Source, file: TomlFile, code: str | None) -> str | None:
    """The one effect table; a finding when there is none, a second or another than the code names."""
    given = [name for name in EFFECTS if name in file.data]
    wanted = GROUPS[code[:2]] if code else None
    if wanted is None:
        if not given and code is None and isinstance(file.data.get("code"), str):
            return None
        return given[0] if given else None
    for name in given:
        if name != wanted:
            source.problem("wrong-effect", name, say("rule.wrong-table", code=code, wanted=wanted, name=name))
    if wanted not in given:
        source.problem("wrong-effect", "", say("rule.no-table", code=code, wanted=wanted))
        return None
    return wanted


def _scope(source: Source, values: Mapping[str, Any] | None) -> Scope | None:
    if values is None:
        return None
    if not values:
        source.problem("empty-value", "scope", say("rule.scope-empty"), say("rule.scope-leave-out"))
    return Scope(values.get("regions"), values.get("customers", ()), values.get("percent"))


def _cases(source: Source, entries: Any) -> tuple[Mapping[str, Any], ...]:
    """The raw cases, when their keys are right; what they hold is checked by running them."""
    if entries is None:
        return ()
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        source.problem("wrong-type", "case", say("case.form"))
        return ()
    for place, entry in enumerate(entries):
        path = f"case.{place}"
        for word in entry:
            if word not in TABLES["case"]:
                said = say("key.unknown", word=shown(word), table="[[case]]")
                source.problem("unknown-key", f"{path}.{word}", said, suggestion(word, TABLES["case"]))
        expect = entry.get("expect")
        if not isinstance(expect, Mapping) or not expect:
            source.problem("missing-key", path, say("case.expect"))
            continue
        for word in expect:
            if word not in TABLES["expect"]:
                said = say("key.unknown", word=shown(word), table=say("key.decision"))
                hint = suggestion(word, TABLES["expect"])
                source.problem("unknown-key", f"{path}.expect.{word}", said, hint)
        if "cart" not in entry and "lines" not in entry:
            source.problem("missing-key", path, say("case.cart"))
    return tuple(entries)


def _read_exception(loading: _Loading, path: str) -> None:
    file = loading.shop.toml(path)
    if file is None:
        return
    loading.digests[path] = sha256(file.content).digest()
    code = file.data.get("rule")
    source = Source(
        loading.report, path, file.lines, code if isinstance(code, str) else None, loading.currency
    )
    name = path.rpartition("/")[2][: -len(".toml")]
    found = compile_exception(
        source, file.data, loading.rules, name, loading.table, known_codes=frozenset(loading.codes)
    )
    for kind in ("customer", "sku"):
        value = file.data.get(kind)
        if isinstance(value, str) and not loading.names.is_known(kind, value):
            said = unknown_name(NAMES[kind], value)
            source.problem(f"unknown-{kind}", kind, said, loading.names.nearest(kind, value))
    if found is not None:
        loading.exceptions.append(found)
