"""Client libraries as people install them, unchanged, against a sandbox on a port.

How each of them is pointed at it, always by what the library itself offers:

lazop-sdk               `LazopClient(server_url, …)`
taobaopy                `TaoBaoAPIClient(…, domain=…)`
aliexpress-sdk          `SomeRequest(domain, port)`
python-aliexpress-api   `SomeRequest(domain, port)`; its facade `AliexpressApi` makes these requests
                        without arguments, so they are given the sandbox's as default ones
"""

import gc
import importlib
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alinb.gateway import Sandbox

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

KEY, SECRET = "500102", "helloworld"
QUERY, DETAIL = "aliexpress.affiliate.product.query", "aliexpress.ds.product.get"
WRONG_SIGNATURE = "The request signature does not conform to platform standards"


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    with Sandbox(app_key=KEY, secret=SECRET, products=24).serve() as served:
        yield served


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def collected() -> Iterator[None]:
    """The two TOP SDKs leave the closing of their connections to the garbage collector."""
    yield
    gc.collect()


def port_of(box: Sandbox) -> int:
    return int(box.url.rpartition(":")[2])


def access_token(box: Sandbox) -> str:
    grant = box.gateway.state.exchange(box.code())
    assert grant is not None
    return grant.access_token


def last_codes(box: Sandbox, count: int) -> list[str]:
    """The verdicts that the gateway remembers of the latest requests, oldest first."""
    return [attempt.code for attempt in reversed(box.gateway.attempts()[:count])]


@pytest.fixture(scope="session")
def lazop_sdk(tmp_path_factory: pytest.TempPathFactory) -> Any:
    # On import it makes a folder of logs in the user's home.
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        return importlib.import_module("lazop_sdk")


