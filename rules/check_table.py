"""Every check of `koguchi rules check`: its code, severity and meaning. A table and nothing else.

Each code has a folder tests/bad_rules/<code>/ that shows it, and a place in docs/checks.md.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    severity: str  # error or warning
    en: str
    ja: str


def _error(en: str, ja: str) -> Check:
    return Check("error", en, ja)


def _warning(en: str, ja: str) -> Check:
    return Check("warning", en, ja)


CHECKS: dict[str, Check] = {
    # files
    "unreadable": _error("A file or folder cannot be read.", "ファイルまたはフォルダを読めません。"),
    "outside-folder": _error(
        "A file or a table path leads outside the shop folder.",
        "ファイルや表のパスが店のフォルダの外を指しています。",
    ),
    "not-utf8": _error("A file is not UTF-8 text.", "ファイルがUTF-8ではありません。"),
    "too-large": _error(
        "A file is larger than 1,000,000 bytes (price tables: 200 MB).",
        "ファイルが1,000,000バイト(価格表は200MB)を超えています。",
    ),
    "too-deep": _error("A file is nested more than 6 levels deep.", "入れ子が6段を超えています。"),
    "toml-syntax": _error("The file is not valid TOML.", "TOMLの書き方が正しくありません。"),
    "file-name": _error(
        "The file name and the rule's code do not agree, or the code is not a group and one to six digits.",
        "ファイル名とルールのコードが一致しないか、コードの形が正しくありません。",
    ),
    "repeated-code": _error("Two files carry the same code.", "同じコードのファイルが二つあります。"),
    # keys and values
    "unknown-key": _error(
        "A key that does not exist, often a typing mistake.", "存在しないキーです(多くは打ち間違い)。"
    ),
    "missing-key": _error("A key that is needed is not there.", "必要なキーがありません。"),
    "wrong-effect": _error(
        "The file does not hold exactly the one effect table that its code names.",
        "コードが示す効果の表がちょうど一つ書かれていません。",
    ),
    "conflicting-keys": _error(
        "Keys that exclude each other stand together.", "同時に書けないキーが並んでいます。"
    ),
    "wrong-type": _error("A value has the wrong type.", "値の型が違います。"),
    "wrong-value": _error("A value is outside what is allowed.", "値が許される範囲の外です。"),
    "empty-value": _error("A text, list or table is empty.", "文字列・リスト・表が空です。"),
    "too-many-decimals": _error(
        "A number has more digits than its currency or unit price can hold.",
        "数値の桁が、通貨または単価で扱える桁を超えています。",
    ),
    "reversed-dates": _error("A period ends before it begins.", "期間の終わりが始まりより前です。"),
    "placeholder": _error(
        "A text names a fact that does not exist or is not known at the rule's stage.",
        "文中の{ }が、存在しない項目か、その段階でまだ分からない項目を指しています。",
    ),
    # conditions
    "unknown-fact": _error(
        "A condition names a fact that does not exist.", "条件に存在しない項目が使われています。"
    ),
    "unknown-operator": _error(
        "An operator does not exist or does not work on this fact.",
        "演算子が存在しないか、この項目には使えません。",
    ),
    "fact-too-early": _error(
        "A fact is read before the stage that knows it.", "まだ分からない段階で項目を読んでいます。"
    ),
    # names
    "unknown-rule": _error("A rule is named that does not exist.", "存在しないルールが指定されています。"),
    "unknown-category": _error("No product has this category.", "この分類の商品がありません。"),
    "unknown-sku": _error("There is no product with this SKU.", "このSKUの商品がありません。"),
    "unknown-group": _error("No customer is in this group.", "このグループの得意先がありません。"),
    "unknown-customer": _error("There is no customer with this code.", "このコードの得意先がありません。"),
    "unknown-method": _error(
        "No installed plugin offers this shipping or payment method.",
        "この配送・支払方法のプラグインが入っていません。",
    ),
    "unknown-tax": _error("The tax category does not exist.", "存在しない税区分です。"),
    # tables
    "table-row": _error(
        "A row or the header of a CSV file cannot be read.", "CSVの行または見出しを読めません。"
    ),
    "repeated-row": _error(
        "Two rows of a price table say the same at the same time.",
        "価格表の二つの行が同じ条件・同じ期間です。",
    ),
    "repeated-break": _error(
        "Two breaks begin at the same quantity.", "同じ数量から始まる段が二つあります。"
    ),
    # the whole set
    "tie": _error(
        "Two rules of equal rank meet and disagree.", "同じ強さの二つのルールがぶつかり、内容が違います。"
    ),
    "no-quantity": _error("No quantity at all can be ordered.", "注文できる数量が一つもありません。"),
    "maximum-below-minimum": _error("A maximum is below its minimum.", "上限が下限より小さくなっています。"),
    "beats-circle": _error("Rules beat each other in a circle.", "beats が輪になっています。"),
    "beats-needless": _error(
        "beats names a rule of another group, or rules that add up or deny and cannot tie.",
        "beats が別の群のルール、または勝ち負けのないルールを指しています。",
    ),
    "surcharge-without-per": _error(
        "A surcharge that reads only order and customer facts must say how often it is charged.",
        "注文と得意先だけを見る加算は、per(何ごとに一度か)が必要です。",
    ),
    "repeated-exception": _error(
        "Two exceptions change the same rule for the same customer and product at the same time.",
        "同じルール・得意先・商品・期間の例外が二つあります。",
    ),
    "case-fails": _error(
        "A case of a rule does not come out as expected.", "ルールの事例が期待どおりになりません。"
    ),
    # warnings
    "never-applies": _warning("The rule can never apply.", "このルールが当てはまることはありません。"),
    "order-tie": _warning(
        "Two rules about whole orders tie as soon as one order has lines of both; such an order cannot be priced.",
        "一つの注文に両方の行があると、注文全体の二つのルールがぶつかり、その注文は計算できません。",
    ),
    "break-off-quantity": _warning(
        "A price break starts below the minimum, off the multiple or above the maximum.",
        "価格の段が、最低数量・倍数・上限と合っていません。",
    ),
    "unreachable-quantity": _warning(
        "An allowed quantity or a step below the minimum that nobody can order, because of another field.",
        "注文できる数量や最低数量未満の段のうち、ほかの決まりのためにだれも注文できないものがあります。",
    ),
    "price-cliff": _warning(
        "A larger quantity costs less in total, surcharges of the line included.",
        "多く頼むほうが、行の手数料を入れた合計で安くなります。",
    ),
    "below-cost": _warning("A price is below the product's cost.", "売値が商品の原価を下回っています。"),
    "above-list": _warning("A price is above the product's list price.", "売値が定価を上回っています。"),
    "dearer-lane": _warning(
        "A later lane makes the price dearer than an earlier lane did.",
        "あとの段階の値段が、前の段階の値段より高くなっています。",
    ),
    "date-gap": _warning(
        "Two rules that follow each other leave days between them on which neither is in force.",
        "続く二つのルールのあいだに、どちらも効かない日があります。",
    ),
    "minimum-off-multiple": _warning(
        "The minimum or maximum is not on the multiple.", "下限または上限が倍数に合っていません。"
    ),
    "similar-names": _warning(
        "Two names differ only in case or width.", "大文字小文字や全角半角だけが違う名前があります。"
    ),
    "key-without-effect": _warning("A key changes nothing here.", "このキーはここでは働きません。"),
    "rule-without-case": _warning("The rule has no case.", "ルールに事例がありません。"),
    "rule-not-covered": _warning(
        "No case of the file reaches the rule.", "どの事例もこのルールに届いていません。"
    ),
    "expired": _warning("A rule or exception has ended.", "期限の切れたルールまたは例外です。"),
    "stale-accept": _warning(
        "A warning is accepted that this rule no longer causes.",
        "accept に書いた注意が、このルールからはもう出ていません。",
    ),
}
