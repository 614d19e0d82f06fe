"""alinb: sign AliExpress Open Platform requests right, and learn why one was refused.

Everything is loaded when it is first used, so that importing alinb costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import App, Platform
    from .attempts import Attempt, Comparison, compare
    from .calls import Call
    from .catalogue import Method, Methods, method, methods
    from .client import AsyncClient, Client
    from .doctor import Diagnosis, diagnose, mistaken, verify
    from .errors import (
        AlinbError,
        AppKeyRefused,
        CallbackError,
        CodeRefused,
        InputError,
        IntakeError,
        JournalError,
        MissingExtra,
        MissingSecret,
        NoReply,
        PermissionRefused,
        PortInUse,
        RateLimited,
        Refused,
        ServiceFailed,
        SignatureRefused,
        TokenRefused,
        TokenStoreError,
        UnknownPlatform,
        UnreadableReply,
    )
    from .explanations import Explanation, explain
    from .frames import Changes, changes, frame, tables
    from .gateway import Sandbox, sandbox
    from .journal import Journal
    from .listener import Listener
    from .oauth import Authorization, Callback, authorize, parse_callback
    from .pulls import Pull, date_windows, pull
    from .recipes import RECIPES
    from .redact import Secret
    from .replies import Reply
    from .signing import Signed, Verification, sign
    from .snippets import snippet
    from .stages import Recipe, Segment, Walk
    from .support import SupportBundle, support_bundle
    from .tokens import FileStore, KeyringStore, MemoryStore, Token, TokenStore
    from .widgets.bench import SignatureBench
    from .widgets.browsing import AttemptBrowser
    from .widgets.comparing import AttemptCompare
    from .widgets.explorer import ApiExplorer
    from .widgets.exploring import Exploration, explore
    from .widgets.monitor import PullMonitor
    from .widgets.twin import Bench, bench
    from .widgets.walkthrough import OAuthWalkthrough

__version__ = "0.1.0"

_HOMES = {
    "app": ("App", "Platform"),
    "attempts": ("Attempt", "Comparison", "compare"),
    "calls": ("Call",),
    "catalogue": ("Method", "Methods", "method", "methods"),
    "client": ("AsyncClient", "Client"),
    "doctor": ("Diagnosis", "diagnose", "mistaken", "verify"),
    "errors": (
        "AlinbError",
        "AppKeyRefused",
        "CallbackError",
        "CodeRefused",
        "InputError",
        "IntakeError",
        "JournalError",
        "MissingExtra",
        "MissingSecret",
        "NoReply",
        "PermissionRefused",
        "PortInUse",
        "RateLimited",
        "Refused",
        "ServiceFailed",
        "SignatureRefused",
        "TokenRefused",
        "TokenStoreError",
        "UnknownPlatform",
        "UnreadableReply",
    ),
    "explanations": ("Explanation", "explain"),
    "frames": ("Changes", "changes", "frame", "tables"),
    "gateway": ("Sandbox", "sandbox"),
    "journal": ("Journal",),
    "listener": ("Listener",),
    "oauth": ("Authorization", "Callback", "authorize", "parse_callback"),
    "pulls": ("Pull", "date_windows", "pull"),
    "recipes": ("RECIPES",),
    "redact": ("Secret",),
    "replies": ("Reply",),
    "signing": ("Signed", "Verification", "sign"),
    "snippets": ("snippet",),
    "stages": ("Recipe", "Segment", "Walk"),
    "support": ("SupportBundle", "support_bundle"),
    "tokens": ("FileStore", "KeyringStore", "MemoryStore", "Token", "TokenStore"),
    "widgets.bench": ("SignatureBench",),
    "widgets.browsing": ("AttemptBrowser",),
    "widgets.comparing": ("AttemptCompare",),
    "widgets.explorer": ("ApiExplorer",),
    "widgets.exploring": ("Exploration", "explore"),
    "widgets.monitor": ("PullMonitor",),
    "widgets.twin": ("Bench", "bench"),
    "widgets.walkthrough": ("OAuthWalkthrough",),
}

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "RECIPES",
    "AlinbError",
    "ApiExplorer",
    "App",
    "AppKeyRefused",
    "AsyncClient",
    "Attempt",
    "AttemptBrowser",
    "AttemptCompare",
    "Authorization",
    "Bench",
    "Call",
    "Callback",
    "CallbackError",
    "Changes",
    "Client",
    "CodeRefused",
    "Comparison",
    "Diagnosis",
    "Explanation",
    "Exploration",
    "FileStore",
    "InputError",
    "IntakeError",
    "Journal",
    "JournalError",
    "KeyringStore",
    "Listener",
    "MemoryStore",
    "Method",
    "Methods",
    "MissingExtra",
    "MissingSecret",
    "NoReply",
    "OAuthWalkthrough",
    "PermissionRefused",
    "Platform",
    "PortInUse",
    "Pull",
    "PullMonitor",
    "RateLimited",
    "Recipe",
    "Refused",
    "Reply",
    "Sandbox",
    "Secret",
    "Segment",
    "ServiceFailed",
    "SignatureBench",
    "SignatureRefused",
    "Signed",
    "SupportBundle",
    "Token",
    "TokenRefused",
    "TokenStore",
    "TokenStoreError",
    "UnknownPlatform",
    "UnreadableReply",
    "Verification",
    "Walk",
    "authorize",
    "bench",
    "changes",
    "compare",
    "date_windows",
    "diagnose",
    "explain",
    "explore",
    "frame",
    "method",
    "methods",
    "mistaken",
    "parse_callback",
    "pull",
    "sandbox",
    "sign",
    "snippet",
    "support_bundle",
    "tables",
    "verify",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'alinb' has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def load_ipython_extension(ipython: Any) -> None:
    """What `%load_ext alinb` calls."""
    from .magic import register

    register(ipython)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