class TestLazopSdk:
    @pytest.fixture
    def sdk(self, lazop_sdk: Any) -> Any:
        return lazop_sdk

    @pytest.fixture
    def client(self, sdk: Any, box: Sandbox) -> Any:
        return sdk.LazopClient(f"{box.url}/rest", KEY, SECRET)

    @staticmethod
    def call(sdk: Any, client: Any, name: str, verb: str = "POST", **params: str) -> Any:
        request = sdk.LazopRequest(name, verb)
        for key, value in params.items():
            request.add_api_param(key, value)
        return client.execute(request)

    def test_its_log_stays_out_of_the_users_home(self, sdk: Any, tmp_path_factory: Any) -> None:
        from lazop_sdk import base

        assert Path(base.dir).is_relative_to(tmp_path_factory.getbasetemp())

    @pytest.mark.parametrize("verb", ["GET", "POST"])
    def test_token_create_and_refresh(self, sdk: Any, client: Any, box: Sandbox, verb: str) -> None:
        made = self.call(sdk, client, "/auth/token/create", verb, code=box.code())
        assert (made.code, made.type, made.message) == ("0", None, None)
        assert made.request_id
        assert made.body["expires_in"] == 86_400
        renewed = self.call(
            sdk, client, "/auth/token/refresh", verb, refresh_token=made.body["refresh_token"]
        )
        assert renewed.code == "0"
        assert renewed.body["access_token"] != made.body["access_token"]

    def test_a_code_that_is_used_up(self, sdk: Any, client: Any, box: Sandbox) -> None:
        code = box.code()
        codes = [self.call(sdk, client, "/auth/token/create", code=code) for _ in range(2)]
        assert [reply.code for reply in codes] == ["0", "InvalidCode"]
        assert (codes[1].type, codes[1].message) == ("ISV", "Invalid authorization code")

    def test_the_security_pair_is_a_system_call_too(
        self, sdk: Any, client: Any, box: Sandbox
    ) -> None:
        made = self.call(sdk, client, "/auth/token/security/create", code=box.code())
        assert made.code == "0"
        assert "account" not in made.body

    def test_a_business_call_by_path_with_its_token_is_signed_right(
        self, sdk: Any, client: Any, box: Sandbox
    ) -> None:
        """The sandbox has no such path: it says so after the signature, not before."""
        request = sdk.LazopRequest("/order/get", "GET")
        request.add_api_param("order_id", "16090")
        request.add_api_param("note", "câble 中文 & 100%+/=")
        refused = client.execute(request, access_token(box))
        assert (refused.code, refused.type) == ("InvalidApiPath", "ISV")

    def test_a_file_is_not_signed(self, sdk: Any, client: Any, tmp_path: Path) -> None:
        request = sdk.LazopRequest("/image/upload")
        request.add_api_param("scene", "a b")
        request.add_file_param("image", bytes(range(256)))
        assert client.execute(request).code == "InvalidApiPath"

    def test_its_debug_parameter_is_signed(self, sdk: Any, client: Any, box: Sandbox) -> None:
        client.log_level = sdk.P_LOG_LEVEL_DEBUG
        assert self.call(sdk, client, "/auth/token/create", code=box.code()).code == "0"
        assert box.gateway.attempts()[0].params["debug"] == "true"

    def test_a_wrong_secret(self, sdk: Any, box: Sandbox) -> None:
        client, code = sdk.LazopClient(f"{box.url}/rest", KEY, "another"), box.code()
        refused = self.call(sdk, client, "/auth/token/create", code=code)
        assert (refused.code, refused.message) == ("IncompleteSignature", WRONG_SIGNATURE)
        right = sdk.LazopClient(f"{box.url}/rest", KEY, SECRET)
        assert self.call(sdk, right, "/auth/token/create", code=code).code == "0"

    def test_an_unknown_app_key(self, sdk: Any, box: Sandbox) -> None:
        client = sdk.LazopClient(f"{box.url}/rest", "1", SECRET)
        assert self.call(sdk, client, "/auth/token/create", code="x").code == "InvalidAppKey"

    def test_the_same_client_at_a_lazada_sandbox(self, sdk: Any) -> None:
        with Sandbox(platform="lazada-sg", secret=SECRET, products=12).serve() as lazada:
            client = sdk.LazopClient(f"{lazada.url}/rest", lazada.app.key, SECRET)
            made = self.call(sdk, client, "/auth/token/create", code=lazada.code())
            assert (made.code, made.body["country"]) == ("0", "sg")
            renewed = self.call(
                sdk, client, "/auth/token/refresh", refresh_token=made.body["refresh_token"]
            )
            assert renewed.body["country_user_info_list"]
            token = renewed.body["access_token"]

            def asked(name: str, **params: str) -> Any:
                request = sdk.LazopRequest(name, "GET")
                for key, value in params.items():
                    request.add_api_param(key, value)
                return client.execute(request, token)

            orders = asked("/orders/get", created_after="2020-01-01T00:00:00+08:00")
            assert (orders.code, orders.type) == ("0", None)
            first = orders.body["data"]["orders"][0]["order_id"]
            order = asked("/order/get", order_id=str(first))
            assert (order.code, order.body["data"]["order_id"]) == ("0", first)
            assert asked("/products/get", limit="3").code == "0"
            assert asked("/seller/get").code == "0"
            assert asked("/order/get", order_id="1").code == "16"
            wrong = sdk.LazopClient(f"{lazada.url}/rest", lazada.app.key, "another")
            refused = self.call(sdk, wrong, "/seller/get", "GET")
            assert refused.code == "IncompleteSignature"
            assert "lazada standards" in refused.message


