"""What is wrong with a text that is no TOML; `line` is what stands there."""

SENTENCES: dict[str, tuple[str, str]] = {
    "toml.other": ("{reason}.", "TOMLとして読めません: {reason}"),
    "toml.too-large": (
        "a number or value is too large to be read.",
        "大きすぎて読めない数か値があります。",
    ),
    "toml.wide": (
        "{signs} is full-width; outside of quotes only half-width signs are read.",
        "全角の {signs} があります。引用符の外に書けるのは半角だけです。",
    ),
    "toml.wide-hint": ("Type {half} in half width.", "半角の {half} に直してください。"),
    "toml.wide-space": (
        "a full-width space stands outside of quotes: `{line}`.",
        "引用符の外に全角の空白があります(`{line}`)。",
    ),
    "toml.wide-space-hint": ("Type a half-width space.", "半角の空白に直してください。"),
    "toml.quote": ("the quotation mark is not closed: `{line}`.", "引用符が閉じていません(`{line}`)。"),
    "toml.quote-hint": (
        "Put {quote} behind the text, on the same line.",
        "同じ行の、文字列の終わりに {quote} を付けてください。",
    ),
    "toml.quote-long-hint": (
        "Put {quote} behind the text.",
        "文字列の終わりに {quote} を付けてください。",
    ),
    "toml.quote-count": (
        'A text begins and ends with "; one of them is missing on this line.',
        '文字列の前後に " が必要ですが、この行では一つ足りません。',
    ),
    "toml.backslash": (
        "a backslash inside quotes has a meaning of its own: `{line}`.",
        '"..." の中の \\ は特別な記号です(`{line}`)。',
    ),
    "toml.backslash-hint": (
        "Write \\\\ for one backslash, or / in a path.",
        "\\ を書くなら \\\\ と重ねてください。パスの区切りは / で書けます。",
    ),
    "toml.bracket": ('"{sign}" is not closed: `{line}`.', "「{sign}」が閉じていません(`{line}`)。"),
    "toml.bracket-hint": ("Close it with {sign}.", "終わりに {sign} を付けてください。"),
    "toml.brace-hint": (
        "Write the whole {{...}} on one line.",
        "{{...}} は、閉じるところまで一行に書いてください。",
    ),
    "toml.comma": ("a comma is missing before this: `{line}`.", "手前にコンマ(,)がありません(`{line}`)。"),
    "toml.comma-hint": (
        "Put a comma between the entries of a list.",
        "リストの要素のあいだに , を入れてください。",
    ),
    "toml.last-comma": (
        'a comma stands before "}}": `{line}`.',
        "「}}」の手前に余分なコンマ(,)があります(`{line}`)。",
    ),
    "toml.last-comma-hint": ("Leave the comma out.", "コンマを消してください。"),
    "toml.header": (
        "the name of a table is not in brackets as it should be: `{line}`.",
        "表の見出しの [ ] がそろっていません(`{line}`)。",
    ),
    "toml.foreign-table": ("there is no table {name}.", "{name} という表はありません。"),
    "toml.table-hint": (
        "The names of tables are English words such as [quantity] or [price].",
        "表の名前は [quantity](数量)や [price](価格)のような英語です。",
    ),
    "toml.twice": ("{name} stands there twice.", "{name} が二つあります。"),
    "toml.twice-at": (
        "{name} stands there twice, first on line {first}.",
        "{name} が二つあります。一つ目は{first}行目です。",
    ),
    "toml.twice-hint": ("Keep one of the two.", "どちらか一つだけを残してください。"),
    "toml.equals": ('"=" is missing behind the key: `{line}`.', "キーのあとに「=」がありません(`{line}`)。"),
    "toml.equals-hint": (
        "Write key = value, such as minimum = 100.",
        "minimum = 100 のように「キー = 値」と書いてください。",
    ),
    "toml.statement": (
        "this is neither key = value nor [table]: `{line}`.",
        "「キー = 値」でも [表] でもない行です(`{line}`)。",
    ),
    "toml.statement-hint": ("A remark begins with #.", "覚え書きの行は # で始めてください。"),
    "toml.key-hint": (
        "Keys are English words such as minimum; other words stand in quotes behind the =.",
        "キーは minimum のような英語です。日本語は = のあとの引用符の中に書いてください。",
    ),
    "toml.no-value": ('there is no value behind "=": `{line}`.', "「=」のあとに値がありません(`{line}`)。"),
    "toml.no-value-hint": (
        "Write the value, or leave the line out.",
        "値を書くか、この行を消してください。",
    ),
    "toml.word": ("{word} is no value.", "{word} という値はありません。"),
    "toml.date": ("the date {value} cannot be read.", "日付 {value} を読めません。"),
    "toml.no-day": ("There is no such day in the calendar.", "暦にない日です。"),
    "toml.time": ("the time {value} is not in quotes.", "時刻 {value} が引用符で囲まれていません。"),
    "toml.two-keys": ("two keys stand on one line: `{line}`.", "一行にキーが二つあります(`{line}`)。"),
    "toml.two-keys-hint": ("Begin a new line for each key.", "キーごとに行を分けてください。"),
    "toml.number": ("the number {value} cannot be read.", "数 {value} を読めません。"),
    "toml.bare-number": (
        "Write the number alone: {value}.",
        "単位などを付けず、{value} とだけ書いてください。",
    ),
    "toml.behind": (
        "something stands behind the value: `{line}`.",
        "値のあとに余分なものがあります(`{line}`)。",
    ),
    "toml.behind-hint": (
        "Begin a new line, or mend the quotation marks.",
        "行を分けるか、引用符を直してください。",
    ),
    "toml.unquoted": (
        "the text {text} is not in quotes.",
        "文字列 {text} が引用符で囲まれていません。",
    ),
}
