"""What every refusal means, and that what nobody knows is said to be unknown."""

import json

import pytest

from alinb import errors, replies
from alinb.attempts import Attempt
from alinb.explanations import explain, nearest
from alinb.knowledge import load

ENTRIES = load("errors")["error"]
IDS = [f"{e['family']} {e['code'][:40]} {' '.join(e['methods'])}" for e in ENTRIES]
FOUNDING_CODE = "isv.account-migration-check-fail"
FOUNDING = {
    "error_response": {
        "code": 15,
        "msg": "Remote service error",
        "sub_code": FOUNDING_CODE,
        "sub_msg": "The account migration does not conform to platform standards",
    }
}


def _refusal(entry, code="", message=""):
    """The reply, as read, in which this entry's code or message comes."""
    code = code or entry["code"]
    if entry["family"] == "business":
        inner = {"rsp_code": code, "rsp_msg": message}
        data = {"x_response": inner}
    elif entry["family"] == "top":
        data = {"error_response": {"code": int(code), "msg": message}}
    elif entry["family"] == "sub":
        data = {"error_response": {"code": 15, "sub_code": code, "sub_msg": message}}
    elif entry["family"] == "limit" and code.isdigit() and int(code) < 100:
        data = {"error_response": {"code": int(code), "msg": message}}
    else:
        data = {"code": code, "message": message}
    name = entry["methods"][0] if entry["methods"] else ""
    return replies.read(200, json.dumps(data), name.replace("*", "product.query"))


def _is(found, entry):
    return (found.meaning, found.causes, found.cures, found.sources, found.family) == (
        entry["meaning"],
        tuple(entry["causes"]),
        tuple(entry["cures"]),
        tuple(entry["sources"]),
        entry["family"],
    )


def _twins(entry, key):
    """The meanings of every entry that shares a code or a message with this one."""
    return {e["meaning"] for e in ENTRIES if {*e[key]} & {*entry[key]} or e is entry}


# ---- every entry


@pytest.mark.parametrize("entry", ENTRIES, ids=IDS)
def test_every_entry_explains_its_code_in_the_reply_it_comes_in(entry):
    found = explain(_refusal(entry, message=next(iter(entry["messages"]), "").replace("{}", "17")))
    assert _is(found, entry)
    assert found.code == entry["code"]
    assert found.retry_kind == entry["retry_kind"]
    assert found.tries == (3 if entry["retry"].startswith("Once or twice") else None)
    assert found.confidence == entry["confidence"]


@pytest.mark.parametrize("entry", ENTRIES, ids=IDS)
def test_every_entry_explains_its_bare_code(entry):
    found = explain(f"  {entry['code']}\n")
    same = {e["meaning"] for e in ENTRIES if e["code"].lower() == entry["code"].lower()}
    assert found.code == entry["code"]
    assert found.meaning in same


@pytest.mark.parametrize(
    ("entry", "alias"), [(entry, alias) for entry in ENTRIES for alias in entry["aliases"]]
)
def test_every_alias_leads_to_its_entry(entry, alias):
    assert explain(alias).meaning in _twins(entry, "aliases")
    if entry["family"] != "business" or not alias.isdigit():
        assert _is(explain(_refusal(entry, code=alias)), entry)


@pytest.mark.parametrize(
    ("entry", "message"), [(entry, text) for entry in ENTRIES for text in entry["messages"]]
)
def test_every_message_leads_to_its_entry(entry, message):
    spoken = message.replace("{}", "17")
    assert explain(spoken).meaning in _twins(entry, "messages")
    assert explain(spoken.upper()).meaning == explain(spoken).meaning


@pytest.mark.parametrize("entry", ENTRIES, ids=IDS)
def test_every_entry_is_whole(entry):
    found = explain(_refusal(entry))
    assert found.meaning.endswith(".")
    assert found.causes
    assert found.cures
    assert found.sources
    assert found.retry
    assert found.retry_kind in ("no", "after_fix", "wait", "backoff")
    assert found.confidence in ("documented", "observed", "single report", "inferred", "unknown")
    if found.confidence == "unknown":
        assert found.unknown


