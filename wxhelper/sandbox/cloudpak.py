"""Cloud Pak for Data, the platform below Data Product Hub: a user's key becomes a token.

The request and the answer as in
`IBM/python-sdk-core:ibm_cloud_sdk_core/token_managers/cp4d_token_manager.py`, its tests
and IBM Software Hub's docs, "Generating API authorization tokens". The answer says
nothing about how long the token lives: the token does. No primary source shows an
error; 401 for a wrong name, key or password is what users report.
"""

import secrets
import uuid

from wxhelper.sandbox.issuer import Verdict
from wxhelper.sandbox.messages import Answer, Request, json_answer, text_answer
from wxhelper.sandbox.service import Protected, Service, basic


class CloudPak(Service):
    """``POST /icp4d-api/v1/authorize``, with a user's key or password."""

    name = "cloudpak"
    paths = ("/icp4d-api/v1/authorize",)
    issues_tokens = True

    def handle(self, request: Request, lifetime: int) -> Answer:
        """Answers a token request.

        Args:
            request: the request.
            lifetime: seconds that the token lives.

        Returns:
            200 with a token; 400 for what is no JSON object; 401 for anything else
            that is not good; 405 for another method than POST.
        """
        if request.method != "POST":
            return text_answer(405, headers={"Allow": "POST"})
        given = request.document()
        if given is None:
            return _failure(400, "Bad request")
        name = given.get("username")
        member = self.realm.members.get(name) if isinstance(name, str) else None
        if member is None or not (
            member.api_key == given.get("api_key") or member.password == given.get("password")
        ):
            return _failure(401, "User unauthorized to invoke this endpoint.")
        claims = {
            "username": name,
            "role": "User",
            "permissions": ["sign_in_only"],
            "iss": "KNOXSSO",
            "aud": "DSX",
            "jti": str(uuid.uuid4()),
        }
        now = int(self.realm.clock())
        token = self.realm.issuer.issue(str(name), now=now, lifetime=lifetime, claims=claims)
        answer = {"_messageCode_": "200", "message": "Success", "token": token}
        return json_answer(answer, headers={"Cache-Control": "no-store"})


class CloudPakKeys(Protected):
    """The endpoint that makes a new platform key, whereupon the old one is dead.

    IBM's documents do not recommend it, and a helper that called it would lock every
    other program of its user out. It is here so that tests can show that none does.
    """

    name = "cloudpak-keys"
    paths = ("/usermgmt/v1/user/apiKey", "/api/v1/usermgmt/v1/user/apiKey")

    def serve(self, request: Request) -> Answer:
        """Puts a new key in the place of the old one."""
        name = self._user(*request.authorization())
        member = self.realm.members.get(name)
        if member is None:
            return _failure(403, "Forbidden")
        member.api_key = secrets.token_hex(20)
        return json_answer({"_messageCode_": "Success", "apiKey": member.api_key})

    def refuse(self, verdict: Verdict | None) -> Answer:  # noqa: ARG002  it never says why
        """Answers 401."""
        return _failure(401, "User unauthorized to invoke this endpoint.")

    def _user(self, scheme: str, credentials: str) -> str:
        if scheme == "zenapikey":
            return basic(credentials).partition(":")[0]
        grant = self.realm.issuer.grant(credentials)
        return grant.subject if grant else ""


def _failure(status: int, message: str) -> Answer:
    words = {"_statusCode_": status, "_messageCode_": str(status), "message": message}
    return json_answer(words, status=status)
