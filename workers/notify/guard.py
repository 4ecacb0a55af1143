"""Where a webhook may go: an address that everybody on the internet can reach, and no other.

A URL comes from whoever may ask for a request; the process that calls it stands inside the network. What is judged is
the address that a name resolves to, and the caller connects to that very address: a name that resolves to another one
a moment later gains nothing.

Source: the IANA registries of special-purpose addresses (RFC 6890), as the standard library's `ipaddress` holds them.
Addresses that carry another one inside: RFC 4291 2.5.5 (IPv4-compatible, IPv4-mapped), RFC 6052 (NAT64), RFC 3056
(6to4).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address

from aiops.errors import DeliveryFailed, DeliveryRefused

Address = IPv4Address | IPv6Address

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that is handed out of IPv6 (RFC 4291 2.4); the rest is local, reserved, or carries an IPv4 address."""
_NOT_REACHABLE = tuple(
    ipaddress.ip_network(network)
    for network in (
        # Not, or not in every version that we run on, among what `ipaddress` takes to be private.
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # relays of 6to4, given up (RFC 7526)
        "2001::/23",  # IETF protocol assignments, Teredo among them
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_IPV4_IN_THE_LAST_BITS = (
    ipaddress.IPv6Network("::/96"),
    ipaddress.IPv6Network("::ffff:0:0/96"),
    ipaddress.IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated (RFC 7915)
    ipaddress.IPv6Network("64:ff9b::/96"),
)


def innermost(address: Address) -> Address:
    """The IPv4 address that an IPv6 address carries and that it leads to; else the address itself."""
    if isinstance(address, IPv6Address):
        if any(address in network for network in _IPV4_IN_THE_LAST_BITS):
            # `::` and `::1` lie in the first of these networks, and mean this host.
            return IPv4Address(int(address) & 0xFFFFFFFF) if int(address) > 1 else address
        if address.sixtofour is not None:
            return address.sixtofour
    return address


def is_allowed(address: Address, *, allow_private: bool = False) -> bool:
    """Whether a webhook may go to an address.

    Args:
        address: as resolved.
        allow_private: private and loopback addresses, too. Never: groups of hosts, and link-local addresses, where
            clouds hand out their machines' credentials.
    """
    address = innermost(address)
    if address.is_multicast or address.is_link_local or address.is_unspecified:
        return False
    if allow_private:
        return address != IPv4Address("255.255.255.255")
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not any(
        address in network for network in _NOT_REACHABLE if network.version == address.version
    )


async def allowed_addresses(host: str, port: int, *, allow_private: bool = False) -> tuple[Address, ...]:
    """Resolve a host, once, and judge all of its addresses.

    Returns:
        At least one address, in the order in which they should be tried.

    Raises:
        DeliveryFailed: the name does not resolve; it may later.
        DeliveryRefused: one of the addresses is not allowed, or the name cannot be one.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise DeliveryRefused("the webhook's host is not a name that can be resolved") from None
    except OSError:
        raise DeliveryFailed("the webhook's host does not resolve") from None
    # A scope (`%eth0`) belongs to link-local addresses, which are refused with it or without.
    addresses = tuple(dict.fromkeys(ipaddress.ip_address(str(where[0]).split("%")[0]) for *_, where in found))
    if not addresses:
        raise DeliveryFailed("the webhook's host does not resolve")
    if not all(is_allowed(address, allow_private=allow_private) for address in addresses):
        raise DeliveryRefused(
            "the webhook's host resolves to an address that is not public; allowed by WEBHOOK_ALLOW_PRIVATE"
        )
    return addresses
