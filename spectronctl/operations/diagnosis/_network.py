"""The way to the server: proxy, names, connection, TLS, and who speaks at its end."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from spectronctl.client import probes
from spectronctl.client.probes import Certificate, Greeting, Protocol, Route, Tls
from spectronctl.errors import NetworkError
from spectronctl.ground.network_failures import explain_failure
from spectronctl.ground.times import format_time
from spectronctl.operations.diagnosis._engine import Finding
from spectronctl.operations.diagnosis._subject import NOT_IN_PLAY, Subject, Target

SOON = timedelta(days=14)
"""How long before its end a certificate is worth a warning."""

_WRONG_NAME = {62, 64}
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""

_DEFAULT_PORT_HINT = "Another port may be Spectron's: 9090 unless its operator chose otherwise."
_NOT_BY_HAND = "only the client itself goes through a proxy of this kind: see health"


def check_proxy(subject: Subject) -> Finding:
    """Which proxy is in force, and who says so."""
    target = subject.target
    if not target.has_network:
        return NOT_IN_PLAY
    route = probes.find_route(target.url, target.proxy, target.proxy_source)
    subject.route = route
    if route.proxy is None:
        return Finding(f"none: {route.proxy_source}", facts={"proxy": None})
    origin = route.hop_name.removeprefix("the proxy ")
    facts = {"proxy": origin, "source": route.proxy_source}
    return Finding(f"{origin} from {route.proxy_source}", facts=facts)


def check_dns(subject: Subject) -> Finding:
    """The addresses of whom one connects to: the server, or the proxy."""
    if not subject.target.has_network:
        return NOT_IN_PLAY
    addresses = probes.resolve(subject.route)
    host = subject.route.hop[0]
    facts = {"host": host, "addresses": addresses}
    if addresses == [host]:
        return Finding(f"not needed: {host} is an address", facts=facts)
    return Finding(f"{host}: {', '.join(addresses)}", facts=facts)


def check_tcp(subject: Subject) -> Finding:
    """A connection, up to the server itself where a proxy opens the way."""
    target = subject.target
    if not target.has_network:
        return NOT_IN_PLAY
    reached = probes.reach(subject.route, target.limit)
    subject.address = reached.address
    detail = f"{subject.route.hop_name} responds at {reached.address}"
    facts = {"address": reached.address, "refused": reached.refused}
    if slow := [each for each, reason in reached.refused.items() if reason == probes.LATE]:
        hint = "Every new connection may try it first: take it out of DNS, or fix its network."
        return Finding(f"{detail}, not at {', '.join(slow)}", "warning", hint, facts=facts)
    return Finding(detail, facts=facts)


def check_tls(subject: Subject) -> Finding:
    """Whether the server's certificate is trusted, by which store, and for how long."""
    target = subject.target
    if not target.has_network:
        return NOT_IN_PLAY
    if not subject.route.is_secure:
        return _judge_plain_http(subject)
    if not subject.route.is_open:
        return Finding(_NOT_BY_HAND, "skipped")
    try:
        tls = probes.inspect_tls(subject.route, target.ca_file, target.limit / 2)
    except OSError as exc:
        raise _explain_no_tls(subject, exc) from None
    subject.tls = tls
    facts = _describe(tls)
    if tls.failure is not None:
        return Finding.of(_explain_distrust(subject, tls, tls.failure), facts)
    return _judge_lifetime(tls, facts)


def _judge_plain_http(subject: Subject) -> Finding:
    if subject.route.proxy is None and _is_loopback(subject.address):
        return Finding("not in use: the URL is http, on this machine", "skipped")
    return Finding(
        "not in use: keys and responses are sent unencrypted",
        "warning",
        hint="This is safe only on a private network: use https.",
    )


def _is_loopback(address: str | None) -> bool:
    return address is not None and ip_address(address.partition("%")[0]).is_loopback


def _describe(tls: Tls) -> dict[str, Any]:
    return {
        "version": tls.version,
        "trusted_by": tls.trusted_by,
        "certificates": [
            {
                "subject": each.subject,
                "issuer": each.issuer,
                "names": list(each.names),
                "not_before": format_time(each.not_before),
                "not_after": format_time(each.not_after),
                "sha256": each.fingerprint,
            }
            for each in tls.certificates
        ],
    }


def _judge_lifetime(tls: Tls, facts: dict[str, Any]) -> Finding:
    detail = f"{tls.version}, verified by {tls.trusted_by}"
    if not tls.certificates:
        return Finding(f"{detail}; {_explain_unread()}", facts=facts)
    own = tls.certificates[0]
    left = own.not_after - datetime.now(UTC)
    detail += f"; {own.subject}, signed by {own.issuer}, until {format_time(own.not_after)}"
    if left >= SOON:
        return Finding(detail, facts=facts)
    days = f"{left.days} days" if left.days else "hours"
    return Finding(
        f"the certificate ends in {days}: {detail}",
        "warning",
        hint="Tell the operator of the server: no client can connect after that.",
        facts=facts,
    )