# ---- the codes that are known to exist

PLATFORM = [
    "IncompleteSignature", "InvalidAppKey", "InvalidAppkey", "InvalidCode", "IllegalAccessToken",
    "IllegalRefreshToken", "AUTH_TYPE_UNSUPPORTED", "IllegalTimestamp", "MissingParameter",
    "InvalidApiPath", "InvalidApi", "MissingPartner", "InsufficientPermission", "AppWhiteIpLimit",
    "UnsupportedParamMapping", "UnsupportedParam", "ServiceUnavailable", "ServiceTimeout",
    "SERVICE_TIMEOUT", "InternalError", "ApiCallLimit", "AppApiCallLimit", "AppCallLimit",
    "ApiCallLimits", "SellerCallLimit", "901", "429", "isv.402", "Reach Limit", "AppCallsLimit",
]  # fmt: skip
SUB_CODES = [
    "isp.top-remote-connection-timeout", "isp.top-remote-service-unavailable",
    "isp.top-remote-unknown-error", "isp.service-unavailable", "isv.insufficient-permission",
    "isv.invalid-authorization", "isv.appkey-not-exists", "isv.invalid-parameter",
    "isv.missing-parameter:x", "accesscontrol.limited-by-app-access-count",
    "accesscontrol.limited-by-api-access-count", "accesscontrol.limited-by-app-api-access-count",
    "isv.access-limited-by-app-access-count", "invalid-sessionkey", FOUNDING_CODE,
]  # fmt: skip
TOP_CODES = [
    *range(1, 16), *range(21, 35), *range(40, 48), 53,
]  # fmt: skip
BUSINESS = [
    "602", "605", "404", "All SKU Unsaleable", "501", "505", "DELIVERY_INFO_EMPTY",
    "DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS", "1001", "TRACKING DATA NOT FOUND",
    "EXCEPTION_TEXT_SEARCH_FOR_DS", "NGSELECTION_SEARCH_ERROR",
    "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL", "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID",
    "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_NOT_MATCH", "BLACKLIST_BUYER_IN_LIST",
    "USER_ACCOUNT_DISABLED", "PRICE_PAY_CURRENCY_ERROR", "DELIVERY_METHOD_NOT_EXIST",
    "INVENTORY_HOLD_ERROR", "REPEATED_ORDER_ERROR", "ERROR_WHEN_BUILD_FOR_PLACE_ORDER",
    "A001_ORDER_CANNOT_BE_PLACED", "A002_INVALID_ZONE", "A003_SUSPICIOUS_BUYER",
    "A004_CANNOT_USER_COUPON", "A005_INVALID_COUNTRIES", "A006_INVALID_ACCOUNT_INFO", "405", "401",
    "402", "403", "E901", "1002", "506", "4154", "ITEM_ID_NOT_FOUND",
    "Item is not allowed to this country", "This publisher is not registered",
    "The result is empty", "OrderCreated, autoPay fail:APIPayFail",
]  # fmt: skip


@pytest.mark.parametrize("code", [*PLATFORM, *SUB_CODES, *map(str, TOP_CODES), *BUSINESS])
def test_every_code_named_in_the_protocol_is_known(code):
    found = explain(code)
    assert "knows no such code" not in found.meaning
    assert found.sources


@pytest.mark.parametrize("number", TOP_CODES)
def test_a_top_number_in_its_envelope_is_the_top_code(number):
    found = explain({"error_response": {"code": number, "msg": "anything"}})
    assert found.family == ("limit" if 4 <= number <= 8 else "top")
    assert found.code == str(number)


# ---- what is unknown


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("IncompleteSignatur", "IncompleteSignature"),
        ("isv.account-migration-chek-fail", "isv.account-migration-check-fail"),
        ("invalid-code", "InvalidCode"),
    ],
)
def test_an_unknown_code_leads_to_the_one_spelled_like_it(typed, meant):
    assert nearest(typed)[0] == meant
    assert meant in explain(typed).cures[0]


def test_nonsense_is_near_to_nothing():
    assert nearest("the cat sat on the mat") == []


