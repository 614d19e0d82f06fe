"""The sandbox: the gateway's side of the protocol, in this process or on a port.

What it does not emulate: several apps at once, app review, IP lists, XML replies, the URL length a
GET may have, real products, prices, stock, payment and accounts, web-hooks, and whatever nobody
outside the platform knows (`alinb.gateway.switches.UNKNOWN` lists what is assumed there).
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from ..app import App, Platform, is_full_url
from ..errors import InputError
from ..redact import Secret
from . import faults
from .core import CATEGORIES, Gateway
from .exchanges import Exchange, Exchanges
from .limits import Limits, Rates
from .market.asked import number
from .methods import Market
from .state import LIVES, State
from .switches import Switches

if TYPE_CHECKING:
    from .serving import Serving

__all__ = ["Sandbox", "sandbox"]


class Sandbox:
    """A gateway of your own, with one app, its consent page and a catalogue of products.

    In process it is used by handing it to a client; `serve()` puts it on a port of 127.0.0.1 for
    programs in any language. `status` test or online sets the tokens' lives, `category` the API
    groups of the app. `callback` is the registered redirect URI; without one any is taken. `fault`
    names what goes wrong, one text or several, as `alinb.gateway.faults.read` has it: a refusal's
    code, or a fault of the line such as `reset@0.1`. `latency_ms` delays each answer. `qps` limits
    calls a second: a number, one by method, or `published`; `quota` calls a day. `burst` calls may
    come at once, and `ban_s` is how long a caller above the limit stays refused, in s. `assume`
    settles what nobody knows, as `alinb.gateway.switches.UNKNOWN` has it. `keep` is called with
    every exchange; `alinb.gateway.keeping.Keeper` puts them into a journal. Raises `InputError` for
    an option that cannot be.

        with alinb.sandbox() as gateway:
            client = alinb.Client(gateway)
            client.exchange(gateway.code())
    """

    def __init__(
        self,
        *,
        app_key: str = "",
        secret: str | Secret = "",
        platform: str | Platform = "aliexpress",
        status: str = "test",
        category: str = "all",
        callback: str = "",
        fault: str | Sequence[str] = "",
        latency_ms: float = 0.0,
        qps: Rates = 0.0,
        quota: int = 0,
        burst: int = 2,
        ban_s: float = 0.0,
        products: int = 5000,
        assume: Mapping[str, str] | None = None,
        keep: Callable[[Exchange], None] | None = None,
        clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        _one_of("app status", status, LIVES)
        _one_of("app category", category, CATEGORIES)
        if not 0 <= latency_ms < math.inf:
            raise InputError(
                f"A latency of {latency_ms} ms makes no sense.", next_step="Use 0 or more."
            )
        if callback and not is_full_url(callback, "http", "https"):
            raise InputError(
                f"{callback!r} is no redirect URI.",
                next_step="Give a full URL, such as https://shop.example/callback.",
            )
        profile = Platform.named(platform) if isinstance(platform, str) else platform
        key = app_key or str(500_000 + int.from_bytes(random(4)) % 400_000)
        self._app = App(key, secret or random(16).hex(), profile.at("http://127.0.0.1"))
        switches = Switches.of(assume or {})
        state = State(
            key, status=status, code_seconds=profile.code_seconds, clock=clock, random=random,
            platform=profile.name, switches=switches,
        )  # fmt: skip
        limits = Limits(clock, qps=qps, quota=quota, burst=burst, ban_s=ban_s)
        self.gateway = Gateway(
            self._app, state, Market(products), limits, clock, switches, category,
            Exchanges(keep=keep),
        )  # fmt: skip
        texts = [fault] if isinstance(fault, str) else fault
        self.faults = faults.Faults([each for text in texts for each in faults.read(text)], random)
        if latency_ms:
            self.faults.switch_on(f"latency={latency_ms:.9g}")
        self._callback = callback
        self._asgi: Any = None
        self._serving: Serving | None = None
        self.url = ""

    @property
    def app(self) -> App:
        """The app to sign with, its platform's hosts replaced by this sandbox."""
        if not self.url:
            return self._app
        return App(self._app.key, self._app.secret, self._app.platform.at(self.url))

    @property
    def asgi(self) -> Any:
        """The ASGI app to talk to in process; None once it is served on a port."""
        return None if self.url else self._build()

    def code(self, *, account: str = "buyer", app_key: str = "") -> str:
        """A fresh authorization code, as the consent page would give one.

        `account` is buyer or seller; with another `app_key` it is one that this app is refused.
        """
        return self.gateway.state.new_code(account=account, app_key=app_key)

    def discount(self, product_id: str | int, percent: int) -> None:
        """Sell a product at `percent` off its list prices from the next call on.

        It takes the place of the discount the product had; 0 sells it at its list prices.
        Every reply that names its price follows; what was ordered keeps the price it had. So two
        pulls of one search can differ, as after a night of trade. Raises `InputError` for an id
        that no product has, and for what is no whole number from 0 to 99.

            gateway.discount("1005006261997375", 75)
        """
        if percent not in range(100):
            raise InputError(
                f"A discount of {percent!r} percent makes no sense.",
                next_step="Use a whole number from 0 to 99.",
            )
        if not self.gateway.market.discount(number(str(product_id), -1), int(percent)):
            raise InputError(
                f"The sandbox has no product {product_id!r}.",
                next_step="Take the id of one that a search finds.",
            )

    def serve(self, port: int = 0) -> Self:
        """Listen on 127.0.0.1, on a free port where `port` is 0; `url` says where.

        Raises `PortInUse` where another program has the port.
        """
        from .serving import Serving

        if not self.url:
            self._serving = Serving(self._build(), port, what="sandbox")
            self.url = self._serving.url
        return self

    def close(self) -> None:
        """Stop listening; the sandbox can still be used in process."""
        self.gateway.exchanges.close()
        if self._serving is not None:
            self._serving.close()
        self._serving = None
        self.url = ""

    def _build(self) -> Any:
        if self._asgi is None:
            from .asgi import build

            self._asgi = build(
                self.gateway, self.faults, callback=self._callback,
                page_token=secrets.token_urlsafe(16),
            )  # fmt: skip
        return self._asgi

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Sandbox app {self._app.key} {'at ' + self.url if self.url else 'in process'}>"


def sandbox(**options: Any) -> Sandbox:
    """A sandbox gateway; the options are those of `Sandbox`."""
    return Sandbox(**options)


def _one_of(what: str, given: str, known: Mapping[str, Any]) -> None:
    if given not in known:
        raise InputError(f"{given!r} is no {what}.", next_step=f"Use {' or '.join(known)}.")
