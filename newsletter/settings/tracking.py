"""Whether opens and clicks are recorded: `[tracking]`."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field

from newsletter.errors import FaultError
from newsletter.model.machines import Network
from newsletter.model.readership import TrackingMode
from newsletter.model.values import Fields


def _network(value: object) -> object:
    try:
        return ip_network(str(value).strip())
    except ValueError as err:
        remedy = 'write it like "192.0.2.0/24" or "2001:db8::/32"'
        raise FaultError(f"{value!r} is not a range of addresses", remedy) from err


class TrackingSettings(Fields):
    """`[tracking]`: whether opens and clicks are recorded, and the networks of scanners."""

    mode: TrackingMode = Field(
        default=TrackingMode.OFF, description="off, totals (one count for all), or consented (per person who agreed)"
    )
    machine_networks: tuple[Annotated[Network, BeforeValidator(_network)], ...] = Field(
        default=(), description="address ranges of security scanners, whose clicks are not counted as people's"
    )
