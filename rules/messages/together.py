"""What is wrong with the rules together: ties, circles, dates, names, quantities that nobody can order, cases."""

SENTENCES: dict[str, tuple[str, str]] = {
    "hint.accept": (
        'Where it is meant: accept = ["{check}"].',
        'わかってのことなら、ルールのファイルに accept = ["{check}"] と書いてください。',
    ),
    # names and dates
    "rule.ended": ("{code} ended on {until}.", "{code} は{until}で終わっています。"),
    "exception.ended": ("the exception ended on {until}.", "この例外は{until}で終わっています。"),
    "exception.repeated": (
        "{path} changes {code} for the same customer and product on the same days.",
        "{path} も、同じ得意先・商品・期間について {code} を変えています。",
    ),
    "similar.names": (
        "{fact} {name} and {other} differ only in case or width and are not equal.",
        "{fact} の {name} と {other} は、大文字小文字か全角半角だけが違う別の名前です。",
    ),
    "dates.gap": (
        "neither {first} ({path}) nor {second} is in force {days}.",
        "{days}は、{first}({path})も {second} も効きません。",
    ),
    "dates.gap-row": (
        "the row of line {line} and this one leave a hole {days}.",
        "{line}行目とこの行のあいだ、{days}に効く行がありません。",
    ),
    "dates.on": ("on {day}", "{day}"),
    "dates.from-to": ("from {first} to {last} ({days} days)", "{first}から{last}まで({days}日間)"),
    "accept.stale": (
        "{check} is accepted here, but {code} does not cause it any more.",
        "accept にある {check} は、{code} からはもう出ていません。",
    ),
    "accept.stale-hint": ("Take it out of accept.", "accept から消してください。"),
    # beats
    "beats.other-group": (
        "{code} is of another group and can never tie with {rule}.",
        "{code} は別の群なので、{rule} と勝ち負けになりません。",
    ),
    "beats.adding": (
        "{rule} and {code} add up or deny; they can never tie.",
        "{rule} と {code} は、足し合わせか禁止のルールなので、勝ち負けになりません。",
    ),
    "beats.circle": (
        "beats goes in a circle: {codes}.",
        "beats が輪になっています: {codes}",
    ),
    "join.beats": (" > ", " > "),
    # one rule
    "surcharge.per": (
        "{code} reads only order and customer facts; say how often it is charged.",
        "{code} は注文と得意先の項目だけを見ています。何ごとに一度かかるかを書いてください。",
    ),
    "surcharge.per-hint": (
        'per = "order" charges once, per = "line" for every line.',
        'per = "order" なら一度だけ、per = "line" なら行ごとにかかります。',
    ),
    "never.because": ("{code} can never apply: {why}.", "{code} が当てはまることはありません。{why}。"),
    "never.beaten": (
        "{winner} ({path}) beats it wherever it holds",
        "当てはまるところでは、必ず {winner}({path})が beats で勝ちます",
    ),
    "never.no-value": ("no value of {fact} satisfies it", "{fact} がどんな値でも条件を満たしません"),
    "never.nobody": (
        "no known product and customer satisfy it together",
        "条件に合う商品と得意先の組がありません",
    ),
    # ties
    "tie.found": (
        "{first} and {second} have the same rank, meet{where} and disagree on {field}.",
        "{first} と {second} は同じ強さで、{where}ぶつかり、{field}が食い違っています。",
    ),
    "tie.hint": (
        'Say which one wins, such as beats = ["{code}"] in {path}.',
        '勝つほうを決めてください。例: {path} に beats = ["{code}"]',
    ),
    "tie.met": (
        "{first} and {second} have the same rank, meet on line {line} and disagree; "
        "say which one wins with beats = [...]",
        "{first} と {second} は同じ強さで、行 {line} でぶつかり、内容が違います。"
        "beats = [...] で勝つほうを決めてください",
    ),
    "tie.nowhere": ("", ""),
    "tie.where": (" for {places}", "{places}で"),
    "where.both-lines": ("orders with lines of both", "両方の行がある注文"),
    "where.product": ("product {sku}", "商品 {sku} "),
    "where.customer": ("customer {code}", "得意先 {code} "),
    "join.where": (" and ", "と"),
    "where.visitor": ("a visitor", "ログイン前の訪問者"),
    "field.price": ("the {lane} price", "{lane}の価格"),
    "field.order-minimum": ("the order's minimum", "注文の最低金額"),
    "field.order-maximum": ("the order's maximum", "注文の上限金額"),
    "field.credit": ("the credit check", "与信の扱い"),
    "field.tiers": ("the lead-time tiers", "選べる納期"),
    "field.free_from": ("free_from", "無料になる金額(free_from)"),
    "field.terms": ("the terms", "支払条件"),
    "field.minimum": ("the minimum", "最低数量"),
    "field.maximum": ("the maximum", "上限"),
    "field.multiple": ("the multiple", "刻み"),
    "field.allowed": ("the allowed quantities", "注文できる数量"),
    # quantities across rules
    "break.off": (
        "the break from {start} {why} of {code} ({path}).",
        "{start} からの段は、{code}({path})の{why}。",
    ),
    "break.above-maximum": ("is above the maximum {maximum}", "上限 {maximum} を超えています"),
    "break.below-minimum": ("is below the minimum {minimum}", "最低数量 {minimum} に届きません"),
    "break.off-multiple": ("is off the multiple {lot}", "刻み {lot} に合いません"),
    "quantity.no-leftover": (
        "{low} ({path}) and {high} together leave no quantity to order{where}.",
        "{low}({path})と {high} を合わせると、{where}注文できる数量が一つも残りません。",
    ),
    "quantity.none-together": (
        "{rules} together leave no quantity to order{where}.",
        "{rules} を合わせると、{where}注文できる数量が一つも残りません。",
    ),
    "quantity.rule": ("{code} ({path})", "{code}({path})"),
    "unreachable.allowed": (
        "the allowed quantity {quantity} {why} of {code} ({path}): nobody can order it.",
        "注文できる数量の {quantity} は、{code}({path})の{why}。だれも注文できません。",
    ),
    "unreachable.below": (
        "no quantity of the step from {start} to {end} agrees with {rules}: nobody can order it.",
        "{start} から {end} までの段には、{rules} に合う数量がありません。だれも注文できません。",
    ),
    "skipped.places": (
        "quantities were not compared where more than two rules meet: there are too many.",
        "三つ以上のルールが重なるところの数量は、数が多すぎるため比べていません。",
    ),
    "skipped.leftovers": (
        "minimum and maximum were not compared across rules: there are too many.",
        "ルールどうしの最低数量と上限は、数が多すぎるため比べていません。",
    ),
    # cases
    "case.fails": ('"{name}": {problems}.', "「{name}」: {problems}。"),
    "case.unreadable": ('the case "{name}": {problems}', "「{name}」の事例: {problems}"),
    "case.mend-cart": ("Mend this case.", "この事例を直してください。"),
    "case.nameless": ("case {place}", "事例{place}"),
    "case.not-covered": (
        "no case of this file ends with {code} applied.",
        "このファイルには、{code} が当てはまる事例がありません。",
    ),
    "case.none": ("{code} has no case.", "{code} に事例がありません。"),
    "case.bad-cart": (
        "the cart cannot be evaluated: {field}: {fault}",
        "このカートは計算できません。{field}: {fault}",
    ),
    "case.differs": ("{path} is {actual}, expected {expected}", "{path} は {actual} です(期待は {expected})"),
    "case.no-table": ("{path} is {actual}, expected a table", "{path} は {actual} です(期待は表)"),
    "case.no-list": ("{path} is {actual}, expected a list", "{path} は {actual} です(期待はリスト)"),
    "case.not-there": ("{path} is not there, expected {expected}", "{path} がありません(期待は {expected})"),
    "case.fixes": ("{path} are {actual}, expected {expected}", "{path} は {actual} です(期待は {expected})"),
    "case.not-empty": (
        "{path} holds {element}, expected nothing of {code}",
        "{path} に {element} があります({code} のものは無いはずです)",
    ),
    "case.no-element": ("{path} has no {element}{why}", "{path} に {element} がありません{why}"),
    "case.nearest": (" (nearest: {problems})", "(近いもの: {problems})"),
    "case.empty": (" ({path} is empty)", "({path} は空です)"),
    "case.only": (", only {there}", "(あるのは {there})"),
    "case.summary": ("{word} {value}", "{word} {value}"),
    "case.element": ("{{{parts}}}", "{{{parts}}}"),
}
