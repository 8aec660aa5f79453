"""What the buyer reads: sentences for Stripe's codes, and how a waiting payment is paid.

Stripe's own sentences are for developers, and some codes (a stolen card) are not for the buyer to know.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from stripe import (
    APIConnectionError,
    AuthenticationError,
    Charge,
    PaymentIntent,
    PermissionError,
    StripeError,
)

from plugins import Texts

_JAPAN = ZoneInfo("Asia/Tokyo")  # konbini vouchers end at midnight there, wherever the shop is

DECLINED: Texts = {
    "ja": "カードが承認されませんでした。別のカードか、ほかの支払方法をお試しください",
    "en": "The card was declined. Please try another card or another way to pay",
}
NOT_BEGUN: Texts = {
    "ja": "お支払いを始められませんでした。ほかの支払方法をお選びください",
    "en": "The payment could not be begun. Please choose another way to pay",
}
NOT_REFUNDED: Texts = {
    "ja": "返金できませんでした",
    "en": "The money could not be given back",
}
EXPIRED: Texts = {
    "ja": "お支払いの期限が過ぎました",
    "en": "The time to pay has passed",
}
ANSWERS: Texts = {
    "ja": "Stripe はこの鍵に応答しています",
    "en": "Stripe answers to this key",
}
ANSWERS_IN_TEST: Texts = {
    "ja": "Stripe はこの鍵に応答しています。テスト用の鍵なので、お金は動きません",
    "en": "Stripe answers to this key. It is a test key: no money moves",
}
_SILENT: dict[type[StripeError], Texts] = {
    AuthenticationError: {
        "ja": "Stripe はこの鍵を受け付けません。api_key を確かめてください",
        "en": "Stripe does not accept this key: look at api_key",
    },
    PermissionError: {
        "ja": "この鍵には Checkout Sessions の権限がありません",
        "en": "This key has no permission for Checkout Sessions",
    },
    APIConnectionError: {
        "ja": "Stripe に接続できません",
        "en": "Stripe cannot be reached",
    },
    StripeError: {
        "ja": "Stripe がエラーを返しました",
        "en": "Stripe answered with an error",
    },
}
_SENTENCES: dict[str, Texts] = {
    "insufficient_funds": {
        "ja": "カードの利用可能額が足りません。別のカードか、ほかの支払方法をお試しください",
        "en": "The card has not enough funds. Please try another card or another way to pay",
    },
    "expired_card": {
        "ja": "カードの有効期限が切れています。別のカードをお試しください",
        "en": "The card has expired. Please try another card",
    },
    "incorrect_cvc": {
        "ja": "セキュリティコードが違います。もう一度ご入力ください",
        "en": "The security code is wrong. Please enter it again",
    },
    "incorrect_number": {
        "ja": "カード番号が違います。もう一度ご入力ください",
        "en": "The card number is wrong. Please enter it again",
    },
    "card_not_supported": {
        "ja": "このカードはお使いいただけません。別のカードをお試しください",
        "en": "This card cannot be used here. Please try another card",
    },
    "authentication_required": {
        "ja": "カード会社の本人認証が必要です。もう一度お試しください",
        "en": "Your bank asks you to confirm the payment. Please try again",
    },
    "processing_error": {
        "ja": "カード会社で処理できませんでした。少し待ってからもう一度お試しください",
        "en": "The card could not be processed. Please wait a little and try again",
    },
    "amount_too_small": {
        "ja": "金額が小さすぎて、この方法ではお支払いいただけません",
        "en": "The amount is too small for this way to pay",
    },
    "amount_too_large": {
        "ja": "金額が大きすぎて、この方法ではお支払いいただけません",
        "en": "The amount is too large for this way to pay",
    },
    "amount_not_taken": {
        "ja": "この金額は、この方法ではお支払いいただけません",
        "en": "This amount cannot be paid this way",
    },
    "over_refund": {
        "ja": "お支払い済みの金額より多くは返金できません",
        "en": "No more can be given back than was paid",
    },
    "charge_already_refunded": {
        "ja": "このお支払いは返金済みです",
        "en": "This payment has already been refunded",
    },
    "not_paid": {
        "ja": "まだ支払われていないため、返金できません",
        "en": "It has not been paid, so nothing can be given back",
    },
    "refund_failed": {
        "ja": "返金できませんでした。お店からご連絡します",
        "en": "The refund did not succeed. The shop will contact you",
    },
    "charge_expired_for_capture": EXPIRED,
    "payment_intent_payment_attempt_expired": EXPIRED,
    "expired": EXPIRED,
}
_SENTENCES |= {"invalid_cvc": _SENTENCES["incorrect_cvc"], "invalid_number": _SENTENCES["incorrect_number"]}


def sentence(code: str | None, otherwise: Texts) -> Texts:
    """What to tell the buyer about a code of Stripe's."""
    return _SENTENCES.get(code or "", otherwise)


