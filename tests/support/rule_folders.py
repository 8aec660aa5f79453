"""Small shop folders written by a test: rule texts in, findings out."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from rules import Finding, Loaded, Ruleset, load_ruleset

METHODS = ("bank_transfer", "dummy", "flat_rate", "net_terms", "table_rate")
TODAY = date(2026, 12, 1)


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files by their path in the folder; a rule may be given by its code alone, such as "QT10"."""
    for name, content in files.items():
        path = folder / (f"rules/{name}.toml" if "." not in name else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def rule(code: str, body: str) -> str:
    """A rule file with a code and a name before its body."""
    return f'code = "{code}"\nname = "Rule {code}"\n{body}'


def rules(**bodies: str) -> dict[str, str]:
    """Rule files by code: rules(QT10="[quantity]\\nminimum = 5")."""
    return {code: rule(code, body) for code, body in bodies.items()}


def load(folder: Path, files: Mapping[str, str | bytes]) -> Loaded:
    return load_ruleset(write(folder, files), methods=METHODS, today=TODAY)


def loaded(folder: Path, files: Mapping[str, str | bytes]) -> Ruleset:
    """The rule set of files that must be without error."""
    found = load(folder, files)
    assert found.ruleset is not None, "\n".join(str(finding) for finding in found.findings)
    return found.ruleset


def errors(folder: Path, files: Mapping[str, str | bytes]) -> list[Finding]:
    return list(load(folder, files).errors)


def warnings(folder: Path, files: Mapping[str, str | bytes]) -> list[str]:
    """Codes of the warnings, those about missing cases left out."""
    found = load(folder, files).findings
    return [one.check for one in found if one.severity == "warning" and not one.check.startswith("rule-")]


def only_error(folder: Path, files: Mapping[str, str | bytes]) -> Finding:
    found = errors(folder, files)
    assert len(found) == 1, "\n".join(str(finding) for finding in found)
    return found[0]
