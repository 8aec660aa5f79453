"""`koguchi`: commands are found by name, faults are told in words, exit codes mean what the manual says."""

import io
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from storefront import cli, create_app
from storefront.accounts import User
from storefront.database import Base, get_session
from support.shop import PASSWORD, make_app


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "KOGUCHI_SHOP", "KOGUCHI_ENV", "KOGUCHI_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_command_or_with_a_wrong_one_the_commands_are_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main([]) == 2
    assert cli.main(["--help"]) == 0
    assert "koguchi COMMAND" in capsys.readouterr().out
    assert cli.main(["sreve"]) == 2
    assert "no command 'sreve'" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_in_the_list_exists_and_has_its_help(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module = import_module(cli.COMMANDS[name][0])
    assert callable(module.register)
    assert callable(module.run)
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: koguchi {name}")


def test_a_folder_without_a_shop_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["db", "upgrade", "--shop", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "there is no shop.toml" in told
    assert "Traceback" not in told


def test_the_command_loads_nothing_heavy_before_it_is_needed() -> None:
    heavy = ("flask", "sqlalchemy", "pydantic")
    seen = f"import sys; from storefront.cli import main; main(['--help']); print(set({heavy}) & sys.modules.keys())"
    answer = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert answer.stdout.strip().endswith("set()")


def test_db_upgrade_makes_an_empty_database_ready_and_then_finds_nothing_to_do(
    shop_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["db", "upgrade", "--shop", str(shop_folder)]) == 0
    assert capsys.readouterr().out.startswith("done")
    assert cli.main(["db", "upgrade", "--shop", str(shop_folder)]) == 0
    assert capsys.readouterr().out.startswith("nothing to do")
    engine = create_engine(f"sqlite:///{shop_folder / 'var' / 'shop.sqlite'}")
    assert {"companies", "users", "orders", "products"} <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_user_add_makes_an_owner_who_can_sign_in(
    shop_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_app(shop_folder).extensions["koguchi"].close()
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert (
        cli.main(["user", "add", "Owner@Aoyagi.example", "--shop", str(shop_folder), "--password-stdin"]) == 0
    )
    assert "owner@aoyagi.example can sign in as owner" in capsys.readouterr().out
    app = create_app(shop_folder)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        kept = get_session().execute(text("SELECT password FROM users")).scalar_one()
        assert kept.startswith("$argon2id$")
    answer = app.test_client().post("/login", data={"email": "owner@aoyagi.example", "password": PASSWORD})
    app.extensions["koguchi"].close()
    assert answer.status_code == 302


@pytest.mark.parametrize(
    ("words", "password", "told"),
    [
        (["nobody"], PASSWORD, "nobody"),
        (["a@b.example"], "short", "10 to 200 characters"),
        (["a@b.example", "--role", "buyer"], PASSWORD, "buyers need a company's code"),
        (["a@b.example", "--role", "buyer", "--company", "NIX"], PASSWORD, "no company with the code NIX"),
        (["a@b.example", "--role", "owner", "--company", "NIX"], PASSWORD, "the shop's own people have none"),
    ],
)
def test_user_add_refuses_with_a_sentence(
    shop_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    password: str,
    told: str,
) -> None:
    make_app(shop_folder).extensions["koguchi"].close()
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
    assert cli.main(["user", "add", *words, "--shop", str(shop_folder), "--password-stdin"]) == 1
    assert told in capsys.readouterr().err


def test_the_server_is_set_up_with_threads_and_without_a_control_socket(shop_folder: Path) -> None:
    from storefront.commands.serve import server

    made = server(
        str(shop_folder),
        {"bind": "127.0.0.1:0", "worker_class": "gthread", "threads": 3, "control_socket_disable": True},
    )
    assert made.cfg.threads == 3
    assert made.cfg.settings["control_socket_disable"].get() is True
    assert User.__table__ in Base.metadata.sorted_tables


@pytest.mark.parametrize(
    "command",
    [("plugins",), ("worker", "--once"), ("health",), ("rules", "check")],
)
def test_every_command_takes_the_shop_with_and_without_its_option(
    shop_folder: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    make_app(shop_folder).extensions["koguchi"].close()
    shop = str(shop_folder)
    assert [cli.main([*command, shop]), cli.main([*command, "--shop", shop])] == [0, 0]
    capsys.readouterr()


def test_without_a_terminal_the_password_must_come_with_an_option(
    shop_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert cli.main(["user", "add", "a@example.jp", str(shop_folder)]) == 2
    assert "--password-stdin" in capsys.readouterr().err
