"""Keys of one table are changed and every other byte of the file stays."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.shop_folder.toml_edit import TomlEditError, with_keys

SHOP = '''# top
[shop]
name = "x"

# Of the sample
[plugins.sample]
enabled = true   # on
mode = "live"
text = """
[plugins.sample]
fake = 1
"""
list = [ # comment
  1, # [x]
  2,
] # end
# a last word on the sample

# The next one
[plugins.other]
enabled = true

[[plugins.sample.fees]]
a = 1 # one
[[plugins.sample.fees]]
a = 2
# bye
[mail]
sender = "a@b"'''


def changed(changes: dict[str, str | None], text: str = SHOP, name: str = "sample") -> str:
    return with_keys(text, ("plugins", name), changes)


def test_a_value_is_replaced_where_it_stands() -> None:
    assert changed({"enabled": "false"}) == SHOP.replace("true   # on", "false   # on")
    assert changed({"list": "[3]"}) == SHOP.replace("[ # comment\n  1, # [x]\n  2,\n]", "[3]")
    assert changed({"text": '"short"'}) == SHOP.replace('"""\n[plugins.sample]\nfake = 1\n"""', '"short"')


def test_a_new_key_stands_behind_the_last_one_and_not_under_the_next_tables_comment() -> None:
    assert changed({"new": '"v"'}) == SHOP.replace("] # end\n", '] # end\nnew = "v"\n')


def test_a_key_is_taken_away_with_its_line_or_with_its_tables() -> None:
    assert changed({"mode": None}) == SHOP.replace('mode = "live"\n', "")
    without = SHOP.replace("[[plugins.sample.fees]]\na = 1 # one\n[[plugins.sample.fees]]\na = 2\n", "")
    assert changed({"fees": None}) == without
    assert changed({"fees": "[{a = 3}]"}) == without.replace("] # end\n", "] # end\nfees = [{a = 3}]\n")


def test_a_table_that_is_not_there_is_put_at_the_end() -> None:
    assert changed({"enabled": "true"}, name="third") == f"{SHOP}\n\n[plugins.third]\nenabled = true\n"
    assert changed({"enabled": "true"}, "", "odd name") == '[plugins."odd name"]\nenabled = true\n'


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("[plugins]\nsample.a = 1 # on\nother.a=2\n", "[plugins]\nsample.a = 5 # on\nsample.b = 6\nother.a=2\n"),
        ("plugins.sample.a = 1\n[x]\n", "plugins.sample.a = 5\nplugins.sample.b = 6\n[x]\n"),
        ("[plugins]\nsample = {a = 1, c = 2} # c\n", "[plugins]\nsample = {a = 5, c = 2, b = 6} # c\n"),
        ("plugins = {sample = {a = 1}}\n", "plugins = {sample = {a = 5,b = 6}}\n"),
        ("  [ plugins . 'sample' ] # h\n  a=1\n[y]\n", "  [ plugins . 'sample' ] # h\n  a=5\n  b = 6\n[y]\n"),
        ("[plugins.sample]\na=1", "[plugins.sample]\na=5\nb = 6\n"),
        ("[plugins.sample]\r\na=1\r\n\r\n# n\r\n[y]\r\n", "[plugins.sample]\r\na=5\r\nb = 6\r\n\r\n# n\r\n[y]\r\n"),
        ("[plugins.sample.c]\nx = 1\n", "[plugins.sample]\na = 5\nb = 6\n\n[plugins.sample.c]\nx = 1\n"),
        ("[plugins.sample]", "[plugins.sample]\na = 5\nb = 6\n"),
    ],
)  # fmt: skip
def test_every_way_of_writing_a_table_is_changed_in_its_own_way(text: str, made: str) -> None:
    assert changed({"a": "5", "b": "6"}, text) == made


@pytest.mark.parametrize("text", ["[plugins", "plugins = 1", "[plugins]\nsample = 1\n", "[a]\n[a]\n"])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(TomlEditError):
        changed({"a": "1"}, text)


@pytest.mark.parametrize("value", ["1\n[x]", "1\nb = 2", "", "{", '"', "1 # more\nc = 3", "]"])
def test_a_value_cannot_break_out_of_its_place(value: str) -> None:
    with pytest.raises(TomlEditError):
        changed({"a": value})


_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)
_VALUES = st.one_of(st.integers(-99, 99), st.booleans(), _WORDS, st.lists(st.integers(0, 9), max_size=3))


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["enabled", "mode", "list", "fees", "new", "あ b"]), _VALUES, max_size=4)
)
def test_whatever_is_set_is_read_back_and_lines_of_others_stay(values: dict[str, object]) -> None:
    from storefront.plugins.forms import inline

    made = changed({key: inline(value) for key, value in values.items()})
    before, after = tomllib.loads(SHOP), tomllib.loads(made)
    assert after["plugins"].pop("sample") == before["plugins"].pop("sample") | values
    assert after == before
    assert [line for line in made.splitlines() if "#" in line and "The next" in line] == ["# The next one"]
