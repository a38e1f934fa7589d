from ipaddress import ip_network

import pytest

from gateway.services.fetching import AddressPolicy


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.9",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.5.5",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::10.0.0.1",
        "2130706433",
        "0x7f.0.0.1",
        "localhost",
        "",
    ],
)
def test_addresses_that_are_not_public_are_refused(address):
    assert not AddressPolicy(()).permits(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_public_addresses_are_permitted(address):
    assert AddressPolicy(()).permits(address)


def test_allowed_networks_are_exempt_and_nothing_beside_them():
    policy = AddressPolicy([ip_network("10.1.0.0/16"), ip_network("fd00::/64")])
    assert policy.permits("10.1.2.3")
    assert policy.permits("::ffff:10.1.2.3")
    assert policy.permits("fd00::5")
    assert not policy.permits("10.2.0.1")
    assert not policy.permits("fd00:1::5")
