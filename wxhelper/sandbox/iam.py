"""IBM Cloud IAM: an API key becomes a token.

Sources: the request and the successful answer as in
`IBM/python-sdk-core:ibm_cloud_sdk_core/token_managers/iam_token_manager.py` and its
tests; error codes from the same tests and from public error reports. What no public
source tells (the code for a grant type that IAM does not know, for one) is marked
where it stands.
"""

import base64
import binascii
import secrets
import time
import urllib.parse
import uuid
from collections.abc import Mapping
from typing import Any

from wxhelper.sandbox.messages import Answer, Request, json_answer
from wxhelper.sandbox.service import Identity, Service

GRANT_TYPE = "urn:ibm:params:oauth:grant-type:apikey"

_FORM = "application/x-www-form-urlencoded"
_KUBERNETES_CLIENT = "kube:kube"
_SCOPE = "ibm openid"
_KUBERNETES_SCOPE = "ibm openid containers-kubernetes"


class Iam(Service):
    """The token endpoint, for the grant type of API keys.

    Basic credentials of a client are taken as IAM takes them: unasked. The client
    ``kube:kube`` is given an ``id_token`` beside the access token
    (`ManageIQ/manageiq-providers-ibm_cloud`), all others are not. ``response_type``
    may be there or not.
    """

    name = "iam"
    paths = ("/identity/token",)
    issues_tokens = True

    def handle(self, request: Request, lifetime: int) -> Answer:
        """Answers a token request.

        Args:
            request: the request.
            lifetime: seconds that the token lives.

        Returns:
            200 with a token; 400 with one of IAM's error bodies, also for a key that
            is not good; 405 for another method than POST.
        """
        transaction = secrets.token_hex(16)
        headers = {"Transaction-Id": transaction, "Cache-Control": "no-store"}
        if request.method != "POST":
            body = _error(
                "BXNIM0060E",
                "Web application exception 'javax.ws.rs.ClientErrorException' "
                "during request processing.",
                details="HTTP 405 Method Not Allowed",
            )
            return json_answer(body, status=405, headers={**headers, "Allow": "POST"})
        form = _form(request)
        problem = _problem(form)
        identity = self.realm.keys.get(form.get("apikey", ""))
        if problem is None and identity is None:
            problem = _error("BXNIM0415E", "Provided API key could not be found.")
        if problem is not None or identity is None:
            context = self._context(request, transaction)
            return json_answer({**(problem or {}), "context": context}, status=400, headers=headers)
        return json_answer(self._tokens(request, identity, lifetime), headers=headers)

    def _tokens(self, request: Request, identity: Identity, lifetime: int) -> dict[str, Any]:
        now = int(self.realm.clock())
        client = _client(request)
        scope = _KUBERNETES_SCOPE if client == _KUBERNETES_CLIENT else _SCOPE
        claims = _claims(identity, client.partition(":")[0] or "default", scope)

        def issue() -> str:
            own = {**claims, "jti": str(uuid.uuid4())}
            return self.realm.issuer.issue(identity.subject, now=now, lifetime=lifetime, claims=own)

        answer: dict[str, Any] = {"access_token": issue(), "refresh_token": "not_supported"}
        if client == _KUBERNETES_CLIENT:
            answer["id_token"] = issue()
        if identity.kind == "user":
            answer["ims_user_id"] = _ims_user_id(identity)
        return answer | {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "expiration": now + lifetime,
            "scope": scope,
        }

    def _context(self, request: Request, transaction: str) -> dict[str, str]:
        started = request.time
        ended = max(started, self.realm.clock())
        return {
            "requestId": transaction,
            "requestType": "incoming.Identity_Token",
            "userAgent": request.headers.get("User-Agent", ""),
            "url": "https://iam.cloud.ibm.com",
            "clientIp": "127.0.0.1",
            "instanceId": "sandbox-0",
            "threadId": "1",
            "host": "sandbox-0",
            "startTime": _timestamp(started),
            "endTime": _timestamp(ended),
            "elapsedTime": str(round((ended - started) * 1000)),
            "locale": "en_US",
            "clusterName": "wxhelper-sandbox",
        }


