"""What the pages can be told at start."""

from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """Settings of one web process; seconds where a name ends in seconds."""

    secret_key: str
    host: str = "127.0.0.1"
    demo_identity: bool = False
    live_period_seconds: float = 1.0
    live_keepalive_seconds: float = 15.0
    streams_per_visitor: int = 6
    page_size: int = 20


def is_loopback(host: str) -> bool:
    """Tell whether this address or name can only be reached from the same machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
