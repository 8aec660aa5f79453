"""One table of every sentence that the checks say: key to (English, Japanese). Data only; said.py fills it.

Both sentences of a key hold the same {values}; doubled braces are braces.
"""

from rules.messages import carts, files, prices, todo, together, toml_faults, values

SENTENCES: dict[str, tuple[str, str]] = {
    **values.SENTENCES,
    **files.SENTENCES,
    **toml_faults.SENTENCES,
    **together.SENTENCES,
    **prices.SENTENCES,
    **carts.SENTENCES,
    **todo.SENTENCES,
}