def test_an_unknown_code_says_so_and_gives_steps():
    found = explain("NobodyKnowsThis")
    assert (found.code, found.confidence) == ("NobodyKnowsThis", "unknown")
    assert found.unknown == "What this code means."
    assert found.retry_kind == "no"
    assert found.causes == ("Not known.",)
    assert len(found.cures) == 3


@pytest.mark.parametrize(
    ("code", "retry_kind", "said"),
    [
        ("isv.never-heard-of", "after_fix", "The caller has to change something."),
        ("ISV.NEVER-HEARD-OF:x", "after_fix", "The caller has to change something."),
        ("isp.never-heard-of", "backoff", "The service behind the gateway failed."),
        ("isx.never-heard-of", "no", "Whose fault it is cannot be told from the code."),
    ],
)
def test_the_prefix_of_an_unknown_code_says_whose_fault_it_is(code, retry_kind, said):
    found = explain(code)
    assert found.retry_kind == retry_kind
    assert found.meaning.endswith(said)
    assert found.confidence == "unknown"
    assert any("102707" in source for source in found.sources)


def test_a_refusal_without_any_code_is_explained_by_its_message():
    data = {"result": {"is_success": False, "error_msg": "DELIVERY_INFO_EMPTY"}}
    assert explain(data).meaning == explain("DELIVERY_INFO_EMPTY").meaning


def test_a_refusal_without_code_and_message_names_what_there_is():
    found = explain({"result": {"is_success": False}})
    assert (found.code, found.confidence) == ("HTTP 200", "unknown")


# ---- choosing between entries


def test_the_parameter_behind_a_missing_parameter_is_kept():
    entry = next(e for e in ENTRIES if e["code"] == "isv.missing-parameter")
    found = explain(
        {
            "error_response": {
                "code": 40,
                "msg": "Missing required arguments:shpt_to",
                "sub_code": "isv.missing-parameter:shpt_to",
            }
        }
    )
    assert found.code == "isv.missing-parameter:shpt_to"
    assert _is(found, entry)
    assert found.wrapped_in == "40"
    assert _is(explain("isv.missing-parameter:shpt_to"), entry)


@pytest.mark.parametrize(
    ("method", "fault", "confidence"),
    [
        ("aliexpress.affiliate.link.generate", "affiliate service", "observed"),
        ("aliexpress.ds.product.get", "product service", "documented"),
    ],
)
def test_the_method_decides_between_two_entries_of_one_code(method, fault, confidence):
    root = method.replace(".", "_") + "_response"
    data = {root: {"rsp_code": 404, "rsp_msg": "System Error"}}
    found = explain(replies.read(200, json.dumps(data), method))
    assert fault in found.meaning
    assert found.confidence == confidence


def test_the_envelope_decides_between_a_lazada_limit_and_a_freight_verdict():
    flat = explain({"code": "506", "message": "anything"})
    freight = replies.read(
        200,
        json.dumps({"x_response": {"result": {"success": False, "code": 506}}}),
        "aliexpress.ds.freight.query",
    )
    assert (flat.family, flat.retry_kind) == ("limit", "wait")
    assert explain(freight).family == "business"
    assert explain(freight).methods == ("aliexpress.ds.freight.query",)


def test_the_message_decides_between_the_two_isv_402():
    inner = {"code": "15", "sub_code": "isv.402", "sub_msg": "tradeId is invalid"}
    assert explain({"error_response": inner}).family == "sub"
    assert explain({"code": "isv.402", "message": "Creation failed"}).family == "platform"


def test_a_code_is_found_whatever_its_letter_case():
    assert explain("incompletesignature").code == "IncompleteSignature"


def test_a_code_beats_a_message_that_speaks_of_something_else():
    found = explain({"code": "InvalidCode", "message": "Service Unavailable"})
    assert found.meaning == explain("InvalidCode").meaning
    assert found.message == "Service Unavailable"


def test_short_words_inside_a_longer_message_explain_nothing():
    found = explain({"code": "NobodyKnowsThis", "message": "A System Error came up"})
    assert found.confidence == "unknown"


