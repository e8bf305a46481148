"""IBM Cloud IAM: an API key becomes a token, and a token becomes a trusted profile's.

Sources: the requests and the successful answers as in
`IBM/python-sdk-core:ibm_cloud_sdk_core/token_managers/iam_token_manager.py` and
`iam_assume_token_manager.py` and their tests; error codes from the same tests and from
public error reports. What no public source tells (the code for a grant type that IAM
does not know, for one) is marked where it stands.
"""

import secrets
import time
import uuid
from collections.abc import Mapping
from typing import Any

from wxhelper.sandbox.issuer import Verdict
from wxhelper.sandbox.messages import Answer, Request, fields, json_answer
from wxhelper.sandbox.service import Identity, Service, TrustedProfile, basic

GRANT_TYPE = "urn:ibm:params:oauth:grant-type:apikey"
ASSUME = "urn:ibm:params:oauth:grant-type:assume"

_KUBERNETES_CLIENT = "kube:kube"
_SCOPE = "ibm openid"
_KUBERNETES_SCOPE = "ibm openid containers-kubernetes"


class _Refused(Exception):
    """A request that gets no token.

    Args:
        body: one of IAM's error bodies, but for its ``context``.
        status: the HTTP status.
    """

    def __init__(self, body: dict[str, Any], status: int = 400) -> None:
        super().__init__()
        self.body = body
        self.status = status


class Iam(Service):
    """The token endpoint, for the grant types of API keys and of trusted profiles.

    Basic credentials of a client are taken as IAM takes them: unasked. The client
    ``kube:kube`` is given an ``id_token`` beside the access token
    (`ManageIQ/manageiq-providers-ibm_cloud`), all others are not. ``response_type``
    may be there or not. What assumes a profile may say so in the query as well as in
    the form, as ibm-watsonx-ai does.
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
            is not good; 403 for a profile that is none; 405 for another method than POST.
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
        try:
            document = self._granted(request, lifetime)
        except _Refused as refused:
            context = self._context(request, transaction)
            body = {**refused.body, "context": context}
            return json_answer(body, status=refused.status, headers=headers)
        return json_answer(document, headers=headers)

    def _granted(self, request: Request, lifetime: int) -> dict[str, Any]:
        # IAM does not look at content of another type: the same error as for an empty form.
        form, query = request.form(), fields(request.query)
        grant = _required(form or query, "grant_type")
        if grant == ASSUME:
            return self._profile_tokens({**query, **form}, lifetime)
        if grant != GRANT_TYPE:
            # IAM's own code for this is in no public source; BXNIM0106E is its code
            # for a value that a property does not take (IBM-Cloud/bluemix-go#87).
            raise _Refused(
                _error(
                    "BXNIM0106E",
                    f"Validation of property 'grant_type' failed. Valid values: '{GRANT_TYPE}'",
                )
            )
        identity = self.realm.keys.get(_required(form, "apikey"))
        if identity is None:
            raise _Refused(_error("BXNIM0415E", "Provided API key could not be found."))
        return self._tokens(request, identity, lifetime)

    def _tokens(self, request: Request, identity: Identity, lifetime: int) -> dict[str, Any]:
        client = _client(request)
        kubernetes = client == _KUBERNETES_CLIENT
        scope = _KUBERNETES_SCOPE if kubernetes else _SCOPE
        claims = _claims(identity, client.partition(":")[0] or "default", scope)
        answer = self._answer(claims, scope, lifetime)
        if kubernetes:
            answer["id_token"] = self._issue(claims, lifetime)
        if identity.kind == "user":
            answer["ims_user_id"] = _ims_user_id(identity)
        return answer

    def _profile_tokens(self, form: Mapping[str, str], lifetime: int) -> dict[str, Any]:
        """Tokens of a trusted profile, for the holder of a live token.

        The codes are those that IAM is known for; that they are the ones of these
        very mistakes is in no public source.
        """
        token = _required(form, "access_token")
        if self.realm.verdict("bearer", token) is not Verdict.LIVE:
            raise _Refused(_error("BXNIM0407E", "Provided token is invalid or expired."))
        profile = self._profile(form)
        if profile is None:
            words = "You are not authorized to use the requested profile."
            raise _Refused(_error("BXNIM0513E", words), 403)
        return self._answer(_profile_claims(profile), _SCOPE, lifetime)

    def _profile(self, form: Mapping[str, str]) -> TrustedProfile | None:
        def wanted(profile: TrustedProfile) -> bool:
            if form.get("profile_id"):
                return profile.identifier == form["profile_id"]
            if form.get("profile_crn"):
                return profile.crn == form["profile_crn"]
            name, account = (_required(form, field) for field in ("profile_name", "account"))
            return (profile.name, profile.account) == (name, account)

        return next(filter(wanted, list(self.realm.profiles)), None)

    def _answer(self, claims: Mapping[str, Any], scope: str, lifetime: int) -> dict[str, Any]:
        return {
            "access_token": self._issue(claims, lifetime),
            "refresh_token": "not_supported",
            "token_type": "Bearer",
            "expires_in": lifetime,
            "expiration": int(self.realm.clock()) + lifetime,
            "scope": scope,
        }

    def _issue(self, claims: Mapping[str, Any], lifetime: int) -> str:
        own = {**claims, "jti": str(uuid.uuid4())}
        now = int(self.realm.clock())
        return self.realm.issuer.issue(claims["sub"], now=now, lifetime=lifetime, claims=own)

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


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name)
    if not value:
        details = f"Property '{name}' either missing or empty."
        raise _Refused(_error("BXNIM0109E", "Property missing or empty.", details=details))
    return value


def _error(code: str, message: str, *, details: str = "") -> dict[str, Any]:
    body = {"errorCode": code, "errorMessage": message}
    return {**body, "errorDetails": details} if details else body


def _client(request: Request) -> str:
    """The client's name and secret from Basic credentials, or ""."""
    scheme, credentials = request.authorization()
    return basic(credentials) if scheme == "basic" else ""


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


def _profile_claims(profile: TrustedProfile) -> dict[str, Any]:
    return {
        "iam_id": f"iam-{profile.identifier}",
        "id": f"iam-{profile.identifier}",
        "realmid": "iam",
        "identifier": profile.identifier,
        "name": profile.name,
        "sub": profile.identifier,
        "sub_type": "Profile",
        "account": {"valid": True, "bss": profile.account, "frozen": True},
        "iss": "https://iam.cloud.ibm.com/identity",
        "grant_type": ASSUME,
        "scope": _SCOPE,
        "client_id": "default",
        "acr": 1,
        "amr": ["pwd"],
    }


def _ims_user_id(identity: Identity) -> int:
    return 1_000_000 + uuid.uuid5(uuid.NAMESPACE_URL, identity.subject).int % 8_000_000


def _timestamp(moment: float) -> str:
    milliseconds = int(moment % 1 * 1000)
    return f"{time.strftime('%d.%m.%Y %H:%M:%S', time.gmtime(moment))}:{milliseconds:03} UTC"
