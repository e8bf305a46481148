"""What ``wxhelper status`` shows of each of the ``setups``, ten seconds later.

Every text is whole; the JSON is that of a profile that was never used, changed.
"""
# ruff: noqa: E501 - lines are as long as they are shown

from collections.abc import Mapping

Shown = Mapping[str, object]


def remark(text: str, remedy: str) -> dict[str, str]:
    return {"text": text, "remedy": remedy}


def shown(*others: Shown, changes: Shown | None = None, **profile: object) -> Shown:
    """The whole JSON of a profile called sandbox, with what differs."""
    usual = {
        "name": "sandbox",
        "chosen": True,
        "source": "ibmcloud",
        "plugin": "wxhelper-ibmcloud VERSION",
        "key": KEY,
        "token": NO_TOKEN,
        "failure": None,
        "warnings": [],
    }
    whole = {
        "config": "CONFIG",
        "configured": True,
        "cache": {"directory": "CACHE", "obstacle": None},
        "chosen": "sandbox",
        "profiles": [usual | profile, *({**usual, **other} for other in others)],
        "warnings": [],
    }
    return whole | dict(changes or {})


KEY = {"state": "present", "from": "file:apikey", "ignored": []}
NO_TOKEN = {
    "state": "none",
    "reason": None,
    "scheme": None,
    "expires_at": None,
    "expires_in": None,
    "refresh_at": None,
    "refresh_in": None,
}
TOKEN = {
    "state": "fresh",
    "reason": None,
    "scheme": "Bearer",
    "expires_at": 1763715600,
    "expires_in": 3590,
    "refresh_at": 1763714880,
    "refresh_in": 2870,
}
UNCONFIGURED = {"config": "HOME/.config/wxhelper/config.toml", "configured": False, "chosen": "env"}