# ---- what can be explained


def _same(found):
    return (found.code, found.wrapped_in, found.message) == (
        FOUNDING_CODE,
        "15",
        "The account migration does not conform to platform standards",
    )


@pytest.mark.parametrize(
    "thing",
    [
        replies.read(200, json.dumps(FOUNDING)),
        json.dumps(FOUNDING),
        f"\n {json.dumps(FOUNDING, indent=2)}\n",
        FOUNDING,
        {**FOUNDING["error_response"], "code": "15"},
        Attempt(
            "GET",
            "https://api-sg.aliexpress.com/rest/auth/token/create?app_key=1",
            status=200,
            reply_text=json.dumps(FOUNDING),
        ),
    ],
    ids=["reply", "json", "json with blanks", "dict", "flat dict", "attempt"],
)
def test_a_refusal_is_explained_in_every_form(thing):
    assert _same(explain(thing))


@pytest.mark.parametrize(
    "thing",
    [
        {"code": "0", "access_token": "5000"},
        {"x_response": {"resp_result": {"resp_code": 405, "resp_msg": "The result is empty"}}},
        replies.read(200, '{"code": "0"}'),
        Attempt("GET", "https://api-sg.aliexpress.com/sync", status=200, reply_text='{"code":0}'),
    ],
    ids=["dict", "empty", "reply", "attempt"],
)
def test_a_reply_that_is_no_refusal_is_not_explained(thing):
    with pytest.raises(errors.InputError, match=r"no refusal: its verdict is (ok|empty)"):
        explain(thing)


def test_an_attempt_without_a_reply_has_nothing_to_explain():
    with pytest.raises(errors.InputError, match=r"no reply to explain.*diagnose"):
        explain(Attempt("GET", "https://api-sg.aliexpress.com/sync"))


@pytest.mark.parametrize("text", ["", " \n"])
def test_no_code_at_all_is_an_input_error(text):
    with pytest.raises(errors.InputError, match="There is no code"):
        explain(text)


@pytest.mark.parametrize(
    ("content", "why"),
    [("<html></html>", "is an HTML page"), ('{"code": "1', "is JSON cut off"), ("", "is empty")],
)
def test_an_unreadable_reply_is_explained_as_such(content, why):
    found = explain(replies.read(502, content))
    assert found.code == "unreadable"
    assert f"The reply (HTTP 502) {why}" in found.meaning
    assert found.retry_kind == "backoff"
    assert "never an exchange of a code" in found.cures[2]


def test_the_seconds_of_a_ban_are_carried():
    found = explain(
        {
            "code": "ApiCallLimit",
            "message": "Api access frequency exceeds the limit. this ban will last 17 seconds",
        }
    )
    assert (found.ban_seconds, found.retry_kind) == (17, "wait")
    top = {
        "code": 7,
        "msg": "App Call Limited",
        "sub_code": "accesscontrol.limited-by-app-access-count",
        "sub_msg": "This ban will last for 22238 more seconds",
    }
    found = explain({"error_response": top})
    assert (found.ban_seconds, found.wrapped_in) == (22238, "7")
    assert explain("ApiCallLimit").ban_seconds is None


# ---- the founding case


def _answer(code, *words):
    found = explain(code)
    (answer,) = (a for q, a in found.questions if all(word in q.lower() for word in words))
    return answer


def test_the_wrapper_is_named_and_the_meaning_said_to_be_unknown():
    found = explain(FOUNDING)
    assert found.wrapped_in == "15"
    assert found.confidence == "single report"
    assert found.meaning.startswith("Nobody has published what it means.")
    assert "no official text" in found.unknown
    assert "do not take this answer as proof that your signature is right" in found.proves


def test_no_cause_is_claimed_to_be_certain():
    found = explain(FOUNDING)
    assert len(found.causes) >= 4
    assert all(cause.startswith("Unproven: ") for cause in found.causes)


