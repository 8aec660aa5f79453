"""Products at the desk: the list with stock, and every field of a product as a form, in both languages.

Stock is changed on a page of its own (stock.py), so that every piece has a reason.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import or_, select
from werkzeug.wrappers import Response

from storefront import audit, search
from storefront.access import current_person, owner, staff
from storefront.admin import forms
from storefront.admin.desk import asked, bp, page_of
from storefront.audit import AuditEntry
from storefront.catalog import Category, Product
from storefront.database import get_session, locked, write
from storefront.language import N_, _
from storefront.shop import current_shop
from storefront.stock import StockItem, StockMove
from storefront.transfer import products as columns
from storefront.transfer.columns import compare, put
from storefront.transfer.kinds import Transfer

FIELDS = tuple(name for name in columns.KIND.columns if name not in (columns.KEY, "on_hand"))
FLAGS = ("made_to_order", "active")
STATES = (
    ("", N_("All")),
    ("active", N_("On sale")),
    ("inactive", N_("Not on sale")),
    ("low", N_("Sold out")),
)


@bp.get("/products")
@staff
def products() -> str:
    """The list with stock; search as in the shop, and by the beginning of a SKU."""
    session = get_session()
    query = (
        select(Product, StockItem)
        .outerjoin(StockItem, StockItem.product_id == Product.id)
        .order_by(Product.sku)
    )
    text, state = asked("q"), asked("state", 10)
    if text:
        dialect = session.get_bind().dialect.name
        found = search.matches(text, Product.__table__, dialect)
        starts = search.starts_with(Product.sku_key, search.sku_key(text)[:64])  # type: ignore[arg-type]
        query = query.where(starts if found is None else or_(found, starts))
    if state in ("active", "inactive"):
        query = query.where(Product.is_active.is_(state == "active"))
    elif state == "low":
        query = query.where(StockItem.on_hand - StockItem.reserved - StockItem.buffer <= 0)
    states = [(value, _(word)) for value, word in STATES]
    page = page_of(session, query, rows=True)
    return render_template(
        "admin/products.html", page=page, filters={"q": text, "state": state}, states=states
    )


def find_product(sku: str) -> Product:
    """The product, or 404."""
    found = get_session().scalars(select(Product).where(Product.sku == sku)).one_or_none()
    if found is None:
        abort(404)
    return found


@bp.get("/products/<sku>")
@staff
def product(sku: str) -> str:
    """Every fact, the stock with its last moves, the last changes."""
    found, session = find_product(sku), get_session()
    moves = select(StockMove).where(StockMove.product_id == found.id).order_by(StockMove.id.desc()).limit(15)
    changes = (
        select(AuditEntry)
        .where(AuditEntry.subject == f"product:{sku}")
        .order_by(AuditEntry.id.desc())
        .limit(10)
    )
    return render_template(
        "admin/product.html",
        product=found,
        item=session.get(StockItem, found.id),
        moves=list(session.scalars(moves)),
        changes=list(session.scalars(changes)),
    )


@bp.get("/products/new")
@owner
def product_new() -> str:
    """An empty form."""
    return _form(None, forms.Filled({"active": "true"}), "")


@bp.post("/products/new")
@owner
def product_add() -> Response | tuple[str, int]:
    """Make a product."""
    filled = _filled()
    sku = forms.read(columns.KIND, (columns.KEY,), request.form)
    filled.typed |= sku.typed
    filled.errors = {**sku.errors, **filled.errors}
    key = str(sku.values.get(columns.KEY, ""))
    product = Product(sku=key, name={}, tags=[], attributes={}, made_to_order=False, is_active=True)
    if not filled.errors:
        filled.refuse(
            columns.faults(filled.record(columns.KEY, key), None, Transfer("products").facts), "name_ja"
        )
    if not filled.errors:
        with write() as session:
            if session.scalar(select(Product.id).where(Product.sku == key)):
                filled.errors["sku"] = _("The SKU %(sku)s is taken.", sku=key)
            else:
                change = compare(filled.record(columns.KEY, key), None, columns.KIND, "utf-8")
                put(filled.record(columns.KEY, key), change, product, columns.KIND)
                session.add(product)
                columns.add_categories(session, [filled.values.get("category")])
                audit.record(
                    session,
                    current_person(),
                    "add",
                    f"product:{key}",
                    None,
                    forms.before_and_after(change)[1],
                )
    if filled.errors:
        return _form(None, filled, ""), 422
    flash(_("%(sku)s is in the catalog.", sku=key), "ok")
    return redirect(url_for("admin.product", sku=key))


@bp.get("/products/<sku>/edit")
@owner
def product_edit(sku: str) -> str:
    """Every field as a form."""
    found = find_product(sku)
    names = _names(found)
    filled = forms.Filled(forms.shown(columns.KIND, names, found) | {"attributes": _attribute_lines(found)})
    return _form(found, filled, forms.seal(columns.KIND, names, found))


@bp.post("/products/<sku>/edit")
@owner
def product_save(sku: str) -> Response | tuple[str, int]:
    """Write what differs, with its audit entry; refuse what somebody else has changed in between."""
    found, filled = find_product(sku), _filled()
    for name in found.attributes or {}:
        filled.values.setdefault(columns.ATTRIBUTES + name, None)  # a line that was taken out
    if not filled.errors:
        faults = columns.faults(filled.record(columns.KEY, sku), found, Transfer("products").facts)
        filled.refuse(faults, "name_ja")
    if filled.errors:
        return _form(found, filled, request.form.get("seal", "")), 422
    with write() as session:
        fresh = session.scalars(locked(select(Product).where(Product.sku == sku))).one()
        seal = forms.seal(columns.KIND, _names(fresh), fresh)
        if request.form.get("seal") != seal:
            flash(forms.changed_meanwhile(), "warn")
            return _form(fresh, filled, seal), 409
        change = compare(filled.record(columns.KEY, sku), fresh, columns.KIND, "utf-8")
        put(filled.record(columns.KEY, sku), change, fresh, columns.KIND)
        if change.fields:
            columns.add_categories(session, [fresh.category])
            audit.record(
                session, current_person(), "change", f"product:{sku}", *forms.before_and_after(change)
            )
    flash(_("Saved.") if change.fields else _("Nothing was changed."), "ok")
    return redirect(url_for("admin.product", sku=sku))


def _names(product: Product) -> tuple[str, ...]:
    """The fields of this product, with its attributes."""
    return FIELDS + tuple(columns.ATTRIBUTES + name for name in sorted(product.attributes or {}))


def _attribute_lines(product: Product) -> str:
    cells = forms.shown(
        columns.KIND, [columns.ATTRIBUTES + name for name in product.attributes or {}], product
    )
    return "\n".join(f"{name.removeprefix(columns.ATTRIBUTES)}: {cell}" for name, cell in cells.items())


def _filled() -> forms.Filled:
    """The posted form; a tick that is absent is false, attributes are lines of name: value."""
    posted = {
        **request.form.to_dict(),
        **{flag: "true" if request.form.get(flag) else "false" for flag in FLAGS},
    }
    cells, faults = _attributes(posted)
    filled = forms.read(columns.KIND, (*FIELDS, *cells), {**posted, **cells})
    filled.typed["attributes"] = posted.get("attributes", "").replace("\0", "")
    attribute_errors = [filled.errors.pop(name) for name in cells if name in filled.errors]
    if faults or attribute_errors:
        filled.errors["attributes"] = (faults + attribute_errors)[0]
    return filled


def _attributes(posted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The attribute lines as cells of columns attributes.NAME, and what is wrong with lines that are none."""
    cells: dict[str, str] = {}
    faults = []
    for line in posted.get("attributes", "").splitlines():
        name, colon, value = line.partition(":")
        column = columns.ATTRIBUTES + name.strip()
        if not line.strip():
            continue
        if not colon or columns.KIND.family(column) is None:
            faults.append(
                _("“%(line)s” is not an attribute. Write one to a line, like size: M4.", line=line[:60])
            )
        elif column in cells:
            faults.append(_("The attribute %(name)s stands there twice.", name=name.strip()))
        else:
            cells[column] = value
    return cells, faults


def _form(product: Product | None, filled: forms.Filled, seal: str) -> str:
    categories = [
        ("", _("No category")),
        *((path, path) for path in get_session().scalars(select(Category.path))),
    ]
    typed = filled.typed.get("category", "")
    if typed and typed not in dict(categories):
        categories.append((typed, typed))
    return render_template(
        "admin/product_form.html",
        product=product,
        filled=filled,
        seal=seal,
        categories=sorted(categories),
        taxes=[
            ("", _("As the shop has it")),
            *((one, one) for one in Transfer("products").facts.tax_categories),
        ],
        currency=current_shop().settings.currency,
    )
