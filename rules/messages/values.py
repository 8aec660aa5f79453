"""What is wrong with one value, key or condition. A piece without a subject stands behind `path: ` in Japanese."""

SENTENCES: dict[str, tuple[str, str]] = {
    # glue
    "both": ("{en}", "{ja}"),
    "join.comma": (", ", "、"),
    "join.and": (" and ", " と "),
    "join.or": (" or ", " か "),
    "join.semicolon": ("; ", "。"),
    "join.more": (" ", ""),
    "of": ("{path} {what}", "{path}: {what}"),
    # values as they stand in the file
    "shown.large-number": ("a very large number", "とても大きい数"),
    "shown.many-digits": ("a number of many digits", "桁の多い数"),
    "shown.table": ("a table", "表"),
    "shown.list": ("a list", "リスト"),
    "shown.nothing": ("nothing", "空"),
    "shown.type": ("a {name}", "{name}"),
    # hints for any value
    "hint.nearest": ('Did you mean "{name}"?', "もしかして「{name}」ですか。"),
    "hint.allowed": ("Allowed: {names}.", "書けるもの: {names}。"),
    "hint.allowed-cut": ("Allowed: {names} and {more} more.", "書けるもの: {names}、ほか{more}件。"),
    "hint.leave-out": ("Leave the key out instead.", "要らなければ、キーごと消してください。"),
    "hint.in-quotes": ('Write it in quotes: "{value}".', '引用符で囲んでください: "{value}"'),
    "hint.bare-number": (
        "Write the bare number, without quotes or units.",
        "引用符や単位を付けず、数だけを書いてください。",
    ),
    "hint.bare-number-is": (
        "Write the bare number, without quotes or units: {value}.",
        "引用符や単位を付けず、{value} とだけ書いてください。",
    ),
    "hint.factor": (
        "{value} percent of the list price is {factor}.",
        "定価の {value} % なら {factor} と書いてください。",
    ),
    "hint.bare-date": (
        "Write the day alone, such as 2026-12-01, without quotes and without a time.",
        "2026-12-01 のように、引用符も時刻も付けずに日付だけを書いてください。",
    ),
    "hint.in-brackets": ("Write [{value}].", "[{value}] と書いてください。"),
    "hint.give-languages": ("Give ja, en or both.", "ja か en、または両方を書いてください。"),
    "hint.currency": ("Such as JPY.", "例: JPY"),
    "hint.zone": ("Such as Asia/Tokyo.", "例: Asia/Tokyo"),
    "hint.write": ("Write {value}.", "{value} と書いてください。"),
    "hint.quoted-fact": (
        'Write the fact in quotes: "{fact}" = ...',
        '項目名を引用符で囲んでください: "{fact}" = ...',
    ),
    "hint.key": ("{meaning}.", "意味: {meaning}。"),
    # kinds of values
    "kind.text": ("a text", "文字列"),
    "kind.words": ("one of the words {words}", "{words} のどれか"),
    "kind.currency": ("an ISO 4217 code such as JPY", "JPY のような通貨コード(ISO 4217)"),
    "kind.number": ("a number", "数"),
    "kind.whole": ("a whole number", "整数"),
    "kind.date": ("a date", "日付"),
    "kind.bool": ("true or false", "true か false"),
    "kind.time": ('a time in quotes such as "12:30"', '"12:30" のような引用符つきの時刻'),
    "kind.day": ("a day of the month", "月の日にち(1〜31)"),
    "kind.list": ("a list", "リスト"),
    "kind.texts": ("a list of texts", "文字列のリスト"),
    "kind.wholes": ("a list of whole numbers", "整数のリスト"),
    "kind.tables": ("a list of tables", "表のリスト"),
    "kind.plain-number": ("a number in plain digits", "半角数字だけの数"),
    "kind.object": ("an object", "オブジェクト({{...}})"),
    # one value
    "value.must-be": ("must be {kind}, not {value}.", "{kind}で書いてください(今は {value})。"),
    "value.is-type": ("is {kind}, not {value}.", "{kind}で書いてください(今は {value})。"),
    "value.empty-text": ("is an empty text.", "中身が空です。"),
    "value.empty-table": ("is an empty table.", "表が空です。"),
    "value.empty-list": ("is an empty list.", "リストが空です。"),
    "value.nul": ("holds a NUL character.", "使えない文字(NUL)が入っています。"),
    "value.too-many-digits": (
        "has more than {digits} digits before the point.",
        "整数部分が{digits}桁を超えています。",
    ),
    "value.infinite": ("must be a finite number, not {value}.", "有限の数を書いてください(今は {value})。"),
    "value.too-many-decimals": (
        "has more than {decimals} decimals: {value}.",
        "小数が{decimals}桁を超えています: {value}",
    ),
    "value.too-small": (
        "must be {least} or more, not {value}.",
        "{least}以上で書いてください(今は {value})。",
    ),
    "value.too-large": ("must be {most} or less, not {value}.", "{most}以下で書いてください(今は {value})。"),
    "value.currency-decimals": (
        "has more decimals than {currency} ({digits}): {value}.",
        "{currency}で扱える小数({digits}桁)を超えています: {value}",
    ),
    "value.the-currency": ("the currency", "通貨"),
    "value.no-day": ("is no day of the calendar: {value}.", "暦にない日です: {value}"),
    "value.unknown-word": ("does not know {word}.", "{word} という語は使えません。"),
    "value.no-currency": ("is no ISO 4217 currency: {code}.", "通貨コード(ISO 4217)ではありません: {code}"),
    "value.no-language": ("has no language {language}.", "{language} という言語はありません。"),
    "value.placeholder": ("names {name}, which is no fact.", "{name} という項目はありません。"),
    "value.placeholder-early": (
        "names {name}, which is known from the {known} stage; this is {stage}.",
        "{name} が分かるのは {known} の段階からです。ここは {stage} の段階です。",
    ),
    "value.no-warning": (
        "{code} is no warning of the checks.",
        "{code} という注意(warning)はありません。",
    ),
    "value.twice": ("names a number twice.", "同じ数が二度あります。"),
    "value.negative": ("must not be negative: {value}.", "負の数は書けません: {value}"),
    "value.between": (
        "must be from {low} to {high}, not {value}.",
        "{low}から{high}までで書いてください(今は {value})。",
    ),
    "value.not-above-zero": (
        "must be above 0, not {value}.",
        "0より大きい数を書いてください(今は {value})。",
    ),
    "value.constant": (
        "can only be {only}, not {value}.",
        "{only} としか書けません(今は {value})。",
    ),
    "value.no-zone": ("is no time zone: {name}.", "時間帯の名前ではありません: {name}"),
    "value.unusable-number": ("is no number that can be used.", "計算に使えない数です。"),
    "value.one": ("takes one value, not {value}.", "値は一つだけ書いてください(今は {value})。"),
    "value.two": (
        "takes two values such as [1, 10], not {value}.",
        "[1, 10] のように二つの値を書いてください(今は {value})。",
    ),
    "value.reversed": (
        "names {low} before {high}; the smaller comes first.",
        "{low} が {high} より前にあります。小さいほうを先に書いてください。",
    ),
    "value.country": (
        "is a country code such as JP, not {value}.",
        "JP のような国コードで書いてください(今は {value})。",
    ),
    "value.region": (
        "is a region code such as JP-27, not {value}.",
        "JP-27 のような地域コードで書いてください(今は {value})。",
    ),
    "value.postcode": (
        "is compared without hyphen, not {value}.",
        "郵便番号はハイフンなしで書いてください(今は {value})。",
    ),
    "value.category": (
        "is a path such as fasteners/screws, not {value}.",
        "fasteners/screws のような分類のパスで書いてください(今は {value})。",
    ),
    # keys and tables
    "key.file": ("the file", "このファイル"),
    "key.not-a-table": (
        "{table} must be a table, not {value}.",
        "{table} は表で書いてください(今は {value})。",
    ),
    "key.unknown": ("{word} is not a key of {table}.", "{table} に {word} というキーはありません。"),
    "key.missing": ("{table} needs the key {word}.", "{table} にはキー {word} が必要です。"),
    "key.conflict": (
        "{table} says {kinds}; only one can hold.",
        "{table} に {kinds} があります。どれか一つだけ書いてください。",
    ),
    # conditions
    "when.any": (
        "any must be a list of tables, such as any = [{{...}}, {{...}}].",
        "any は any = [{{...}}, {{...}}] のように表のリストで書いてください。",
    ),
    "when.any-empty": ("a table of any is empty.", "any の中に空の表があります。"),
    "when.any-inside": ("any cannot stand inside any.", "any の中に any は書けません。"),
    "when.too-early": (
        "{fact} is known from the {known} stage on; a rule of the {stage} stage cannot read it.",
        "{fact} が分かるのは {known} の段階からです。{stage} の段階のルールでは使えません。",
    ),
    "when.empty": ("{fact} has an empty table.", "{fact} の表が空です。"),
    "when.no-fact": ("there is no fact {word}.", "{word} という項目はありません。"),
    "when.no-operator": ("there is no operator {op}.", "{op} という演算子はありません。"),
    "when.operator-type": (
        "{fact} is {kind} and cannot take {op}.",
        "{fact} は{kind}なので、{op} は使えません。",
    ),
    "when.operator": ("{fact} {op}", "{fact} の {op}"),
}
