"""What is wrong with prices: cliffs with both quantities, below cost, above list, a lane dearer than an earlier one."""

SENTENCES: dict[str, tuple[str, str]] = {
    "price.cliff": (
        "{after} of {sku} cost {customer} {low}, less than {before} with {high}.",
        "{customer}が {sku} を{after}買うと {low}、{before}買うと {high} です。多く買うほうが安くなります。",
    ),
    "price.who": ("{pieces} of {sku} cost {customer}", "{customer}が {sku} を{pieces}買うときの単価"),
    "price.below-cost": (
        "{who} {unit}, below the cost {cost}.",
        "{who}は {unit} で、原価 {cost} を下回っています。",
    ),
    "price.above-list": (
        "{who} {unit}, above the list price {listed}.",
        "{who}は {unit} で、定価 {listed} を上回っています。",
    ),
    "price.dearer-lane": (
        "{who} {unit} in the {lane} lane, more than {before} in the {earlier} lane ({code}).",
        "{who}は、{lane}の段階で {unit} になり、前の{earlier}の段階({code})の {before} より高くなっています。",
    ),
    "lane.list": ("list", "定価(list)"),
    "lane.agreed": ("agreed", "取り決め(agreed)"),
    "lane.volume": ("volume", "数量(volume)"),
    "lane.promotion": ("promotion", "販促(promotion)"),
    "price.list-below-cost": (
        "the list price of {sku}, {price}, is below its cost {cost}.",
        "{sku} の定価 {price} が原価 {cost} を下回っています。",
    ),
    "price.if-live": ("if {code} were live, {said}", "{code} を有効(live)にした場合、{said}"),
    "price.per": ("{unit} per {per}", "{per}個あたり {unit}"),
    "pieces.one": ("1 piece", "1個"),
    "pieces.many": ("{quantity} pieces", "{quantity}個"),
    "who.code": ("{code}", "得意先 {code} "),
    "who.group": ("a customer of {group}", "グループ {group} の得意先"),
    "who.any": ("any customer", "一般の得意先"),
    "who.visitor": ("a visitor", "ログイン前の訪問者"),
    "skipped.prices-full": (
        "prices were checked up to {code}: there is much to mend already.",
        "直すところがもう多いため、価格は {code} までしか確かめていません。",
    ),
    "skipped.steps": (
        "not every step of the prices of {count} rules was evaluated: there are too many.",
        "{count}件のルールの価格は、段が多すぎるため一部しか計算していません。",
    ),
    "skipped.days": (
        "prices of {count} rules were not checked: they begin on too many days.",
        "{count}件のルールの価格は、開始日がばらばらで多すぎるため確かめていません。",
    ),
    "skipped.watching": (
        "prices of {count} more shadow rules were not checked.",
        "ほかに{count}件の、記録だけのルール(shadow)の価格は確かめていません。",
    ),
    "skipped.rows": (
        "{path}: {count} more findings {check} of {code} are not shown.",
        "{path}: {code} の {check} は、ほかに{count}件あります。",
    ),
    "skipped.table-steps": (
        "{path}: of {steps:,} steps that may cost less than the pieces before, {most} were evaluated for {code}.",
        "{path}: 手前より安くなるかもしれない段が{steps:,}あり、{code} ではそのうち{most}だけを計算しました。",
    ),
}
