"""What is wrong with a file as a whole, its tables together, or a row of a CSV file."""

SENTENCES: dict[str, tuple[str, str]] = {
    "finding.error": ("error", "誤り"),
    "finding.warning": ("warning", "注意"),
    # all of them
    "count.rule": ("1 rule", "ルール1件"),
    "count.rules": ("{count} rules", "ルール{count}件"),
    "count.case": ("1 case", "事例1件"),
    "count.cases": ("{count} cases", "事例{count}件"),
    "count.error": ("1 error", "誤り1件"),
    "count.errors": ("{count} errors", "誤り{count}件"),
    "count.warning": ("1 warning", "注意1件"),
    "count.warnings": ("{count} warnings", "注意{count}件"),
    "summary.good": (
        "{rules}, {cases} passed, {errors}, {warnings}.",
        "{rules}、{cases}が合格、{errors}、{warnings}。",
    ),
    "summary.bad": (
        "{errors}, {warnings}. The rules cannot be used until the errors are gone.",
        "{errors}、{warnings}。誤りがなくなるまで、このルールは使えません。",
    ),
    "summary.note": ("note: {note}", "お知らせ: {note}"),
    "summary.tested": (
        "{passed} passed, {failed} failed. {covered} of {rules} rules covered.",
        "合格{passed}件、不合格{failed}件。ルール{rules}件のうち{covered}件に事例が届いています。",
    ),
    "summary.no-case": ("No case reaches {codes}.", "事例が届いていないルール: {codes}"),
    "summary.passed": ("ok  ", "合格"),
    "summary.failed": ("FAIL", "不合格"),
    # the folder
    "folder.none": ("there is no shop folder {folder}.", "店のフォルダ {folder} がありません。"),
    "folder.unreadable": (
        "the folder {folder} cannot be read: {reason}.",
        "フォルダ {folder} を読めません: {reason}",
    ),
    "folder.outside": (
        "{path} leads outside the shop folder.",
        "{path} は店のフォルダの外を指しています。",
    ),
    "folder.link-outside": (
        "{path} is a link that leads outside the shop folder.",
        "{path} は店のフォルダの外へのリンクです。",
    ),
    "folder.not-a-file": ("{path} is not an ordinary file.", "{path} は普通のファイルではありません。"),
    "folder.cannot-read": ("{path} cannot be read: {reason}.", "{path} を読めません: {reason}"),
    "folder.too-large": (
        "{path} is larger than {limit:,} bytes.",
        "{path} が{limit:,}バイトを超えています。",
    ),
    "folder.not-utf8": ("byte {byte} is not UTF-8.", "{byte}バイト目がUTF-8ではありません。"),
    "folder.save-as-utf8": ("Save the file as UTF-8.", "文字コードをUTF-8にして保存してください。"),
    "folder.too-deep": ("nested more than {levels} levels deep.", "入れ子が{levels}段を超えています。"),
    "folder.no-file": ("there is no file {path} in the shop folder.", "店のフォルダに {path} がありません。"),
    # one rule file
    "rule.reversed": (
        "until {until} is before from {start}.",
        "終了日 until {until} が開始日 from {start} より前です。",
    ),
    "rule.code-twice": ("{code} is also the code of {path}.", "{code} は {path} のコードでもあります。"),
    "rule.code-form": (
        "the code {code} is not a group and one to six digits.",
        "コード {code} が、群の2文字と1〜6桁の数字になっていません。",
    ),
    "rule.code-example": ("Such as QT10.", "例: QT10"),
    "rule.file-name": (
        "a file with the code {code} is called {code}.toml or {code}_anything.toml.",
        "コード {code} のファイル名は {code}.toml か {code}_名前.toml にしてください。",
    ),
    "rule.wrong-table": (
        "a rule {code} holds the table [{wanted}] and no other, not [{name}].",
        "ルール {code} に書けるのは [{wanted}] だけです。[{name}] は書けません。",
    ),
    "rule.no-table": (
        "a rule {code} needs the table [{wanted}].",
        "ルール {code} には [{wanted}] が必要です。",
    ),
    "rule.scope-empty": ("[scope] is empty.", "[scope] が空です。"),
    "rule.scope-leave-out": (
        "Leave it out to switch the rule on for everyone.",
        "全員に効かせるなら、[scope] ごと消してください。",
    ),
    "case.form": ("cases are written as [[case]].", "事例は [[case]] と書いてください。"),
    "case.expect": (
        "a case needs expect = {{...}} with at least one key.",
        "事例には、キーが一つ以上ある expect = {{...}} が必要です。",
    ),
    "case.cart": (
        "a case needs cart = [{{sku = ..., quantity = ...}}].",
        "事例には cart = [{{sku = ..., quantity = ...}}] が必要です。",
    ),
    "key.decision": ("a decision", "判定(decision)"),
    # effects
    "effect.one-of": (
        "[{table}] needs exactly one of {kinds}.",
        "[{table}] には {kinds} のどれか一つだけが必要です。",
    ),
    "effect.break-one-of": ("[{path}] needs one of {kinds}.", "[{path}] には {kinds} のどれかが必要です。"),
    "effect.without": ("{path} changes nothing here: {why}.", "{path} はここでは働きません({why})。"),
    "why.no-breaks": (
        "it picks a break, and there are no breaks",
        "段を決めるキーですが、段がありません",
    ),
    "why.computed": (
        "a computed price keeps what it was computed from",
        "計算で出す価格は、もとの価格の個数に従います",
    ),
    "why.no-key": ("there is no {keys}", "{keys} がありません"),
    "why.no-free-or-add": ("there is no free_from and no add", "free_from も add もありません"),
    "effect.tiers-breaks": ("tiers needs breaks.", "tiers を使うには breaks が必要です。"),
    "effect.tiers-counts": (
        'counts must be "line" when tiers is "graduated".',
        'tiers が "graduated" のとき、counts は "line" だけです。',
    ),
    "effect.break-twice": ("two breaks begin at {start}.", "{start} から始まる段が二つあります。"),
    "effect.below-falls": (
        "the values of at_least must fall from entry to entry.",
        "at_least は、上から順に小さくなるように並べてください。",
    ),
    "effect.charge-one-of": (
        "a surcharge needs one of {kinds}.",
        '手数料(outcome = "surcharge")には {kinds} のどれかが必要です。',
    ),
    "effect.charge-only": (
        '{word} belongs to outcome = "surcharge", not to "{outcome}".',
        '{word} は outcome = "surcharge" のときのキーで、"{outcome}" では使えません。',
    ),
    "quantity.needs": (
        "[quantity] needs minimum, multiple, maximum or allowed.",
        "[quantity] には minimum(最低数量)・multiple(刻み)・maximum(上限)・allowed(注文できる数量)の"
        "どれかが必要です。",
    ),
    "quantity.from-minimum": (
        'multiple_from = "minimum" needs a minimum in this file.',
        'multiple_from = "minimum" を使うには、このファイルに minimum(最低数量)が必要です。',
    ),
    "quantity.maximum-below": (
        "the maximum {high} is below the minimum {low}.",
        "上限 {high} が最低 {low} を下回っています。",
    ),
    "quantity.none": (
        "no quantity at all can be ordered under this rule.",
        "このルールでは、注文できる数量が一つもありません。",
    ),
    "quantity.minimum-off": (
        "the minimum {low} is not a multiple of {lot}; the first quantity on the lot is {first}.",
        "最低数量 {low} が刻み {lot} に合っていません。刻みに合う最初の数量は {first} です。",
    ),
    "quantity.maximum-off": (
        "the maximum {high} is not on the multiple {lot}; the last quantity on the lot is {last}.",
        "上限 {high} が刻み {lot} に合っていません。刻みに合う最後の数量は {last} です。",
    ),
    "surcharge.most-below-least": (
        "at_most {high} is below at_least {low}.",
        "最高額 at_most {high} が最低額 at_least {low} を下回っています。",
    ),
    "order.needs": (
        "[order] needs minimum, maximum or credit.",
        "[order] には minimum(最低金額)・maximum(上限金額)・credit(与信)のどれかが必要です。",
    ),
    "lead-time.twice": ('two tiers are called "{code}".', "納期 {code} が二つあります。"),
    "methods.needs": (
        "[{table}] needs only, hide, free_from, add.",
        "[{table}] には only・hide・free_from・add のどれかが必要です。",
    ),
    "methods.needs-terms": (
        "[{table}] needs only, hide, free_from, add or terms.",
        "[{table}] には only・hide・free_from・add・terms のどれかが必要です。",
    ),
    "terms.empty": ("{path} is an empty table.", "{path} の表が空です。"),
    "terms.both": (
        "{path} takes closing_day, pay_month, pay_day or net_days, not both.",
        "{path} に書けるのは、closing_day・pay_month・pay_day の組か net_days の、どちらか一方です。",
    ),
    "terms.missing": (
        "{path} needs {missing}, or net_days alone.",
        "{path} には {missing} が必要です。または net_days だけを書いてください。",
    ),
    "terms.closing-day": (
        "closing_day must be 1 to 28, or 31 for the end of the month, not {day}.",
        "締め日 closing_day は1〜28、月末なら31です(今は {day})。",
    ),
    "catalog.needs": (
        "[catalog] needs hide = true, buy = false or price.",
        "[catalog] には hide = true・buy = false・price のどれかが必要です。",
    ),
    # exceptions
    "exception.whom": (
        "an exception needs customer, sku or both.",
        "例外には customer(得意先)か sku(商品)、または両方が必要です。",
    ),
    "exception.empty": ("[change] is empty.", "[change] が空です。"),
    "exception.lane": ("an exception keeps the lane of its rule.", "例外では lane を変えられません。"),
    # shop.toml
    "tax.no-rate": ('there is no rate for "{category}".', "税区分 {category} の税率がありません。"),
    "tax.same-day": (
        'two rates of "{category}" begin on the same day.',
        "税区分 {category} の税率が二つ、同じ日から始まっています。",
    ),
    # names
    "name.unknown": ("there is no {kind} {name}.", "{kind} {name} はありません。"),
    "name.sku": ("sku", "SKU"),
    "name.product": ("product", "商品"),
    "name.category": ("category", "分類"),
    "name.group": ("group", "グループ"),
    "name.customer": ("customer", "得意先"),
    "name.method": ("method", "配送・支払方法"),
    "name.tax": ("tax category", "税区分"),
    "name.rule": ("there is no rule {code}.", "ルール {code} はありません。"),
    "skipped.names": ("{names} were not checked: {why}.", "{names}は確かめていません({why})。"),
    "names.sku": ("SKUs", "SKU"),
    "names.category": ("categories", "分類"),
    "names.group": ("groups", "グループ"),
    "names.customer": ("customers", "得意先"),
    "names.method": ("methods", "配送・支払方法"),
    "why.no-products": ("there is no products.csv", "products.csv がありません"),
    "why.no-customers": ("there is no customers.csv", "customers.csv がありません"),
    "why.no-plugins": ("the installed plugins are not known", "入っているプラグインが分かりません"),
    # CSV files
    "csv.no-header": ("{path} has no header line.", "{path} に見出しの行がありません。"),
    "csv.column-twice": ('the column "{name}" stands there twice.', "列 {name} が二つあります。"),
    "csv.nul": ("the file holds a NUL character.", "使えない文字(NUL)が入っています。"),
    "csv.not-utf8": ("the file is not UTF-8.", "ファイルがUTF-8ではありません。"),
    "csv.save-as-utf8": ("Save it as UTF-8.", "文字コードをUTF-8にして保存してください。"),
    "csv.row": ("the row cannot be read: {reason}.", "この行を読めません: {reason}"),
    "csv.column-missing": ('the column "{name}" is missing.', "列 {name} がありません。"),
    "csv.no-key": ("the row has no {key}.", "この行に {key} がありません。"),
    "csv.key-twice": ('{key} "{name}" stands there twice.', "{key} {name} が二度出てきます。"),
    # price tables
    "table.overlap": (
        "overlaps line {line}: same customer, group, sku, category, currency and from, and their dates share a day.",
        "{line}行目と重なっています。得意先・グループ・SKU・分類・通貨・from が同じで、期間も重なります。",
    ),
    "table.separator": (
        "the columns are separated by {sign}, not by a comma.",
        "列の区切りがコンマ(,)ではなく {sign} です。",
    ),
    "table.tab": ("a tab", "タブ"),
    "table.save-with-commas": (
        "Save the table as CSV with commas (in Excel: CSV UTF-8).",
        "コンマ区切りのCSVで保存してください(Excelでは「CSV UTF-8(コンマ区切り)」)。",
    ),
    "table.no-column": ("there is no column {name}.", "{name} という列は使えません。"),
    "table.no-price": (
        "a price table needs the column unit or rate.",
        "価格表には unit(単価)か rate(掛率)の列が必要です。",
    ),
    "table.cells": (
        "has {cells} cells where the header has {width}.",
        "見出しは{width}列ですが、この行は{cells}列です。",
    ),
    "table.reversed": (
        "valid_until {until} is before valid_from {start}.",
        "終了日 valid_until {until} が開始日 valid_from {start} より前です。",
    ),
    "table.currency": (
        "currency is no ISO 4217 code: {code}.",
        "currency が通貨コード(ISO 4217)ではありません: {code}",
    ),
    "table.category": (
        "category is a path such as fasteners/screws, not {name}.",
        "category は fasteners/screws のような分類のパスで書いてください(今は {name})。",
    ),
    "table.whole": (
        "{column} must be a whole number from 1 to {most}, not {text}.",
        "{column} は1から{most}までの整数で書いてください(今は {text})。",
    ),
    "table.date": (
        "{column} must be a date such as 2026-12-01, not {text}.",
        "{column} は 2026-12-01 のような日付で書いてください(今は {text})。",
    ),
    "table.one-price": (
        "needs exactly one of unit and rate.",
        "unit と rate のどちらか一つだけを書いてください。",
    ),
    "table.plain-number": (
        "{column} must be a number in plain digits with a point, not {text}.",
        "{column} は半角数字と小数点だけで書いてください(今は {text})。",
    ),
    "table.needless-zero": (
        "{column} begins with a needless 0: {text}.",
        "{column} の先頭に余分な0があります: {text}",
    ),
    "table.digits": (
        "{column} may have 12 digits before the point and 6 after it: {text}.",
        "{column} に書けるのは整数部12桁・小数部6桁までです: {text}",
    ),
    "table.rate": (
        "rate is a factor from 0 to 10, not {text}.",
        "rate は0から10までの掛率です(今は {text})。",
    ),
    "table.rate-example": ("0.65 is 65 percent.", "0.65 は65%の意味です。"),
}
