"""A protected API in the manner of watsonx.ai: a list of foundation models.

The 401 bodies are those that `IBM/watsonx-ai-java-sdk` is tested with. The code for
a request without a token is in no public source; the sandbox answers as for a token
that is not good.
"""

import uuid
from typing import Any

from wxhelper.sandbox.issuer import Verdict
from wxhelper.sandbox.messages import Answer, Request, json_answer, text_answer
from wxhelper.sandbox.service import Protected

_MORE_INFO = "https://cloud.ibm.com/apidocs/watsonx-ai"

_MODELS: tuple[dict[str, Any], ...] = (
    {
        "model_id": "ibm/granite-3-8b-instruct",
        "label": "granite-3-8b-instruct",
        "provider": "IBM",
        "source": "IBM",
        "functions": [{"id": "text_chat"}, {"id": "text_generation"}],
        "model_limits": {"max_sequence_length": 131072, "max_output_tokens": 16384},
    },
    {
        "model_id": "ibm/slate-125m-english-rtrvr-v2",
        "label": "slate-125m-english-rtrvr-v2",
        "provider": "IBM",
        "source": "IBM",
        "functions": [{"id": "embedding"}],
        "model_limits": {"max_sequence_length": 512, "embedding_dimension": 768},
    },
)

_REFUSALS = {
    Verdict.EXPIRED: (
        "authentication_token_expired",
        "Failed to authenticate the request due to an expired token",
    ),
    Verdict.REVOKED: (
        "authentication_token_not_valid",
        "Failed to authenticate the request due to invalid token: Failed to parse and verify token",
    ),
    Verdict.UNKNOWN: (
        "authentication_token_not_valid",
        "Failed to authenticate the request due to invalid token: Failed to parse and verify token",
    ),
    None: (
        "authentication_token_not_valid",
        "Failed to authenticate the request due to invalid token: No token was given",
    ),
}


class Api(Protected):
    """``GET /ml/v1/foundation_model_specs``."""

    name = "api"
    paths = ("/ml/v1/foundation_model_specs",)

    def serve(self, request: Request) -> Answer:
        """Answers with the list of models, or 405 for anything but reading."""
        if request.method not in ("GET", "HEAD"):
            return text_answer(405, headers={"Allow": "GET, HEAD"})
        return json_answer({"total_count": len(_MODELS), "limit": 100, "resources": list(_MODELS)})

    def refuse(self, verdict: Verdict | None) -> Answer:
        """Answers 401 in watsonx.ai's words."""
        code, message = _REFUSALS[verdict]
        document = {
            "errors": [{"code": code, "message": message, "more_info": _MORE_INFO}],
            "trace": uuid.uuid4().hex,
            "status_code": 401,
        }
        return json_answer(document, status=401, headers={"WWW-Authenticate": "Bearer"})
