"""shop.toml and the environment become Settings; every fault is told at once and in words."""

import os
import stat
from pathlib import Path

import pytest

from storefront.settings import SettingsError, load_settings
from support.shop import SHOP_TOML, write_shop

STRONG = "8f2Kx-91mQvZ7_LdPw3TyN5uRb6HsGcJ4aXe"


def test_the_tiny_shop_is_read(shop_folder: Path) -> None:
    settings = load_settings(shop_folder, environ={})
    assert settings.name["ja"] == "青柳螺子製作所"
    assert settings.name["en"] == "Aoyagi Fastener Works"
    assert (settings.currency, settings.timezone, settings.matcher) == ("JPY", "Asia/Tokyo", "indexed")
    assert settings.database_url == f"sqlite:///{shop_folder / 'var' / 'shop.sqlite'}"
    assert settings.plugins["bank_transfer"]["enabled"] is True
    assert settings.default_language == "ja"


def test_the_environment_comes_before_the_file_and_overrides_before_both(shop_folder: Path) -> None:
    environ = {
        "DATABASE_URL": "postgresql://u@h/db",
        "KOGUCHI_MATCHER": "durable",
        "KOGUCHI_SECRET_KEY": STRONG,
    }
    settings = load_settings(shop_folder, environ, {"matcher": "indexed"})
    assert settings.database_url == "postgresql://u@h/db"
    assert settings.secret_key.get_secret_value() == STRONG
    assert settings.matcher == "indexed"


def test_the_folder_comes_from_the_environment_when_none_is_given(shop_folder: Path) -> None:
    assert load_settings(environ={"KOGUCHI_SHOP": str(shop_folder)}).folder == shop_folder


def test_secrets_of_plugins_come_from_the_environment(tmp_path: Path) -> None:
    folder = write_shop(tmp_path, SHOP_TOML + '[plugins.stripe_checkout]\napi_key = "env:STRIPE_KEY"\n')
    assert load_settings(folder, {"STRIPE_KEY": "sk_1"}).plugins["stripe_checkout"]["api_key"] == "sk_1"
    with pytest.raises(
        SettingsError, match=r"plugins\.stripe_checkout\.api_key wants the environment variable STRIPE_KEY"
    ):
        load_settings(folder, {})


def test_every_fault_is_told_at_once_with_key_value_and_what_is_allowed(tmp_path: Path) -> None:
    toml = """
    [shop]
    naem = "x"
    base_url = "shop.example"
    languages = ["ja", "fr"]
    [policy]
    currency = "YEN"
    timezone = "Tokyo"
    [plugin]
    """
    with pytest.raises(SettingsError) as refused:
        load_settings(write_shop(tmp_path, toml), {})
    told = "\n".join(refused.value.faults)
    assert "[plugin] is unknown; allowed: shop, policy" in told
    assert "[shop] naem is unknown; allowed: name" in told
    for fragment in (
        "base_url must be the shop's address",
        "'YEN'",
        "languages.1",
        "is no time zone; write one like",
    ):
        assert fragment in told


@pytest.mark.parametrize("content", [b"[shop\n", b"\xff\xfe[shop]", b"[shop]\nname = 1\nname = 2\n"])
def test_a_file_that_is_no_toml_is_refused_by_its_path(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "shop.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"shop\.toml"):
        load_settings(tmp_path, {})


def test_a_folder_without_a_shop_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="koguchi new"):
        load_settings(tmp_path, {})


def test_a_demo_gets_a_secret_of_its_own_readable_by_its_owner_only(shop_folder: Path) -> None:
    first = load_settings(shop_folder, {}).secret_key.get_secret_value()
    again = load_settings(shop_folder, {}).secret_key.get_secret_value()
    mode = stat.S_IMODE(os.stat(shop_folder / "var" / "secret_key").st_mode)
    assert first == again
    assert len(first) >= 32
    assert mode == 0o600


@pytest.mark.parametrize(
    "weak", [None, "", "dev", "secret", "password", "short", "a" * 40, "ababababababababababababababababab"]
)
def test_production_refuses_to_start_with_a_weak_secret(shop_folder: Path, weak: str | None) -> None:
    environ = {"KOGUCHI_ENV": "production"} | ({"KOGUCHI_SECRET_KEY": weak} if weak is not None else {})
    with pytest.raises(SettingsError, match="KOGUCHI_SECRET_KEY is missing or weak"):
        load_settings(shop_folder, environ)


def test_control_production_starts_with_a_strong_secret(shop_folder: Path) -> None:
    settings = load_settings(shop_folder, {"KOGUCHI_ENV": "production", "KOGUCHI_SECRET_KEY": STRONG})
    assert settings.production
    assert not (shop_folder / "var" / "secret_key").exists()


def test_production_refuses_an_address_without_tls(shop_folder: Path) -> None:
    environ = {
        "KOGUCHI_ENV": "production",
        "KOGUCHI_SECRET_KEY": STRONG,
        "KOGUCHI_BASE_URL": "http://shop.example",
    }
    with pytest.raises(SettingsError, match="https://"):
        load_settings(shop_folder, environ)


def test_no_secret_is_shown_by_settings_or_by_their_faults(tmp_path: Path) -> None:
    toml = SHOP_TOML + '[mail]\nserver = "mail:25"\npassword = 12345\n'
    with pytest.raises(SettingsError) as refused:
        load_settings(write_shop(tmp_path, toml), {})
    assert "12345" not in str(refused.value)
    (tmp_path / "other").mkdir()
    settings = load_settings(write_shop(tmp_path / "other"), {"KOGUCHI_SECRET_KEY": STRONG})
    assert STRONG not in repr(settings)


@pytest.mark.parametrize(
    "value", ["red;} body{display:none", "url(https://evil.example/x)", "expression(</style>)", "x" * 300]
)
def test_a_theme_token_cannot_break_out_of_its_line(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match="is no token"):
        load_settings(write_shop(tmp_path, SHOP_TOML + f'[theme]\n"--indigo" = "{value}"\n'), {})


def test_a_theme_replaces_tokens(tmp_path: Path) -> None:
    folder = write_shop(tmp_path, SHOP_TOML + '[theme]\n"--indigo" = "#0a5"\n"--round" = "4px"\n')
    assert load_settings(folder, {}).theme == {"--indigo": "#0a5", "--round": "4px"}