def in_zone(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    yield partial(in_zone, monkeypatch)
    monkeypatch.undo()
    time.tzset()


class TestTaobaopy:
    """HMAC-MD5 at /router/rest, with the machine's own time as text."""

    @pytest.fixture
    def sdk(self) -> Any:
        return importlib.import_module("taobaopy.taobao")

    @pytest.fixture
    def client(self, sdk: Any, box: Sandbox) -> Any:
        return sdk.TaoBaoAPIClient(KEY, SECRET, domain=box.url)

    @pytest.mark.parametrize("name", ["UTC", "Asia/Shanghai"])
    def test_a_search(self, client: Any, zone: Any, name: str) -> None:
        zone(name)
        found = client.aliexpress__affiliate_product_query(
            keywords="lamp", page_size=2, target_currency="EUR", tracking_id="câble 中文 & 100%+/="
        )
        result = found["aliexpress_affiliate_product_query_response"]["resp_result"]["result"]
        assert result["current_record_count"] == 2
        products = result["products"]["product"]
        assert {p["target_sale_price_currency"] for p in products} == {"EUR"}
        assert all("Lamp" in product["product_title"] for product in products)

    def test_a_product_with_a_token(self, client: Any, box: Sandbox, zone: Any) -> None:
        zone("Asia/Shanghai")
        client.set_access_token(access_token(box))
        product = box.gateway.market.ids[5]
        found = client.aliexpress__ds_product_get(
            product_id=product, ship_to_country="US", remove_personal_benefit=True
        )
        inside = found["aliexpress_ds_product_get_response"]
        assert inside["rsp_code"] == 200
        assert inside["result"]["ae_item_base_info_dto"]["product_id"] == product
        assert box.gateway.attempts()[0].params["remove_personal_benefit"] == "true"

    def test_refusals_come_in_tops_numbers(self, sdk: Any, client: Any, zone: Any) -> None:
        zone("UTC")
        for call, params, code, message in (
            (client.aliexpress__ds_product_get, {"product_id": 1}, 26, "Missing Session"),
            (client.tbk_item_get, {"q": "x"}, 22, "Invalid Method"),
        ):
            with pytest.raises(sdk.TaoBaoAPIError) as caught:
                call(**params)
            assert (caught.value.code, caught.value.msg) == (code, message)
            assert caught.value.request_id

    def test_a_wrong_secret(self, sdk: Any, box: Sandbox, zone: Any) -> None:
        zone("UTC")
        client = sdk.TaoBaoAPIClient(KEY, "another", domain=box.url)
        with pytest.raises(sdk.TaoBaoAPIError) as caught:
            client.aliexpress__affiliate_product_query(keywords="lamp")
        assert (caught.value.code, caught.value.msg) == (25, "Invalid signature")

    def test_an_unknown_app_key(self, sdk: Any, box: Sandbox, zone: Any) -> None:
        zone("UTC")
        client = sdk.TaoBaoAPIClient("1", SECRET, domain=box.url)
        with pytest.raises(sdk.TaoBaoAPIError) as caught:
            client.aliexpress__affiliate_product_query(keywords="lamp")
        assert (caught.value.code, caught.value.sub_code) == (29, "isv.appkey-not-exists")

    def test_on_a_machine_in_another_zone_its_time_is_wrong(
        self, sdk: Any, client: Any, zone: Any
    ) -> None:
        zone("America/Los_Angeles")
        with pytest.raises(sdk.TaoBaoAPIError) as caught:
            client.aliexpress__affiliate_product_query(keywords="lamp")
        assert (caught.value.code, caught.value.msg) == (31, "Invalid timestamp")


@pytest.mark.usefixtures("collected")
class TestPythonAliexpressApi:
    """MD5 at /sync, system parameters in the query, business parameters in a form."""

    @pytest.fixture
    def rest(self, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
        rest = importlib.import_module("aliexpress_api.skd.api.rest")
        for name in [name for name in dir(rest) if name.endswith("Request")]:
            request = getattr(rest, name)
            if isinstance(request, type):
                monkeypatch.setattr(rest, name, partial(request, "127.0.0.1", port_of(box)))
        return rest

    @pytest.fixture
    def package(self) -> Any:
        return importlib.import_module("aliexpress_api")

    @staticmethod
    def api(package: Any, secret: str = SECRET, key: str = KEY) -> Any:
        models = package.models
        return package.AliexpressApi(key, secret, models.Language.EN, models.Currency.EUR, "mine")

    @pytest.fixture
    def errors(self) -> Any:
        return importlib.import_module("aliexpress_api.errors.exceptions")

    def test_a_search(self, package: Any, rest: Any, box: Sandbox) -> None:
        found = self.api(package).get_products(
            keywords="lamp", page_size=2, min_sale_price=100, ship_to_country="FR"
        )
        assert (found.current_record_count, found.total_record_count) == (2, 2)
        first = found.products[0]
        assert first.product_id in box.gateway.market.ids
        assert first.target_sale_price_currency == "EUR"
        assert isinstance(first.product_small_image_urls, list)
        assert box.gateway.attempts()[0].params["delivery_days"] == "None", "its own mistake"

    def test_an_empty_search(self, package: Any, rest: Any, errors: Any) -> None:
        with pytest.raises(errors.ApiRequestResponseException) as caught:
            self.api(package).get_products(keywords="câble USB 中文 & 100%+/=")
        assert str(caught.value) == "Response code 405 - The result is empty"

    def test_every_call_of_its_facade_is_answered(
        self, package: Any, rest: Any, errors: Any, box: Sandbox
    ) -> None:
        api, product = self.api(package), box.gateway.market.ids[3]
        (detail,) = api.get_products_details([str(product)])
        assert detail.product_id == product
        assert api.get_categories()
        assert api.get_hotproducts().products
        (link,) = api.get_affiliate_links(f"https://www.aliexpress.com/item/{product}.html")
        assert link.promotion_link.startswith("https://s.click.aliexpress.com/")
        assert last_codes(box, 4) == ["200"] * 4

    def test_a_wrong_secret_and_an_unknown_key(self, package: Any, rest: Any, errors: Any) -> None:
        for given, said in (
            ({"secret": "another"}, WRONG_SIGNATURE),
            ({"key": "1"}, "The specified App Key is invalid"),
        ):
            # The app is a global of this library: the latest one made holds.
            api = self.api(package, **given)
            with pytest.raises(errors.ApiRequestException) as caught:
                api.get_products(keywords="lamp")
            assert str(caught.value) == said

    def test_a_session_on_an_affiliate_call(self, package: Any, rest: Any, box: Sandbox) -> None:
        base = importlib.import_module("aliexpress_api.skd.api.base")
        request = rest.AliexpressAffiliateProductQueryRequest()
        request.set_app_info(SimpleNamespace(appkey=KEY, secret=SECRET))
        with pytest.raises(base.TopException) as caught:
            request.getResponse(authrize=access_token(box))
        assert caught.value.errorcode == "IllegalAccessToken"


@pytest.mark.usefixtures("collected")
def test_the_md5_of_the_top_libraries_opens_no_path_call(box: Sandbox) -> None:
    """They know dotted methods alone; a path call is signed otherwise, and refused."""
    base = importlib.import_module("aliexpress_api.skd.api.base")

    class Create(base.RestApi):  # type: ignore[misc]
        def getapiname(self) -> str:
            return "/auth/token/create"

    request = Create("127.0.0.1", port_of(box))
    request.set_app_info(SimpleNamespace(appkey=KEY, secret=SECRET))
    request.code = box.code()
    refused = request.getResponse()
    assert (refused["code"], refused["message"]) == ("IncompleteSignature", WRONG_SIGNATURE)


@pytest.mark.usefixtures("collected")
class TestAliexpressSdk:
    """MD5 at /router/rest; a seller's library, so that the dropshipping methods are added here."""

    @pytest.fixture
    def api(self) -> Any:
        return importlib.import_module("aliexpress.api")

    @staticmethod
    def request(api: Any, box: Sandbox, name: str, secret: str = SECRET, **params: Any) -> Any:
        class Request(api.base.RestApi):  # type: ignore[misc]
            def getapiname(self) -> str:
                return name

        made = Request("127.0.0.1", port_of(box))
        made.set_app_info(SimpleNamespace(appkey=KEY, secret=secret))
        for key, value in params.items():
            setattr(made, key, value)
        return made

    def test_a_search(self, api: Any, box: Sandbox) -> None:
        wanted = {"keywords": "lamp", "page_size": 1, "tracking_id": "câble 中文 & 100%+/="}
        found = self.request(api, box, QUERY, **wanted).getResponse()
        result = found["aliexpress_affiliate_product_query_response"]["resp_result"]["result"]
        assert result["current_record_count"] == 1

    def test_a_product_with_a_session(self, api: Any, box: Sandbox) -> None:
        product = box.gateway.market.ids[0]
        request = self.request(api, box, DETAIL, product_id=product, ship_to_country="US")
        found = request.getResponse(authrize=access_token(box))
        base = found["aliexpress_ds_product_get_response"]["result"]["ae_item_base_info_dto"]
        assert base["product_id"] == product

    def test_its_own_requests_are_signed_right(self, api: Any, box: Sandbox) -> None:
        request = api.AliexpressLogisticsRedefiningGetonlinelogisticsinfoRequest(
            "127.0.0.1", port_of(box)
        )
        request.set_app_info(SimpleNamespace(appkey=KEY, secret=SECRET))
        request.order_id = 1234
        with pytest.raises(api.base.TopException) as caught:
            request.getResponse(authrize="x")
        assert (caught.value.errorcode, caught.value.message) == (22, "Invalid Method")

    def test_a_wrong_secret(self, api: Any, box: Sandbox) -> None:
        with pytest.raises(api.base.TopException) as caught:
            self.request(api, box, QUERY, secret="another").getResponse()
        assert (caught.value.errorcode, caught.value.message) == (25, "Invalid signature")
