"""An entry at work in one request: its lines answered, its form read, its order placed. For the desk and for buyers.

Held to the rules like a cart: the same answers, the same prepare and place_order, with the entry's channel.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from rules import TieError
from rules.errors import MatcherError
from storefront.accounts import User
from storefront.accounts.addresses import addresses_of
from storefront.attempts import noting
from storefront.checkout import confirming, view
from storefront.checkout import form as forms
from storefront.checkout.confirming import Confirming, Told
from storefront.clock import today
from storefront.database import get_session, write
from storefront.entry import store
from storefront.entry.models import Entry
from storefront.language import _, ngettext
from storefront.orders.placing import Outcome, Placed, place_order
from storefront.pricing import Wanted
from storefront.quick_order import pasted
from storefront.quick_order.answered import answered_text, joined, without_hidden_characters
from storefront.quick_order.answers import AnswerRow, Sheet, answer_sheet
from storefront.shop import current_shop

log = logging.getLogger("koguchi.orders")
Judge = Callable[[Sequence[AnswerRow]], Sequence[AnswerRow]]


@dataclass
class Work:
    """What a request works with. `to_mend` are rows that keep the order from going on."""

    entry: Entry
    channel: str
    contact: User | None
    text: str
    sheet: Sheet
    desk: Confirming
    fault: str | None = None

    @property
    def to_mend(self) -> list[AnswerRow]:
        return [row for row in self.sheet.rows if not row.is_orderable and not row.is_prose]

    def without_the_unorderable(self) -> str:
        """The lines that can go, as text."""
        return "\n".join(row.text for row in self.sheet.rows if row.is_orderable)


def begin(
    entry: Entry, *, channel: str | None = None, contact: User | None = None, judge: Judge | None = None
) -> Work:
    """Read the request (or, looked at for the first time, what was kept) and answer every line.

    `judge` may add to the answers, such as what was paid last time.
    """
    session, is_posted = get_session(), request.method == "POST"
    addresses = addresses_of(session, entry.company_id)
    if is_posted:
        typed = forms.read(request.form, addresses)
    elif entry.form:
        typed = forms.read(MultiDict(entry.form), addresses)
    else:
        typed = forms.blank(addresses)
    if not typed.address:
        typed.address = str(addresses[0].id) if addresses else forms.NEW
    text = without_hidden_characters(_posted_text(entry.text) if is_posted else entry.text)
    channel = channel or entry.channel
    fault = pasted.fault_of(text)
    lines = [] if fault else pasted.read_lines(text)
    sheet = Sheet()
    try:
        sheet = answer_sheet(session, lines, entry.company, channel=channel) if lines else sheet
    except (MatcherError, TieError) as error:
        log.error("an entry could not be priced: %s", error)
        fault = _("The price of this order could not be decided. The lines are kept.")
    if judge is not None:
        sheet = replace(sheet, rows=list(judge(sheet.rows)))
    going = [row for row in sheet.rows if row.is_orderable]
    wanted = [Wanted(row.sku, row.quantity, str(place)) for place, row in enumerate(going, 1)]
    desk = Confirming(wanted, entry.company, contact, addresses, typed, channel)
    return Work(entry, channel, contact, text, sheet, desk, fault)


def _posted_text(kept: str) -> str:
    """The rows with what was changed in them, and what was added below: a line typed or scanned, or many pasted."""
    form = request.form
    text = answered_text(form) if "rows" in form else kept
    text = joined(text, form.get("paste", "")[: pasted.LONGEST_TEXT])
    return joined(text, form.get("scan", "")[: pasted.LONGEST_LINE])


def keep(work: Work) -> None:
    """Keep what was typed, so that nothing is lost whatever happens next."""
    with write() as session:
        store.keep(
            session,
            work.entry.id,
            text=work.text,
            form=store.kept_form(request.form),
            channel=work.channel,
            contact_id=work.contact.id if work.contact is not None else None,
        )
    refused = [(row.sku, row.quantity) for row in work.to_mend if row.sku and row.quantity]
    noting.lines_refused(f"entry:{work.entry.id}", work.entry.company_id, work.channel, refused)


def place(work: Work, actor: User) -> Outcome | None:
    """Confirm what the page showed. None: something typed or some line has to be mended first."""
    desk, typed = work.desk, work.desk.typed
    forms.judge(typed, get_session(), desk.company.id, today())
    to = forms.destination(typed, desk.addresses)
    if typed.faults or to is None or work.fault or work.to_mend or not desk.wanted:
        return None
    outcome = place_order(
        current_shop(),
        company_id=desk.company.id,
        user_id=actor.id,
        wanted=desk.wanted,
        choice=forms.choice(
            typed, to, forms.delivery_on(typed, today()), typed.shipping or None, typed.payment or None
        ),
        key=typed.key,
        fingerprint=typed.fingerprint,
        on=today(),
        channel=work.channel,
        actor=actor.email,
        contact_id=work.contact.id if work.contact is not None and actor.is_staff else None,
        within=partial(store.claim, entry_id=work.entry.id),
    )
    if isinstance(outcome, Placed) and outcome.state == "cancelled":
        with write() as session:
            store.reopen(session, work.entry.id)
    return outcome


def shown(work: Work, told: Told | None = None) -> dict[str, Any]:
    """Everything that the page of an entry prints."""
    desk, told = work.desk, told or Told(200)
    prepared = None
    if desk.wanted and not work.fault:
        try:
            prepared = desk.prepare()
        except (MatcherError, TieError) as error:
            log.error("an entry could not be priced: %s", error)
            work.fault = _("The price of this order could not be decided. The lines are kept.")
    if prepared is None:
        values = confirming.shown_empty(desk, notice=told.notice)
    else:
        values = confirming.shown(desk, prepared, changed=told.is_changed, notice=told.notice)
    mend_count = len(work.to_mend) + len(values["stops"])
    if work.to_mend:
        count = len(work.to_mend)
        sentence = ngettext("%(num)s line cannot be ordered as it stands.",
                            "%(num)s lines cannot be ordered as they stand.", count)  # fmt: skip
        values["stops"] = [view.Stop(sentence), *values["stops"]]
    return {
        **values,
        "mend_count": mend_count,
        "entry": work.entry,
        "channel": work.channel,
        "sheet": work.sheet,
        "lines_fault": work.fault,
        "most": pasted.MOST_LINES,
        "is_line_typed": request.method == "GET" or bool(request.form.get("scan", "").strip()),
        "lines_part": "entry/_lines.html",
        "mend_at": "#lines",
    }
