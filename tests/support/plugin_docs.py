"""Makes the reference part of docs/plugins.md from plugins/contract.py; run it to write the page anew."""

import ast
import inspect
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"
BEGIN, END = "<!-- reference: made from plugins/contract.py -->", "<!-- end of reference -->"


def _tree() -> ast.Module:
    from plugins import contract

    return ast.parse(inspect.getsource(contract))


def _text(node: ast.AST) -> str:
    return ast.unparse(node)


def _signature(function: ast.FunctionDef) -> str:
    arguments = _text(function.args)
    returns = f" -> {_text(function.returns)}" if function.returns else ""
    return f"def {function.name}({arguments}){returns}"


def hooks() -> list[tuple[str, str, str]]:
    """(name, signature, docstring) of every hook."""
    return [
        (node.name, _signature(node), ast.get_docstring(node) or "")
        for node in _tree().body
        if isinstance(node, ast.FunctionDef)
        and any(_text(mark) == "hookspec" for mark in node.decorator_list)
    ]


def _record(node: ast.ClassDef) -> list[str]:
    lines = [f"**{node.name}**. {ast.get_docstring(node) or ''}".strip(), ""]
    members = []
    for part in node.body:
        if isinstance(part, ast.AnnAssign):
            members.append(_text(part))
        elif isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
            is_property = any(_text(mark) == "property" for mark in part.decorator_list)
            returns = _text(part.returns) if part.returns else ""
            members.append(f"{part.name}: {returns}" if is_property else _signature(part))
        elif isinstance(part, ast.Assign) and "auto()" in _text(part):
            members.append(_text(part.targets[0]))
    if members:
        lines += ["```python", *members, "```", ""]
    return lines


def reference() -> str:
    """The reference part as Markdown."""
    lines = [BEGIN, "", "## Hooks", ""]
    for name, signature, docs in hooks():
        lines += [f"### {name}", "", "```python", signature, "```", "", docs, ""]
    lines += ["## Records", ""]
    for node in _tree().body:
        if isinstance(node, ast.ClassDef):
            lines += _record(node)
    return "\n".join([*lines, END])


def main() -> None:
    page = PAGE.read_text("utf-8")
    head, tail = page.split(BEGIN)[0], page.split(END)[-1]
    PAGE.write_text(head + reference() + tail, "utf-8")


if __name__ == "__main__":
    main()
