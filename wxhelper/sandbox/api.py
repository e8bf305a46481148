"""A protected API in the manner of watsonx.ai: models, generated text, the model gateway.

The shapes are those of IBM's API documentation (cloud.ibm.com/apidocs/watsonx-ai) and,
for the gateway, of OpenAI's chat completions, whose clients it is made for. What is
"generated" repeats what was asked.

The 401 bodies are those that `IBM/watsonx-ai-java-sdk` is tested with. The code for
a request without a token is in no public source; the sandbox answers as for a token
that is not good.
"""

import time
import uuid
from collections.abc import Mapping
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
    """Models and text, below ``/ml/v1`` and in OpenAI's manner below ``/ml/gateway/v1``."""

    name = "api"
    paths = (
        "/ml/v1/foundation_model_specs",
        "/ml/v1/text/generation",
        "/ml/v1/text/chat",
        "/ml/gateway/v1/models",
        "/ml/gateway/v1/chat/completions",
    )

    def serve(self, request: Request) -> Answer:
        """Answers with models or text; 400 for what it cannot read, 405 for another method."""
        reading = request.path.endswith(("_specs", "/models"))
        if request.method not in (("GET", "HEAD") if reading else ("POST",)):
            return text_answer(405, headers={"Allow": "GET, HEAD" if reading else "POST"})
        if reading:
            return json_answer(_gateway_models() if "gateway" in request.path else _models())
        asked = request.document()
        if asked is None:
            return _failure(400, "invalid_request_body", "The request body is no JSON object")
        return json_answer(self._written(request.path, asked))

    def refuse(self, verdict: Verdict | None) -> Answer:
        """Answers 401 in watsonx.ai's words."""
        refusal = _failure(401, *_REFUSALS[verdict])
        return Answer(401, refusal.body, {**refusal.headers, "WWW-Authenticate": "Bearer"})

    def _written(self, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        now = self.realm.clock()
        model = str(asked.get("model_id") or asked.get("model") or _MODELS[0]["model_id"])
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        if path.endswith("/generation"):
            result = {
                "generated_text": f"You asked: {asked.get('input', '')}",
                "generated_token_count": 1,
                "input_token_count": 1,
                "stop_reason": "eos_token",
            }
            created = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now))
            return {"model_id": model, "created_at": created, "results": [result]}
        message = {"role": "assistant", "content": f"You asked: {_last(asked.get('messages'))}"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(now),
            "model": model,
            "choices": [choice],
            "usage": usage,
        }
        return answer | (
            {"object": "chat.completion"} if "gateway" in path else {"model_id": model}
        )


def _models() -> dict[str, Any]:
    return {"total_count": len(_MODELS), "limit": 100, "resources": list(_MODELS)}


def _gateway_models() -> dict[str, Any]:
    data = [
        {"id": model["model_id"], "object": "model", "created": 0, "owned_by": "IBM"}
        for model in _MODELS
    ]
    return {"object": "list", "data": data}


def _last(messages: object) -> str:
    """The text of a conversation's last message."""
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content", "") if isinstance(last, dict) else ""
    if isinstance(content, list):  # in parts, of which the first is taken to be the text
        content = content[0].get("text", "") if content and isinstance(content[0], dict) else ""
    return str(content)


def _failure(status: int, code: str, message: str) -> Answer:
    document = {
        "errors": [{"code": code, "message": message, "more_info": _MORE_INFO}],
        "trace": uuid.uuid4().hex,
        "status_code": status,
    }
    return json_answer(document, status=status)
