"""`koguchi new` writes the three-rule starter, says what to do next, and never writes over anything."""

import shlex
import subprocess
import sys

import pytest

from rules import load_ruleset
from storefront import cli
from storefront.commands.rule_folder import InstalledMethods


def test_a_new_shop_has_three_rules_without_a_finding(tmp_path, capsys):
    shop = tmp_path / "myshop"
    assert cli.main(["new", str(shop)]) == 0
    loaded = load_ruleset(shop, methods=InstalledMethods())
    assert [rule.code for rule in loaded.ruleset.rules] == ["OR10", "PR10", "QT10"]
    assert loaded.findings == ()


def test_the_three_commands_it_names_work_as_printed(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shop = tmp_path / "myshop"
    cli.main(["new", str(shop)])
    printed = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  koguchi")]
    assert len(printed) == 3
    check, evaluate, opening = (shlex.split(line)[1:] for line in printed)
    seed, serve = opening[: opening.index("&&")], opening[opening.index("&&") + 2 :]
    assert cli.main(check) == 0
    assert "9 cases passed" in capsys.readouterr().out
    assert cli.main(evaluate) == 0
    assert '"code": "QT10"' in capsys.readouterr().out
    assert cli.main(seed) == 0
    assert "3 products, 2 customers" in capsys.readouterr().out
    assert serve[:2] == ["serve", "--shop"]


@pytest.mark.parametrize("held", ["file", "folder with something in it"])
def test_nothing_is_written_over(tmp_path, capsys, held):
    shop = tmp_path / "myshop"
    if held == "file":
        shop.write_text("mine")
    else:
        shop.mkdir()
        (shop / "mine.txt").write_text("mine")
    assert cli.main(["new", str(shop)]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert (
        shop.read_text() == "mine"
        if held == "file"
        else [path.name for path in shop.iterdir()] == ["mine.txt"]
    )


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "myshop").mkdir()
    assert cli.main(["new", str(tmp_path / "myshop")]) == 0


def test_writing_a_shop_never_loads_flask(tmp_path):
    code = (
        "import sys; from storefront import cli; "
        f"assert cli.main(['new', {str(tmp_path / 'myshop')!r}]) == 0; "
        "assert 'flask' not in sys.modules and 'sqlalchemy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
