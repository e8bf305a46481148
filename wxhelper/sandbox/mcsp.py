"""The SaaS platform's token services (MCSP), which watsonx on AWS and in GovCloud use.

Paths, bodies and answers as in `IBM/python-sdk-core:ibm_cloud_sdk_core/token_managers/`
(``mcsp_token_manager.py``, ``mcspv2_token_manager.py``) and their tests, in
`ibm-watsonx-ai` and in IBM's documents of watsonx on AWS, which show JSON where IBM's
data integration SDK sends a form: both are taken. The documents name a field
``access_token``; every SDK of IBM reads ``token``, and ``token`` is what is answered.

No primary source shows an error of these services. The sandbox answers 400 with the
body that IBM's SDKs are tested with, which is IAM's, and for a missing key with the
words that `IBM/ibm-watsonx-orchestrate-adk` has seen.
"""

import re
import urllib.parse
import uuid
from typing import Any

from wxhelper.sandbox.messages import Answer, Request, json_answer, text_answer
from wxhelper.sandbox.service import Identity, Service, key_generation

FIRST = "/siusermgr/api/1.0/apikeys/token"
SECOND = "/api/2.0/apikeys/token"
DATA_PLATFORM = "/api/rest/mcsp/apikeys/token"

_SCOPED = re.compile(
    r"/api/2\.0/(accounts|subscriptions|services|products|externalservices)"
    r"/([^/]+)/apikeys/token"
)


class Mcsp(Service):
    """Every address at which an API key of the SaaS platform becomes a token.

    Keys of the first generation are good at the first version's path alone, keys of
    the second at all others; see `key_generation`.
    """

    name = "mcsp"
    paths = (FIRST, SECOND, DATA_PLATFORM, "/api/2.0/")
    issues_tokens = True

    def handle(self, request: Request, lifetime: int) -> Answer:
        """Answers a token request.

        Args:
            request: the request.
            lifetime: seconds that the token lives.

        Returns:
            200 with a token; 400 for a key that is missing or not good; 404 for what
            is no token path; 405 for another method than POST.
        """
        path = urllib.parse.unquote(request.path)
        scope = _SCOPED.fullmatch(request.path)  # an encoded "/" belongs to the identifier
        if scope is None and path not in (FIRST, SECOND, DATA_PLATFORM):
            return text_answer(404)
        if request.method != "POST":
            return text_answer(405, headers={"Allow": "POST"})
        key = _key(request)
        if not key:
            return json_answer({"message": "API Key Missing"}, status=400)
        identity = self.realm.mcsp_keys.get(key)
        if identity is None or key_generation(key) != (1 if path == FIRST else 2):
            refusal = {
                "errorCode": "BXNIM0415E",
                "errorMessage": "Provided API key could not be found.",
            }
            return json_answer(refusal, status=400)
        place = {scope[1]: urllib.parse.unquote(scope[2])} if scope else {}
        answer = self._answer(identity, lifetime, place)
        if path == FIRST:
            del answer["expiration"]
        return json_answer(answer, headers={"Cache-Control": "no-store"})

    def _answer(self, identity: Identity, lifetime: int, place: dict[str, str]) -> dict[str, Any]:
        now = int(self.realm.clock())
        claims = {
            "iss": "https://account-iam.platform.saas.ibm.com",
            "aud": place,
            "uid": str(uuid.uuid5(uuid.NAMESPACE_DNS, identity.subject)),
            "jti": str(uuid.uuid4()),
        }
        issue = self.realm.issuer.issue
        return {
            "token": issue(identity.subject, now=now, lifetime=lifetime, claims=claims),
            "token_type": "jwt",
            "expires_in": lifetime,
            "expiration": now + lifetime,
        }


def _key(request: Request) -> str:
    """The key, in a form or in JSON. The first version's SDK names no type at all."""
    given = request.form() or request.document() or {}
    key = given.get("apikey")
    return key if isinstance(key, str) else ""