def _form(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name; empty for any other content.

    IAM does not look at content of another type: the same error as for an empty form.
    """
    if request.media_type != _FORM:
        return {}
    text = request.body.decode("utf-8", "replace")
    try:
        pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return {}
    return dict(reversed(pairs))


def _problem(form: Mapping[str, str]) -> dict[str, Any] | None:
    for name in ("grant_type", "apikey"):
        if not form.get(name):
            details = f"Property '{name}' either missing or empty."
            return _error("BXNIM0109E", "Property missing or empty.", details=details)
        if name == "grant_type" and form[name] != GRANT_TYPE:
            # IAM's own code for this is in no public source; BXNIM0106E is its code
            # for a value that a property does not take (IBM-Cloud/bluemix-go#87).
            return _error(
                "BXNIM0106E",
                f"Validation of property 'grant_type' failed. Valid values: '{GRANT_TYPE}'",
            )
    return None


def _error(code: str, message: str, *, details: str = "") -> dict[str, Any]:
    body = {"errorCode": code, "errorMessage": message}
    return {**body, "errorDetails": details} if details else body


def _client(request: Request) -> str:
    """The client's name and secret from Basic credentials (RFC 7617), or ""."""
    scheme, credentials = request.authorization()
    if scheme != "basic":
        return ""
    try:
        return base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _claims(identity: Identity, client_id: str, scope: str) -> dict[str, Any]:
    """What IAM writes into a token; the values are made up, and the same for one identity."""
    who = _person(identity) if identity.kind == "user" else _service_id(identity)
    said_by_provider = {"given_name", "family_name", "name", "email", "iam_id"}
    authn = {key: value for key, value in who.items() if key in said_by_provider}
    bss = uuid.uuid5(uuid.NAMESPACE_DNS, "account.sandbox.invalid").hex
    account: dict[str, Any] = {"valid": True, "bss": bss, "frozen": True}
    if identity.kind == "user":
        account["ims_user_id"] = str(_ims_user_id(identity))
    return {
        **who,
        "sub": identity.subject,
        "authn": {"sub": identity.subject, **authn},
        "account": account,
        "iss": "https://iam.cloud.ibm.com/identity",
        "grant_type": GRANT_TYPE,
        "scope": scope,
        "client_id": client_id,
        "acr": 1,
        "amr": ["pwd"],
    }


def _person(identity: Identity) -> dict[str, Any]:
    number = f"{uuid.uuid5(uuid.NAMESPACE_DNS, identity.subject).int % 10**10:010}"
    return {
        "iam_id": f"IBMid-{number}",
        "id": f"IBMid-{number}",
        "realmid": "IBMid",
        "identifier": number,
        "given_name": "Sandbox",
        "family_name": "User",
        "name": "Sandbox User",
        "email": identity.subject,
    }


def _service_id(identity: Identity) -> dict[str, Any]:
    own = uuid.uuid5(uuid.NAMESPACE_DNS, identity.subject)
    return {
        "iam_id": f"iam-ServiceId-{own}",
        "id": f"iam-ServiceId-{own}",
        "realmid": "iam",
        "identifier": f"ServiceId-{own}",
        "name": "sandbox-service",
        "sub_type": "ServiceId",
    }


def _ims_user_id(identity: Identity) -> int:
    return 1_000_000 + uuid.uuid5(uuid.NAMESPACE_URL, identity.subject).int % 8_000_000


def _timestamp(moment: float) -> str:
    milliseconds = int(moment % 1 * 1000)
    return f"{time.strftime('%d.%m.%Y %H:%M:%S', time.gmtime(moment))}:{milliseconds:03} UTC"
