"""What is wrong with a cart from outside. Most are pieces behind the name of a field: `lines[0].sku: ...`."""

SENTENCES: dict[str, tuple[str, str]] = {
    # reading
    "cart.currency": (
        "is {currency}; this shop sells in {shop}.",
        "{currency} ではなく、この店の通貨 {shop} で書いてください。",
    ),
    "cart.unknown-key": ("is not a key of the cart input.", "カートにこのキーはありません。"),
    "cart.customer-fact": ("is no fact of a customer.", "得意先にこの項目はありません。"),
    "cart.product-fact": ("is no fact of a product.", "商品にこの項目はありません。"),
    "cart.term": ("is no payment term.", "支払条件にこのキーはありません。"),
    "cart.product-without-sku": ("has a product without SKU.", "SKUのない商品があります。"),
    "cart.other-sku": ("must be the SKU that it stands under.", "上の見出しと同じSKUにしてください。"),
    "cart.no-line": ("a cart needs at least one line.", "カートには行が一つ以上必要です。"),
    "cart.id-twice": ("line id {id} stands on line {line} too.", "行番号 {id} は{line}行目にもあります。"),
    "cart.missing": ("is missing.", "必要な項目です。"),
    "cart.product-tax": (
        "{sku} has the unknown tax category {tax}.",
        "{sku} の税区分 {tax} がありません。",
    ),
    "cart.empty": ("is empty.", "空です。"),
    "cart.twice": ("{name} stands there twice.", "{name} が二度あります。"),
    "cart.no-table": (
        "no rule uses the price table {path}.",
        "価格表 {path} を使うルールがありません。",
    ),
    # JSON
    "json.not-utf8": ("byte {byte} is not UTF-8", "{byte}バイト目がUTF-8ではありません"),
    "json.syntax": ("is no JSON: line {line}: {reason}", "JSONとして読めません。{line}行目: {reason}"),
    "json.unreadable": ("is no JSON that can be read", "JSONとして読めません"),
    "json.too-deep": ("is nested more than {levels} levels deep", "入れ子が{levels}段を超えています"),
    "json.number": ("holds a number that cannot be used", "使えない数があります"),
    "json.number-fine": (
        "holds a number that is too large or too fine",
        "大きすぎるか、細かすぎる数があります",
    ),
    "json.number-large": ("holds a number that is too large", "大きすぎる数があります"),
    "json.no-number": ("holds {text}, which is no number", "数ではない {text} があります"),
    "json.twice": ('names "{word}" twice', "{word} が二度あります"),
    # evaluating
    "evaluate.no-line": ("a cart needs at least one line", "カートには行が一つ以上必要です"),
    "evaluate.currency": (
        "{currency} is not the shop's currency; allowed is {shop}",
        "{currency} はこの店の通貨ではありません。使えるのは {shop} です",
    ),
    "evaluate.id-twice": (
        "line id {id} is used twice; every line needs its own",
        "行番号 {id} が二度使われています。行ごとに別の番号が必要です",
    ),
    "evaluate.quantity": (
        "a whole number from 1 to {most} is needed",
        "1から{most}までの整数が必要です",
    ),
    "evaluate.tax": (
        "unknown tax category {tax}; known are {known}",
        "税区分 {tax} はありません。使えるもの: {known}",
    ),
    "evaluate.no-tax": ("none on this date", "この日に使えるものはありません"),
    "evaluate.method-tax": ("unknown tax category {tax}", "税区分 {tax} はありません"),
    "evaluate.no-rate": (
        "the tax category {tax} has no rate on {on}",
        "税区分 {tax} には{on}の税率がありません",
    ),
}
