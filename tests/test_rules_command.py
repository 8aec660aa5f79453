"""koguchi rules ...: exit codes, JSON and sentences, on a bare shop folder and without a web framework."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rules import load_ruleset
from rules.sentences import rule_sentence
from storefront.cli import main
from support.rule_folders import rule, rules, write

BOOK = Path(__file__).parent / "support" / "book_shop"
BAD = Path(__file__).parent / "bad_rules"


def cart_file(tmp_path: Path, data: Any) -> str:
    path = tmp_path / "cart.json"
    path.write_text(json.dumps(data))
    return str(path)


def book_cart(quantity: Any, **more: Any) -> dict[str, Any]:
    return {
        "on": "2026-12-01",
        "customer": {"code": "ACME"},
        "lines": [{"sku": "M4-10", "quantity": quantity}],
        **more,
    }


def evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str], data: Any, *more: str) -> Any:
    assert main(["rules", "evaluate", str(BOOK), "--cart", cart_file(tmp_path, data), *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_check_exits_1_on_an_error_and_prints_file_line_and_the_nearest_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["rules", "check", str(BAD / "unknown-key")]) == 1
    out = capsys.readouterr().out
    assert 'rules/QT10.toml:5: error unknown-key: "minumum" is not a key of [quantity].' in out
    assert 'Did you mean "minimum"?' in out
    assert "1 error, 0 warnings" in out


def test_check_exits_0_on_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check", str(BAD / "minimum-off-multiple")]) == 0
    assert "1 rule, 1 case passed, 0 errors, 1 warning." in capsys.readouterr().out


def test_check_json_has_exactly_the_promised_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check", "--json", str(BAD / "unknown-key")]) == 1
    captured = capsys.readouterr()
    (finding,) = json.loads(captured.out)
    assert list(finding) == ["file", "line", "check", "rule", "severity", "message", "hint"]
    assert (finding["file"], finding["line"], finding["check"], finding["rule"], finding["severity"]) == (
        "rules/QT10.toml", 5, "unknown-key", "QT10", "error"
    )  # fmt: skip
    assert main(["rules", "check", str(BOOK), "--json"]) == 0
    assert {one["severity"] for one in json.loads(capsys.readouterr().out)} == {"warning"}


def test_check_says_on_the_error_stream_which_names_it_could_not_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = '[when]\n"product.sku" = "M4"\n"customer.group" = "trial"\n[quantity]\nminimum = 1\n'
    write(tmp_path, rules(QT10=body))
    assert main(["rules", "check", str(tmp_path), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)[0]["check"] == "rule-without-case"
    assert "SKUs were not checked" in captured.err
    assert "groups were not checked" in captured.err


def test_the_shop_is_the_working_directory_unless_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(BAD / "tie")
    assert main(["rules", "check"]) == 1
    assert "tie" in capsys.readouterr().out


def test_test_runs_the_cases_and_says_what_they_cover(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "test", str(BOOK)]) == 0
    out = capsys.readouterr().out
    assert "ok   QT10 60 screws pay the small-lot fee" in out
    assert "2 passed, 0 failed. 1 of 3 rules covered." in out
    assert "No case reaches PR20, QT01." in out


def test_test_exits_1_when_a_case_fails_or_the_folder_has_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "test", str(BAD / "case-fails")]) == 1
    assert 'rules/QT10.toml:7: outcome is "block", expected "ok"' in capsys.readouterr().out
    assert main(["rules", "test", str(BAD / "tie")]) == 1


def test_the_decision_for_60_pieces_is_the_one_of_the_semantics(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decision = evaluate(tmp_path, capsys, book_cart(60))
    assert (decision["outcome"], decision["goods"], decision["subtotal"], decision["total"]) == (
        "ok",
        "4680",
        "5480",
        "6028",
    )
    assert [(one["code"], one["amount"]) for one in decision["surcharges"]] == [("QT10", "800")]
    assert decision["tax"] == [{"category": "standard", "rate": "0.10", "base": "5480", "amount": "548"}]
    (issue,) = decision["issues"]
    assert (issue["outcome"], issue["have"], issue["need"]) == ("surcharge", "60", "100")
    assert issue["fixes"] == [{"line": "1", "quantity": 100, "change": "+2320"}]


def test_the_decision_for_5_pieces_names_both_ways_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decision = evaluate(tmp_path, capsys, book_cart(5))
    assert decision["outcome"] == "block"
    fixes = decision["issues"][0]["fixes"]
    assert [fix["quantity"] for fix in fixes] == [10, 60, 100]
    assert fixes[-1]["change"] == "+7410"


def test_evaluate_prints_keys_in_order_and_texts_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["rules", "evaluate", str(BOOK), "--cart", cart_file(tmp_path, book_cart(60))])
    out = capsys.readouterr().out
    assert list(json.loads(out))[:5] == ["ruleset", "on", "currency", "outcome", "lines"]
    assert "小ロット手数料" in out
    assert out.startswith('{\n  "ruleset": "sha256:')


def test_explain_adds_what_was_considered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(tmp_path, capsys, book_cart(60))["considered"] == []
    considered = evaluate(tmp_path, capsys, book_cart(60), "--explain")["considered"]
    assert {(one["code"], one["status"]) for one in considered} >= {
        ("QT10", "applied"),
        ("QT01", "outranked_by"),
    }


def test_a_cart_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps(book_cart(100)).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert main(["rules", "evaluate", str(BOOK), "--cart", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "ok"


def test_a_cart_that_cannot_be_evaluated_exits_2_with_one_message_per_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cart = cart_file(tmp_path, {"lines": [{"sku": "M5", "quantity": 1.5}], "channel": "wbe"})
    assert main(["rules", "evaluate", str(BOOK), "--cart", cart]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sorted(line.partition(":")[0] for line in captured.err.splitlines()) == [
        "channel", "lines[0].quantity", "lines[0].sku"
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": NaN}', b"\xff\xfe", b"[" * 1000])
def test_a_cart_file_that_is_no_json_exits_2(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cart.json").write_bytes(content)
    assert main(["rules", "evaluate", str(BOOK), "--cart", str(tmp_path / "cart.json")]) == 2
    assert main(["rules", "evaluate", str(BOOK), "--cart", str(tmp_path / "none.json")]) == 2


def test_an_array_of_carts_is_answered_in_order_with_errors_in_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = evaluate(tmp_path, capsys, [book_cart(100), book_cart(0), 5, book_cart(60)])
    assert [answer.get("outcome") for answer in answers] == ["ok", None, None, "ok"]
    assert set(answers[1]) == {"error", "detail"}
    assert "lines[0].quantity" in answers[1]["detail"][0]
    assert evaluate(tmp_path, capsys, []) == []


def test_a_folder_with_errors_is_not_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cart = cart_file(tmp_path, {"lines": [{"sku": "M4", "quantity": 60}]})
    for command in (["evaluate"], ["why", "--rule", "QT10"]):
        assert main(["rules", command[0], str(BAD / "case-fails"), "--cart", cart, *command[1:]]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "case-fails" in captured.err


def test_a_tie_met_only_by_inline_facts_fails_that_evaluation_and_names_both_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = rules(
        PR10='[when]\n"product.brand" = "A"\n[price]\nunit = 1\n',
        PR20='[when]\n"product.brand" = ["A", "B"]\n[price]\nunit = 2\n',
    )
    folder = write(tmp_path / "shop", {**files, "products.csv": "sku,brand\nM4,B\n"})
    cart = {"lines": [{"sku": "X", "quantity": 1}], "products": {"X": {"brand": "A"}}}
    assert main(["rules", "evaluate", str(folder), "--cart", cart_file(tmp_path, cart)]) == 2
    err = capsys.readouterr().err
    assert "rules/PR10.toml" in err and "rules/PR20.toml" in err


def test_why_tells_in_words_why_a_rule_applied_or_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def why(cart: dict[str, Any], code: str, *more: str) -> str:
        assert (
            main(["rules", "why", str(BOOK), "--cart", cart_file(tmp_path, cart), "--rule", code, *more]) == 0
        )
        return capsys.readouterr().out

    assert "Line 1 (M4-10): QT10 applied." in why(book_cart(60), "QT10")
    assert "QT10 won" in why(book_cart(60), "QT01")
    fax = why(book_cart(60, channel="quotation"), "QT10")
    assert 'QT10 did not match: order.channel is "quotation", and the rule wants not "quotation".' in fax
    assert "other customers only" in why({**book_cart(60), "customer": {"group": "trial"}}, "QT10")
    assert "not in force on 2026-11-30" in why(book_cart(60, on="2026-11-30"), "QT10")
    assert "Line 1" in why(book_cart(60), "PR20", "--line", "1")


def test_why_tells_which_row_or_break_of_a_price_was_not_reached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = "customer,sku,from,unit,valid_from,valid_until"
    agreed = f"{head}\nHAYASHI,M4,100,80,,\nHAYASHI,M6,1,90,2026-01-01,2026-06-30\n"
    files = rules(
        PR20='[when]\n"customer.group" = "gold"\n[price]\ntable = "prices/agreed.csv"\n',
        PR30="[price]\nbreaks = [{from = 200, off_percent = 5}]\n",
        PR40="[price]\noff_percent = 3\n",
    )
    folder = write(tmp_path / "shop", {**files, "prices/agreed.csv": agreed})
    items = {"M4": {"list_price": "100"}, "M5": {"list_price": "100"}, "M6": {"list_price": "100"}, "M8": {}}

    def why(sku: str, code: str) -> str:
        cart = {"on": "2026-11-21", "lines": [{"sku": sku, "quantity": 30}], "products": items,
                "customer": {"code": "HAYASHI", "group": "gold"}}  # fmt: skip
        assert main(["rules", "why", str(folder), "--cart", cart_file(tmp_path, cart), "--rule", code]) == 0
        return capsys.readouterr().out

    table = "PR20 names no price here: "
    assert f"{table}for this customer and item prices/agreed.csv begins at 100 pieces, and 30" in why(
        "M4", "PR20"
    )
    assert f"{table}prices/agreed.csv has no row for this customer and item." in why("M5", "PR20")
    assert f"{table}no row of prices/agreed.csv for this customer and item is in force on" in why(
        "M6", "PR20"
    )
    assert "PR30 names no price here: its first price is from 200 pieces, and 30 are counted." in why(
        "M4", "PR30"
    )
    assert "PR40 names no price here: it changes another price, and there is none so far." in why(
        "M8", "PR40"
    )


def test_why_refuses_unknown_rules_and_lines_with_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cart = cart_file(tmp_path, book_cart(60))
    assert main(["rules", "why", str(BOOK), "--cart", cart, "--rule", "QT11"]) == 2
    assert 'Did you mean "QT10"?' in capsys.readouterr().err
    assert main(["rules", "why", str(BOOK), "--cart", cart, "--rule", "QT10", "--line", "9"]) == 2


def test_why_speaks_japanese_where_the_machine_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert (
        main(["rules", "why", str(BOOK), "--cart", cart_file(tmp_path, book_cart(60)), "--rule", "QT10"]) == 0
    )
    assert "QT10 が適用されました" in capsys.readouterr().out


def test_schema_and_vocabulary_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Koguchi rule"
    assert main(["rules", "vocabulary"]) == 0
    assert "`product.category`" in capsys.readouterr().out


def test_methods_are_those_of_the_installed_plugins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"PM10": rule("PM10", '[payment]\nhide = ["net_terms", "bank_transfre"]\n')})
    assert main(["rules", "check", str(tmp_path)]) == 1
    assert 'there is no method "bank_transfre". Did you mean "bank_transfer"?' in capsys.readouterr().out


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rulse"]) == 2
    assert 'Did you mean "rules"?' in capsys.readouterr().err
    with pytest.raises(SystemExit) as refused:
        main(["rules", "chekc"])
    assert refused.value.code == 2
    assert main([]) == 2
    assert main(["--help"]) == 0


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_a_command_starts_without_the_web_and_prints_utf_8_in_any_locale(tmp_path: Path, locale: str) -> None:
    shop = tmp_path / "店"
    write(
        shop,
        {
            "QT10": 'code = "QT10"\nname = "最低数量"\n[quantity]\nminimum = 10\n',
            "products.csv": "sku,list_price\nM4,10\n",
        },
    )
    (shop / "cart.json").write_text('{"lines": [{"sku": "M4", "quantity": 5}]}')
    program = (
        "import sys; from storefront.cli import main; "
        "code = main(['rules', 'evaluate', '.', '--cart', 'cart.json']); "
        "heavy = {'flask', 'sqlalchemy', 'pydantic', 'durable', 'babel', 'werkzeug'} & set(sys.modules); "
        "print(sorted(heavy), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-O", "-c", program],
        cwd=shop,
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "LC_ALL": locale, "PATH": "", "PYTHONUTF8": "0"},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr.decode().strip() == "[]"
    assert "最低数量" in done.stdout.decode() or json.loads(done.stdout)["outcome"] == "block"


def test_the_order_of_files_and_their_names_change_no_byte(tmp_path: Path) -> None:
    one = load_ruleset(
        write(tmp_path / "a", rules(QT10="[quantity]\nminimum = 1\n", SC10="[surcharge]\namount = 1\n"))
    )
    two = load_ruleset(
        write(tmp_path / "b", rules(SC10="[surcharge]\namount = 1\n", QT10="[quantity]\nminimum = 1\n"))
    )
    assert one.ruleset is not None and two.ruleset is not None
    assert one.ruleset.hash == two.ruleset.hash


def test_a_misspelt_table_of_a_rule_is_told_with_the_right_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rules").mkdir()
    text = 'code = "QT10"\nname = {ja = "最低数"}\n[quantitty]\nminimum = 5\n'
    (tmp_path / "rules" / "QT10.toml").write_text(text, "utf-8")
    assert main(["rules", "check", str(tmp_path)]) == 1
    assert 'rules/QT10.toml:3: error unknown-key: "quantitty" is not' in (said := capsys.readouterr().out)
    assert 'Did you mean "quantity"?' in said


def test_a_japanese_sentence_of_a_rule_reads_on_after_a_verb() -> None:
    ruleset = load_ruleset(BAD.parents[1] / "examples" / "neji").ruleset
    assert ruleset is not None
    said = [rule_sentence(one, "ja") for one in ruleset.rules]
    assert not [one for one in said if "あるのとき" in one or "いるのとき" in one or "ないのとき" in one]