def test_the_cheap_steps_come_in_order():
    cures = explain(FOUNDING).cures
    marks = ["alinb diagnose", "force_auth=true", "ds.aliexpress.com", "another buyer account",
             "request_id"]  # fmt: skip
    places = [next(i for i, cure in enumerate(cures) if mark in cure) for mark in marks]
    assert places == sorted(places)
    assert "HMAC-SHA256" in cures[0]
    assert "/auth/token/create" in cures[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("account migration", "mean"), ["code 15", "There is no official text"]),
        (("account type", "registration"), ["Perhaps", "not proved", "buyer account"]),
        (("separate dropshipper registration",), ["DS Center", "is not known"]),
        (("policy", "grant type"), ["Unlikely", "no grant_type", "inferences"]),
        (("region", "singapore"), ["Nothing found says so", "https://api-sg.aliexpress.com"]),
        (("signature error",), ["IncompleteSignature"]),
        (("send to support",), ["request_id", "App key", "ae_ds_supporter_team@aliexpress.com"]),
    ],
)
def test_each_question_of_the_founding_case_is_answered(words, said):
    answer = _answer(FOUNDING_CODE, *words)
    for phrase in said:
        assert phrase in answer


def test_what_is_wrong_with_my_signature_is_answered():
    answer = _answer("IncompleteSignature", "wrong with my signature")
    assert "alinb diagnose" in answer
    assert "/auth/token/create" in answer


@pytest.mark.parametrize("thing", ["Reach Limit", "reach limit", {"code": "Reach Limit"}])
def test_reach_limit_is_answered_as_a_likely_rate_limit(thing):
    found = explain(thing)
    assert (found.code, found.retry_kind) == ("Reach Limit", "wait")
    assert found.confidence == "single report"
    assert "No public source has these words" in found.unknown
    assert "Most likely a rate limit" in _answer("Reach Limit", "reach limit")


# ---- views


def test_as_dict_is_json_with_all_that_scripts_rely_on():
    shown = explain(FOUNDING).as_dict()
    assert {"code", "meaning", "causes", "cures", "retry", "confidence", "sources"} <= set(shown)
    assert json.loads(json.dumps(shown))["wrapped_in"] == "15"
    assert shown["code"] == FOUNDING_CODE
    assert {"question", "answer"} == set(shown["questions"][0])


def test_the_text_names_everything_in_reading_order():
    text = str(explain(FOUNDING))
    parts = [f"{FOUNDING_CODE}: ", "How sure: single report", "Not known: ", "What it proves: ",
             "Causes:", "Do, in this order:", "  1. ", "Send it again? ", "Sources:"]  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize("entry", ENTRIES, ids=IDS)
def test_no_view_is_empty(entry):
    found = explain(_refusal(entry))
    assert str(found).startswith(entry["code"])
    html = found._repr_html_()
    assert html.count("<ul>") == html.count("</ul>") == 3


@pytest.mark.parametrize(
    "thing",
    [
        "<img src=x onerror=alert(1)>",
        {"code": "<img src=x onerror=alert(1)>", "message": "<script>alert(1)</script>"},
        {"error_response": {"code": "15", "sub_code": "isv.x<img onerror=1>", "sub_msg": "<b>"}},
        replies.read(200, "<html><title><img onerror></title>"),
        replies.read(200, "<html><title>&lt;img onerror&gt; <"),
    ],
)
def test_html_escapes_what_a_reply_brings(thing):
    html = explain(thing)._repr_html_()
    assert "<img" not in html
    assert "<script" not in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("status", "cause", "next_step"),
    [
        (200, "The address is not the gateway's", "Check the gateway's address."),
        (429, "What stands before the gateway counts", "Wait a while before you send a read"),
        (503, "The gateway, or what stands before it", "Wait a while before you send a read"),
    ],
)
def test_a_page_instead_of_a_reply_is_explained_by_its_status(status, cause, next_step):
    reply = replies.read(status, "<html>Sorry</html>", "aliexpress.ds.product.get")
    assert explain(reply).causes[0].startswith(cause)
    with pytest.raises(errors.UnreadableReply) as raised:
        reply.raise_for_refusal()
    assert raised.value.next_step.startswith(next_step)
    assert raised.value.next_step.endswith("The attempt keeps the whole reply.")
