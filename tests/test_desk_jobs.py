"""Work that did not succeed, at the desk: shown with its reason, tried again by the owner, under the same event id."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.audit import AuditEntry
from storefront.clock import now
from storefront.database import get_session, write
from storefront.jobs import ATTEMPTS, LONGEST_PAUSE, Outbox
from support.ordering import placed
from support.shop import sign_in


def leave(app: Flask, *, dead: bool, kind: str = "plugin.event", order_id: int = 7) -> int:
    """A job that failed, given up or waiting for its next try."""
    with app.app_context(), write() as session:
        job = Outbox(
            event_id=f"event-{dead}-{kind}",
            kind=kind,
            payload={"event": "order_placed", "plugin": "event_webhooks", "order_id": order_id, "id": "x"},
            created_at=now(),
            available_at=now() + timedelta(hours=2),
            attempts=ATTEMPTS if dead else 3,
            dead_at=now() if dead else None,
            error="UnansweredError: the server answered <b>503</b>",
        )
        session.add(job)
        session.flush()
        return job.id


def test_what_was_given_up_stands_first_with_its_reason_and_what_it_was_about(
    app: Flask, client: FlaskClient
) -> None:
    leave(app, dead=False, kind="mail")
    leave(app, dead=True)
    sign_in(client, "clerk")
    page = client.get("/admin/jobs?lang=en").text
    assert page.index("Given up</") < page.index("Tried again")
    assert "An event for a plugin" in page
    assert "plugin: event_webhooks" in page
    assert "the server answered &lt;b&gt;503&lt;/b&gt;" in page
    assert "Try now" not in page  # the owner's button
    page = client.get("/admin/jobs?lang=ja").text
    assert "プラグインへの通知" in page


def test_a_job_of_an_order_names_it_by_its_number_and_leads_there(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        order = placed("hayashi", {"N4-SUS": 100})
        order_id, number = order.id, order.number
    leave(app, dead=True, order_id=order_id)
    sign_in(client, "clerk")
    page = client.get("/admin/jobs?lang=en").text
    assert f'<a href="/admin/orders/{number}">{number}</a>' in page and "order_id" not in page


def test_the_owner_tries_a_job_again_under_its_event_id(app: Flask, client: FlaskClient) -> None:
    number = leave(app, dead=True)
    sign_in(client, "owner")
    assert client.post(f"/admin/jobs/{number}/again").status_code == 303
    with app.app_context():
        job = get_session().get_one(Outbox, number)
        assert (job.dead_at, job.attempts, job.event_id) == (None, 0, "event-True-plugin.event")
        assert job.available_at == now()
        entry = get_session().scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.subject) == ("again", f"job:{number}")


def test_a_job_that_is_done_or_never_was_is_not_found(app: Flask, client: FlaskClient) -> None:
    number = leave(app, dead=True)
    with app.app_context(), write() as session:
        session.get_one(Outbox, number).done_at = now()
    sign_in(client, "owner")
    assert client.post(f"/admin/jobs/{number}/again").status_code == 404
    assert client.post("/admin/jobs/999999/again").status_code == 404


@pytest.mark.parametrize("login", ["clerk", "hayashi", None])
def test_only_the_owner_tries_again(app: Flask, client: FlaskClient, login: str | None) -> None:
    number = leave(app, dead=True)
    if login:
        sign_in(client, login)
    assert client.post(f"/admin/jobs/{number}/again").status_code in {401, 403}
    with app.app_context():
        assert get_session().get_one(Outbox, number).dead_at is not None


def test_a_receiver_may_be_down_for_three_days() -> None:
    pauses = [min(timedelta(seconds=15 * 4**tried), LONGEST_PAUSE) for tried in range(ATTEMPTS - 1)]
    assert timedelta(hours=70) < sum(pauses, timedelta()) < timedelta(hours=74)