def waiting(intent: PaymentIntent) -> tuple[dict[str, str] | None, datetime | None]:
    """How a payment that waits for money is paid, and until when; (None, None) where Stripe does not say."""
    action: Any = intent.next_action
    voucher = getattr(action, "konbini_display_details", None)
    if voucher is not None:
        return _voucher(voucher)
    transfer = getattr(action, "display_bank_transfer_instructions", None)
    return (_account(transfer), None) if transfer is not None else (None, None)


def _voucher(voucher: Any) -> tuple[dict[str, str], datetime]:
    ends = datetime.fromtimestamp(voucher.expires_at, UTC)
    rows = {"konbini_until": ends.astimezone(_JAPAN).date().isoformat()}
    for store in ("familymart", "lawson", "ministop", "seicomart"):
        codes = getattr(voucher.stores, store, None)
        if codes is not None:
            shown = [getattr(codes, "payment_code", None), getattr(codes, "confirmation_number", None)]
            rows[f"konbini_{store}"] = " / ".join(code for code in shown if code)
    if getattr(voucher, "hosted_voucher_url", None):
        rows["voucher"] = voucher.hosted_voucher_url
    return rows, ends


def _account(transfer: Any) -> dict[str, str]:
    rows: dict[str, str | None] = {}
    for address in getattr(transfer, "financial_addresses", None) or ():
        zengin = getattr(address, "zengin", None)
        if zengin is not None:
            kind = {"futsu": "普通", "toza": "当座"}.get(zengin.account_type or "", zengin.account_type)
            rows |= {
                "bank": _named(zengin.bank_name, zengin.bank_code),
                "branch": _named(zengin.branch_name, zengin.branch_code),
                "account_type": kind,
                "account": zengin.account_number,
                "holder": zengin.account_holder_name,
            }
            break
    rows["reference"] = getattr(transfer, "reference", None)
    rows["voucher"] = getattr(transfer, "hosted_instructions_url", None)
    return {key: value for key, value in rows.items() if value}


def _named(name: str | None, code: str | None) -> str:
    return f"{name or ''} ({code})" if code else name or ""


def told(error: Mapping[str, Any] | object) -> str | None:
    """The most exact code in an error of Stripe's: why the bank declined, before that it did."""
    inner = error.get("error") if isinstance(error, Mapping) else None
    if not isinstance(inner, Mapping):
        return None
    code = inner.get("decline_code") or inner.get("code")
    return str(code)[:64] if code else None


_METHODS = {
    "card": ("カード", "card"),
    "konbini": ("コンビニ払い", "convenience store"),
    "jp_bank_transfer": ("銀行振込", "bank transfer"),
}


def label_of(methods: Sequence[str]) -> dict[str, str]:
    """What the way of paying is called in this shop."""
    japanese, english = zip(*(_METHODS[each] for each in methods), strict=True)
    return {"ja": f"オンライン決済({'・'.join(japanese)})", "en": f"Pay online ({', '.join(english)})"}


def offered_text(methods: Sequence[str]) -> Texts:
    """For the buyer, before the order."""
    japanese, english = zip(*(_METHODS[each] for each in methods), strict=True)
    return {
        "ja": f"次の画面(Stripe)でお支払いください: {'・'.join(japanese)}",
        "en": f"You pay on the next page, at Stripe: {', '.join(english)}",
    }


def arrival_text(charge: Charge | None, status: str) -> Texts:
    """For the buyer, when money goes back: how and when it arrives."""
    details = charge.payment_method_details if charge is not None else None
    if details is None or details.type == "card":
        return {
            "ja": "カード会社により、明細に出るまで5〜10営業日ほどかかります",
            "en": "It shows on your card statement within 5 to 10 business days",
        }
    if status == "refunded":
        return {
            "ja": "Stripeにご指定の銀行口座へお振り込みします",
            "en": "It is sent to the bank account that you named to Stripe",
        }
    return {
        "ja": "Stripeから、お受け取りの銀行口座を伺うメールが届きます。ご登録から数営業日でお振り込みします",
        "en": "Stripe asks you by mail for a bank account. The money arrives a few business days after you name one",
    }


def dropped_text(methods: Sequence[str]) -> Texts:
    """For the owner."""
    japanese, english = zip(*(_METHODS[each] for each in methods), strict=True)
    return {
        "ja": f"Stripeの決済画面に{'・'.join(japanese)}が出ていません。Stripeの管理画面で有効にするか、"
        "shop.tomlのmethodsから外してください",
        "en": f"Stripe's page does not offer: {', '.join(english)}. Activate it in Stripe's Dashboard, or take it out "
        "of methods in shop.toml",
    }


def no_answer(error: StripeError) -> Texts:
    """What the owner reads where Stripe did not answer; never Stripe's own sentence, which may repeat the key."""
    return next(said for kind, said in _SILENT.items() if isinstance(error, kind))