JSON: Mapping[str, Shown] = {
    "healthy": shown(token=TOKEN),
    "never used": shown(),
    "no configuration": shown(
        changes=UNCONFIGURED,
        name="env",
        key=KEY | {"state": "missing", "from": None},
        warnings=[
            remark(
                "there is no API key: HOME/.config/wxhelper/config.toml does not exist, and none of VARIABLES is set",
                "store one: wxhelper login; or export IBMCLOUD_API_KEY=YOUR_API_KEY",
            )
        ],
    ),
    "variables alone": shown(
        changes=UNCONFIGURED,
        name="env",
        key=KEY | {"from": "env:IC_API_KEY", "ignored": ["WATSONX_APIKEY"]},
    ),
    "a variable that is ignored": shown(key=KEY | {"ignored": ["IBMCLOUD_API_KEY"]}),
    "no key file": shown(
        key=KEY | {"state": "missing"},
        warnings=[
            remark(
                "there is no key file KEY_FILE",
                "store one: wxhelper login --profile sandbox; or create it, paste the key, end with Ctrl-D: (umask 077; cat > KEY_FILE)",
            )
        ],
    ),
    "a key file that others can read": shown(
        warnings=[remark("the key file KEY_FILE can be read by other users", "chmod 600 KEY_FILE")]
    ),
    "a key file that others can write": shown(
        key=KEY | {"state": "unusable"},
        warnings=[
            remark("the key file KEY_FILE can be changed by other users", "chmod go-w KEY_FILE")
        ],
    ),
    "a key in the configuration": shown(
        key=KEY | {"state": "unusable", "from": None},
        warnings=[
            remark(
                "profiles.sandbox.api_key is not a reference to a key (if it is a key: CONFIG is not the place for it)",
                "store it: wxhelper login --profile sandbox; or write env:NAME, file:PATH, keyring:NAME, ibm-credentials:SERVICE or command:PROGRAM ARGS instead",
            )
        ],
    ),
    "an unknown setting": shown(
        warnings=[remark("CONFIG: unknown key profiles.sandbox.urll", "did you mean url?")]
    ),
    "plain http": shown(
        warnings=[
            remark(
                "url is http://iam.example.com, and a key never goes over plain http",
                "write https://iam.example.com",
            )
        ]
    ),
    "no plugin": shown(
        source="acme",
        plugin=None,
        warnings=[
            remark(
                "no installed plugin offers source acme",
                "install its plugin; installed are: ibmcloud, ibmcloud-kubernetes",
            )
        ],
    ),
    "a command": shown(key=KEY | {"state": "not looked at", "from": "command:pass"}),
    "one broken profile": shown(
        {
            "name": "broken",
            "chosen": False,
            "source": None,
            "plugin": None,
            "key": KEY | {"state": "unusable", "from": None},
            "warnings": [
                remark("CONFIG: unknown key profiles.broken.apikey", "did you mean api_key?")
            ],
        },
        changes={"chosen": None},
        chosen=False,
    ),
    "a default that is none": shown(
        changes={
            "chosen": None,
            "warnings": [
                remark(
                    "CONFIG: default_profile names sandbax, and there is only sandbox",
                    'write default_profile = "sandbox"',
                )
            ],
        },
        chosen=False,
    ),
    "a refused key": shown(
        failure={
            "text": "IBM Cloud IAM refused the API key from file:KEY_FILE: BXNIM0415E Provided API key could not be found",
            "remedy": "replace it: wxhelper login --profile sandbox; if the key was mended instead, run: wxhelper invalidate --profile sandbox",
            "at": 1763712000,
            "remembered": True,
            "until": 1763712060,
            "until_in": 50,
        }
    ),
    "a service that asks for peace": shown(
        failure={
            "text": "IBM Cloud IAM asks to be left alone for a while (HTTP 429)",
            "remedy": "wait; until then it is not asked again",
            "at": 1763712000,
            "remembered": True,
            "until": 1763712300,
            "until_in": 290,
        }
    ),
    "edited since": shown(
        token=TOKEN | {"state": "outdated", "reason": "CONFIG has changed since"}
    ),
    "a cache that others can write": shown(
        changes={"cache": {"directory": "CACHE", "obstacle": "CACHE can be written by other users"}}
    ),
    "a record that others can read": shown(
        warnings=[
            remark(
                "what is in its token's place in the cache cannot be trusted",
                "drop it: wxhelper invalidate --profile sandbox",
            )
        ]
    ),
}