def _explain_unread() -> str:
    if probes.can_read_certificates():
        return "the server's certificate cannot be read"
    return "its certificate is not read, since the package cryptography is not installed"


def _explain_distrust(
    subject: Subject, tls: Tls, failure: ssl.SSLCertVerificationError
) -> NetworkError:
    reason = explain_failure(failure)
    if not tls.certificates:
        return NetworkError(reason, hint=f"The doctor tells no more: {_explain_unread()}.")
    own, now = tls.certificates[0], datetime.now(UTC)
    if failure.verify_code in _WRONG_NAME:
        return _explain_wrong_name(subject.route, own)
    if not own.not_before <= now <= own.not_after:
        return NetworkError(
            f"{reason}: it is valid from {format_time(own.not_before)} to {format_time(own.not_after)}",
            hint="The operator of the server must renew it; or the clock of this machine is wrong.",
        )
    return _explain_stranger(subject.target, tls, reason)


def _explain_wrong_name(route: Route, own: Certificate) -> NetworkError:
    names = ", ".join(own.names) or own.subject
    return NetworkError(
        f"the certificate is not for {route.server[0]}, but for {names}",
        hint="Pass --url with a name from the certificate. If the name is right, another server responds here.",
    )


def find_authority(certificates: Iterable[Certificate]) -> Certificate | None:
    """The certificate that one would have to trust, where the server sends it along."""
    return next((each for each in certificates if each.is_root), None)


def _explain_stranger(target: Target, tls: Tls, reason: str) -> NetworkError:
    """Its signer is unknown here. Trust is a person's decision, so the command is only named."""
    signer = tls.certificates[-1].issuer
    authority = find_authority(tls.certificates)
    if authority is None:
        have = f"Ask the operator of the server, or of your company's proxy, for the certificate of {signer}."
    else:
        have = (
            "The server sends that authority's certificate along: --save-ca ca.pem keeps it in a file. Trust it only"
            f" if its owner confirms the fingerprint {authority.fingerprint}."
        )
    return NetworkError(
        f"{reason}; it was signed by {signer}",
        hint=f"{have} Once it is in ca.pem, `ca_file` makes it count.",
        command=target.advise("ca_file", "ca.pem"),
    )


def _explain_no_tls(subject: Subject, failure: OSError) -> NetworkError:
    """TLS did not come about: what is there instead?"""
    target, route = subject.target, subject.route
    host, port = route.server
    plain = route.switch("http")
    greeting = probes.greet(plain, target.limit / 4)
    # Asked in plain http after TLS has failed: the most frequent reason is the wrong scheme in the URL.
    if greeting.protocol is Protocol.HTTP:
        return NetworkError(
            f"{host} port {port} speaks plain http, not TLS",
            hint="If that is meant, the URL begins with http://.",
            command=target.advise("url", str(plain.url).rstrip("/")),
        )
    if greeting.protocol in {Protocol.NONE, Protocol.TLS}:
        return NetworkError(
            f"no TLS with {host} port {port}: {explain_failure(failure)}", hint=_DEFAULT_PORT_HINT
        )
    return _explain_stray(plain, greeting, target.limit)


def check_protocol(subject: Subject) -> Finding:
    """Whether HTTP/1.1 is spoken there, and what else is if not."""
    target = subject.target
    if not target.has_network:
        return NOT_IN_PLAY
    route = subject.route
    if not route.is_open:
        return Finding(_NOT_BY_HAND, "skipped")
    greeting = probes.greet(route, target.limit / 2)
    is_http = greeting.protocol is Protocol.HTTP
    # Some servers of TLS respond to plain http with a 400 that says so.
    is_odd = not route.is_secure and (not is_http or greeting.status == 400)
    if is_odd and probes.speaks_tls(route.switch("https"), target.limit / 4):
        raise _explain_tls(target, route)
    if not is_http:
        raise _explain_stray(route, greeting, target.limit)
    return Finding("HTTP/1.1", facts={"protocol": greeting.protocol, "status": greeting.status})


def _explain_tls(target: Target, route: Route) -> NetworkError:
    host, port = route.server
    return NetworkError(
        f"{host} port {port} speaks TLS, and the URL is plain http",
        hint="The URL begins with https://.",
        command=target.advise("url", str(route.switch("https").url).rstrip("/")),
    )


def _explain_stray(route: Route, greeting: Greeting, limit: float) -> NetworkError:
    host, port = route.server
    where = f"{host} port {port}"
    if greeting.protocol is not Protocol.NONE:
        problem = f"{where} does not speak HTTP: it says {greeting.text!r}"
    elif greeting.is_late:
        problem = f"{where} takes the connection and says nothing within {limit / 2:g} s"
    else:
        problem = f"{where} takes the connection and closes it without a response"
    return NetworkError(problem, hint=_DEFAULT_PORT_HINT)
