"""What to do about a finding whose sentence brings no hint of its own, by check."""

SENTENCES: dict[str, tuple[str, str]] = {
    "todo.unreadable": ("Look at its name and its place.", "名前と置き場所を確かめてください。"),
    "todo.outside-folder": (
        "Put the file into the shop folder.",
        "ファイルを店のフォルダの中に置いてください。",
    ),
    "todo.too-large": ("Put long lists into a CSV table.", "長い一覧は価格表(CSV)に分けてください。"),
    "todo.too-deep": ("Write it with fewer brackets inside brackets.", "入れ子を浅くしてください。"),
    "todo.file-name": (
        "Rename the file, or change its code.",
        "ファイル名かコードのどちらかを直してください。",
    ),
    "todo.repeated-code": (
        "Give one of the two files a code of its own.",
        "どちらかのファイルに、別のコードを付けてください。",
    ),
    "todo.wrong-effect": (
        "The first two letters of a code say which table it holds.",
        "コードの最初の2文字で、書く表が決まります。",
    ),
    "todo.conflicting-keys": ("Keep one of them.", "一つだけを残してください。"),
    "todo.too-many-decimals": ("Write fewer digits.", "桁を減らしてください。"),
    "todo.reversed-dates": ("Write the earlier day first.", "早いほうの日を先にしてください。"),
    "todo.placeholder": (
        "`koguchi rules vocabulary` lists the facts.",
        "項目の一覧は koguchi rules vocabulary で見られます。",
    ),
    "todo.unknown-fact": (
        "`koguchi rules vocabulary` lists the facts.",
        "項目の一覧は koguchi rules vocabulary で見られます。",
    ),
    "todo.fact-too-early": (
        "Use a fact that is known earlier, or another kind of rule.",
        "もっと早く分かる項目を使うか、別の種類のルールにしてください。",
    ),
    "todo.unknown-rule": ("Look at the codes in rules/.", "rules/ にあるコードを確かめてください。"),
    "todo.unknown-category": (
        "Look at the categories in products.csv.",
        "products.csv の分類を確かめてください。",
    ),
    "todo.unknown-sku": ("Look at the SKUs in products.csv.", "products.csv のSKUを確かめてください。"),
    "todo.unknown-group": (
        "Look at the groups in customers.csv.",
        "customers.csv のグループを確かめてください。",
    ),
    "todo.unknown-customer": (
        "Look at the codes in customers.csv.",
        "customers.csv の得意先コードを確かめてください。",
    ),
    "todo.unknown-method": (
        "`koguchi plugins` lists the methods.",
        "使える方法は koguchi plugins で見られます。",
    ),
    "todo.unknown-tax": (
        "Add its rate to [tax] of shop.toml.",
        "shop.toml の [tax] に税率を書いてください。",
    ),
    "todo.table-row": ("Mend the row, or take it out.", "この行を直すか、消してください。"),
    "todo.repeated-row": (
        "Keep one of the rows, or end the first before the second begins.",
        "どちらかの行を消すか、前の行の期間を先に終わらせてください。",
    ),
    "todo.repeated-break": ("Keep one of the two.", "どちらか一つだけを残してください。"),
    "todo.no-quantity": (
        "Change one of the numbers so that some quantity agrees with all.",
        "どれかの数を変えて、すべてに合う数量ができるようにしてください。",
    ),
    "todo.maximum-below-minimum": (
        "Make the maximum the larger of the two.",
        "上限のほうを大きくしてください。",
    ),
    "todo.beats-circle": ("Take one of them out of beats.", "どれか一つを beats から消してください。"),
    "todo.beats-needless": ("Take it out of beats.", "beats から消してください。"),
    "todo.repeated-exception": (
        "Let the first one end before the second begins.",
        "前の例外を、次が始まる前に終わらせてください。",
    ),
    "todo.case-fails": (
        "Mend the rule, or what the case expects.",
        "ルールか、事例の expect(期待)を直してください。",
    ),
    "todo.never-applies": (
        "Look at [when], or take the file away.",
        "[when] を見直すか、要らなければファイルを消してください。",
    ),
    "todo.break-off-quantity": (
        "Begin it at a quantity that can be ordered.",
        "注文できる数量から始めてください。",
    ),
    "todo.minimum-off-multiple": (
        "Take a number that is on the multiple.",
        "刻みに合う数にしてください。",
    ),
    "todo.similar-names": ("Write the name alike everywhere.", "どこでも同じ書き方にそろえてください。"),
    "todo.key-without-effect": ("Leave it out.", "消してください。"),
    "todo.rule-without-case": (
        "Add a [[case]]: a cart, and what it expects.",
        "[[case]] に、カートと期待する結果を書いてください。",
    ),
    "todo.rule-not-covered": (
        "Add a case with a cart to which the rule applies.",
        "このルールが当てはまるカートの事例を足してください。",
    ),
    "todo.expired": (
        "Move its last day, or take the file away.",
        "終了日を延ばすか、ファイルを消してください。",
    ),
}