TEXT = {
    "healthy": """\
   PROFILE  SOURCE    TOKEN   EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  ibmcloud  cached  59 min      47 min     present  file:apikey

configuration  CONFIG
cache          CACHE
""",
    "never used": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  ibmcloud  not cached  -           -          present  file:apikey

configuration  CONFIG
cache          CACHE
""",
    "no configuration": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  env      ibmcloud  not cached  -           -          missing  -

env: warning: there is no API key: HOME/.config/wxhelper/config.toml does not exist, and none of VARIABLES is set
  -> store one: wxhelper login; or export IBMCLOUD_API_KEY=YOUR_API_KEY

configuration  HOME/.config/wxhelper/config.toml
cache          CACHE
""",
    "variables alone": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  env      ibmcloud  not cached  -           -          present  env:IC_API_KEY

env: env:IC_API_KEY counts; ignored: WATSONX_APIKEY

configuration  HOME/.config/wxhelper/config.toml
cache          CACHE
""",
    "a variable that is ignored": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  ibmcloud  not cached  -           -          present  file:apikey

sandbox: file:apikey counts; ignored: IBMCLOUD_API_KEY

configuration  CONFIG
cache          CACHE
""",
    "no key file": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  ibmcloud  not cached  -           -          missing  file:apikey

sandbox: warning: there is no key file KEY_FILE
  -> store one: wxhelper login --profile sandbox; or create it, paste the key, end with Ctrl-D: (umask 077; cat > KEY_FILE)

configuration  CONFIG
cache          CACHE
""",
    "a key file that others can read": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  ibmcloud  not cached  -           -          present  file:apikey

sandbox: warning: the key file KEY_FILE can be read by other users
  -> chmod 600 KEY_FILE

configuration  CONFIG
cache          CACHE
""",
    "a key file that others can write": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY       FROM
*  sandbox  ibmcloud  not cached  -           -          unusable  file:apikey

sandbox: warning: the key file KEY_FILE can be changed by other users
  -> chmod go-w KEY_FILE

configuration  CONFIG
cache          CACHE
""",
    "a key in the configuration": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY       FROM
*  sandbox  ibmcloud  not cached  -           -          unusable  -

sandbox: warning: profiles.sandbox.api_key is not a reference to a key (if it is a key: CONFIG is not the place for it)
  -> store it: wxhelper login --profile sandbox; or write env:NAME, file:PATH, keyring:NAME, ibm-credentials:SERVICE or command:PROGRAM ARGS instead

configuration  CONFIG
cache          CACHE
""",
    "an unknown setting": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  ibmcloud  not cached  -           -          present  file:apikey

sandbox: warning: CONFIG: unknown key profiles.sandbox.urll
  -> did you mean url?

configuration  CONFIG
cache          CACHE
""",
    "plain http": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  ibmcloud  not cached  -           -          present  file:apikey

sandbox: warning: url is http://iam.example.com, and a key never goes over plain http
  -> write https://iam.example.com

configuration  CONFIG
cache          CACHE
""",
    "no plugin": """\
   PROFILE  SOURCE  TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  acme    not cached  -           -          present  file:apikey

sandbox: warning: no installed plugin offers source acme
  -> install its plugin; installed are: ibmcloud, ibmcloud-kubernetes

configuration  CONFIG
cache          CACHE
""",
    "a command": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY            FROM
*  sandbox  ibmcloud  not cached  -           -          not looked at  command:pass

configuration  CONFIG
cache          CACHE
""",
    "one broken profile": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY       FROM
   sandbox  ibmcloud  not cached  -           -          present   file:apikey
   broken   -         not cached  -           -          unusable  -

broken: warning: CONFIG: unknown key profiles.broken.apikey
  -> did you mean api_key?

configuration  CONFIG
cache          CACHE
""",
    "a default that is none": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
   sandbox  ibmcloud  not cached  -           -          present  file:apikey

warning: CONFIG: default_profile names sandbax, and there is only sandbox
  -> write default_profile = "sandbox"

configuration  CONFIG
cache          CACHE
""",
    "a refused key": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  ibmcloud  not cached  -           -          present  file:apikey

sandbox: last failure, 10 s ago, remembered for 50 s more: IBM Cloud IAM refused the API key from file:KEY_FILE: BXNIM0415E Provided API key could not be found
  -> replace it: wxhelper login --profile sandbox; if the key was mended instead, run: wxhelper invalidate --profile sandbox

configuration  CONFIG
cache          CACHE
""",
    "a service that asks for peace": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  ibmcloud  not cached  -           -          present  file:apikey

sandbox: last failure, 10 s ago, remembered for 4 min more: IBM Cloud IAM asks to be left alone for a while (HTTP 429)
  -> wait; until then it is not asked again

configuration  CONFIG
cache          CACHE
""",
    "edited since": """\
   PROFILE  SOURCE    TOKEN     EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  ibmcloud  outdated  -           -          present  file:apikey

sandbox: the token in the cache is not used as it is: CONFIG has changed since

configuration  CONFIG
cache          CACHE
""",
    "a cache that others can write": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  ibmcloud  not cached  -           -          present  file:apikey

warning: no token can be kept: CACHE can be written by other users

configuration  CONFIG
cache          CACHE
""",
    "a record that others can read": """\
   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM
*  sandbox  ibmcloud  not cached  -           -          present  file:apikey

sandbox: warning: what is in its token's place in the cache cannot be trusted
  -> drop it: wxhelper invalidate --profile sandbox

configuration  CONFIG
cache          CACHE
""",
}
