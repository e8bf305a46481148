"""Errors as a user meets them: the configuration."""

from mistakes import (
    OURS,
    PASTED,
    Prepare,
    Row,
    World,
    a_directory_in_place_of,
    as_it_is,
    by_name,
    key,
    profile,
    run,
    text,
    told_in_one_line,
    variables,
)

VARIABLES = (
    "WXHELPER_API_KEY, IBMCLOUD_API_KEY, IBM_CLOUD_API_KEY, IC_API_KEY, WATSONX_APIKEY, "
    "WATSONX_API_KEY, BM_API_KEY, BLUEMIX_API_KEY, WX_API_KEY, WATSONX_AI_APIKEY, WXAI_API_KEY, "
    "WXG_API_KEY, IBM_API_KEY_ID"
)
TWO = (
    '[profiles.a]\nsource = "ibmcloud"\napi_key = "env:A"\n'
    '[profiles.b]\nsource = "ibmcloud"\napi_key = "env:B"\n'
)
FILE = OURS + "file:{key_file}"
WRITE_URL = "write it as https://HOST[:PORT][/PATH]"
NO_SANDBX = (
    "there is no profile sandbx in {config}, only aws, dph, dph-zen, govcloud, kubernetes, "
    "sandbox, trusted-profile; did you mean --profile sandbox?"
)
CONFIGURATION: list[Row] = [
    (
        "no configuration",
        "token",
        lambda world: world.unconfigured(),
        (
            "profile env: there is no API key: {home}/.config/wxhelper/config.toml does not exist, "
            f"and none of {VARIABLES} is set; "
            "store one: wxhelper login; or export IBMCLOUD_API_KEY=YOUR_API_KEY"
        ),
    ),
    (
        "a profile, and no configuration",
        "token --profile dev",
        lambda world: world.unconfigured(),
        (
            "there is no profile dev: {home}/.config/wxhelper/config.toml does not exist; "
            "write [profiles.dev] into it; an example is in: wxhelper --help"
        ),
    ),
    (
        "an unknown profile",
        "token --profile sandbx",
        as_it_is,
        NO_SANDBX,
    ),
    (
        "an unknown profile by variable",
        "exec-credential",
        variables(WXHELPER_PROFILE="sandbx"),
        NO_SANDBX,
    ),
    (
        "an impossible profile by variable",
        "token",
        variables(WXHELPER_PROFILE="../x"),
        (
            "a profile's name has 1 to 64 letters, digits, dots, underscores or hyphens; "
            "see --profile and WXHELPER_PROFILE"
        ),
    ),
    (
        "several profiles",
        "token",
        text(TWO),
        (
            "{config} has several profiles and no default_profile: a, b; "
            'add default_profile = "a" to it, or give --profile NAME'
        ),
    ),
    (
        "an unknown default profile",
        "token",
        text(f'default_profile = "bb"\n{TWO}'),
        '{config}: default_profile names bb, and there is only a, b; write default_profile = "b"',
    ),
    (
        "no TOML",
        "token",
        text("[profiles.sandbox]\nsource = ibmcloud\n"),
        "{config}, line 2: invalid value; correct that line; values are written in quotes",
    ),
    (
        "no UTF-8",
        "token",
        lambda world: world.config.write_bytes(b"# \n# \xff\n"),
        "{config}, line 2: it is not UTF-8 text; correct that line; values are written in quotes",
    ),
    (
        "an unknown key on top",
        "token",
        text('profile = "sandbox"\n'),
        "{config}: unknown key profile; did you mean profiles?",
    ),
    (
        "a key mistyped",
        "token",
        profile(apikey="file:apikey"),
        OURS + "{config}: unknown key profiles.sandbox.apikey; did you mean api_key?",
    ),
    (
        "an unknown key",
        "token",
        profile(timeout="5"),
        OURS + "{config}: unknown key profiles.sandbox.timeout; "
        "known here: source, api_key, hosts, login, url, ca_file, trusted_profile, account",
    ),
    (
        "no source",
        "token",
        profile(source=None),
        '{config}: profiles.sandbox.source is missing; write source = "ibmcloud"',
    ),
    (
        "no key",
        "token",
        profile(api_key=None),
        '{config}: profiles.sandbox.api_key is missing; write api_key = "env:IBMCLOUD_API_KEY"',
    ),
    (
        "profiles that are no table",
        "token",
        text("profiles = 1\n"),
        "{config}: profiles must be a table; begin a profile with [profiles.NAME]",
    ),
    (
        "a profile that is no table",
        "token",
        text("profiles.sandbox = 1\n"),
        "{config}: profiles.sandbox must be a table; begin it with [profiles.sandbox]",
    ),
    (
        "a source of the wrong type",
        "token",
        text("[profiles.sandbox]\nsource = 1\n"),
        '{config}: profiles.sandbox.source must be a string; write source = "ibmcloud"',
    ),
    (
        "a setting of the wrong type",
        "token",
        text('[profiles.sandbox]\nsource = "ibmcloud"\napi_key = "file:apikey"\nurl = 1\n'),
        OURS + '{config}: profiles.sandbox.url must be a string; write url = "..."',
    ),
    (
        "hosts of the wrong type",
        "token",
        profile(hosts="api.example.com"),
        (
            "{config}: profiles.sandbox.hosts must be a list of HOST, HOST:PORT or *.HOST; "
            'write hosts = ["api.example.com"]'
        ),
    ),
    (
        "a configuration that cannot be read",
        "token",
        a_directory_in_place_of("config"),
        (
            "the configuration {config} cannot be read: Is a directory; "
            "look at it with: ls -lL {config}"
        ),
    ),
    (
        "a configuration that others may write",
        "token",
        lambda world: world.config.chmod(0o664),
        "the configuration {config} can be changed by other users; chmod go-w {config}",
    ),
    (
        "no key file",
        "token",
        lambda world: world.key_file.unlink(),
        OURS
        + "there is no key file {key_file}; store one: wxhelper login --profile sandbox; "
        + "or create it, paste the key, end with Ctrl-D: (umask 077; cat > {key_file})",
    ),
    (
        "a key file that cannot be read",
        "token",
        a_directory_in_place_of("key_file"),
        OURS + "the key file {key_file} cannot be read: Is a directory; "
        "look at it with: ls -lL {key_file}",
    ),
    (
        "a key file that others may write",
        "token",
        lambda world: world.key_file.chmod(0o602),
        OURS + "the key file {key_file} can be changed by other users; chmod go-w {key_file}",
    ),
    ("an empty key file", "token", key("\n"), FILE + " is empty; put the API key there"),
    (
        "a placeholder",
        "token",
        key("${IBMCLOUD_API_KEY}"),
        FILE + " holds a placeholder, not a key; put the API key itself there "
        "(a shell expands nothing in single quotes)",
    ),
    (
        "a placeholder in words",
        "token",
        key("<your api key>\n"),
        FILE + " holds a placeholder, not a key; put the API key itself there "
        "(a shell expands nothing in single quotes)",
    ),
    (
        "a piece of JSON",
        "token",
        key(f'"apikey": "{PASTED}",'),
        FILE + " holds a piece of JSON, not a key; give the value of its apikey field alone, "
        "or the whole file with file:PATH",
    ),
    (
        "JSON without a key",
        "token",
        key(f'{{"name": "{PASTED}"}}'),
        FILE + " is JSON without an apikey field; give the file that was downloaded with the key, "
        "or the key alone",
    ),
    (
        "a key in the configuration",
        "token",
        profile(api_key=PASTED),
        OURS + "profiles.sandbox.api_key is not a reference to a key (if it is a key: {config} is "
        "not the place for it); store it: wxhelper login --profile sandbox; or write env:NAME, "
        "file:PATH, keyring:NAME, ibm-credentials:SERVICE or command:PROGRAM ARGS instead",
    ),
    (
        "a variable that is not set",
        "token",
        profile(api_key="env:THE_KEY"),
        OURS + "the variable THE_KEY is not set; export THE_KEY=YOUR_API_KEY, "
        "or store one: wxhelper login --profile sandbox",
    ),
    (
        "a program that is not there",
        "token",
        profile(api_key="command:/nonexistent/pass show"),
        OURS + "command:/nonexistent/pass cannot be run: No such file or directory; "
        "correct the command in profiles.sandbox.api_key",
    ),
    (
        "a program that fails",
        "token",
        profile(api_key=f'command:sh -c "echo {PASTED} is locked >&2; exit 3"'),
        OURS + "command:sh ended with status 3: [redacted] is locked; "
        "run the command by hand and mend it",
    ),
    (
        "plain http",
        "token",
        profile(url="http://iam.cloud.ibm.com"),
        OURS + "url is http://iam.cloud.ibm.com, and a key never goes over plain http; "
        "write https://iam.cloud.ibm.com",
    ),
    (
        "no scheme",
        "token",
        profile(url="iam.cloud.ibm.com"),
        OURS + f"url must begin with https://: iam.cloud.ibm.com; {WRITE_URL}",
    ),
    (
        "three slashes",
        "token",
        profile(url="https:///iam.cloud.ibm.com"),
        OURS + "url has three slashes and so no host: https:///iam.cloud.ibm.com; "
        "write it as https://iam.cloud.ibm.com",
    ),
    (
        "a password in the url",
        "token",
        profile(url=f"https://me:{PASTED}@iam.cloud.ibm.com"),
        OURS + f"url must not hold a user name or password: https://iam.cloud.ibm.com; {WRITE_URL}",
    ),
    (
        "a key in the url",
        "token",
        profile(url=f"https://iam.cloud.ibm.com/?apikey={PASTED}"),
        OURS + "url must not have a query or a fragment: https://iam.cloud.ibm.com/; "
        "write it as https://iam.cloud.ibm.com/",
    ),
    (
        "a source mistyped",
        "token",
        profile(source="ibmclod"),
        OURS + "no installed plugin offers source ibmclod; did you mean ibmcloud?",
    ),
    (
        "a source that is left out",
        "token",
        variables(WXHELPER_PLUGINS="aws"),
        OURS + "source ibmcloud is installed, but WXHELPER_PLUGINS leaves it out; "
        "add ibmcloud to WXHELPER_PLUGINS, or unset it",
    ),
    (
        "no such certificates",
        "token",
        profile(ca_file="/nonexistent/ca.pem"),
        OURS + "ca_file names /nonexistent/ca.pem, which cannot be read: "
        "No such file or directory; correct or remove ca_file",
    ),
    (
        "no certificates",
        "token",
        profile(ca_file="apikey"),
        OURS + "ca_file names {key_file}, which holds no certificate (PEM); "
        "correct or remove ca_file",
    ),
    (
        "a client of another time",
        "exec-credential",
        variables(
            KUBERNETES_EXEC_INFO='{"apiVersion":"client.authentication.k8s.io/v1alpha1"}',
        ),
        (
            "the client wants an ExecCredential of client.authentication.k8s.io/v1alpha1, which is "
            "not known; write apiVersion: client.authentication.k8s.io/v1 in the kubeconfig"
        ),
    ),
]


@by_name(CONFIGURATION)
def test_a_configuration_error_asks_nobody(
    command: str, prepare: Prepare, line: str, world: World
) -> None:
    prepare(world)
    told_in_one_line(world, run(world, command), 5, line)
    assert world.sandbox.token_requests() == 0
